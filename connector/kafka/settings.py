"""The settings of whoever works on our topics alone, without a provider."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from connector.contract.topics import DEFAULT_PARTITIONS
from connector.kafka.security import KafkaSecurity
from connector.process.environment import fault


class KafkaSettings(KafkaSecurity):
    """Where the topics are, and how to get in."""

    model_config = SettingsConfigDict(env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True)

    kafka: str = Field("localhost:9092", min_length=1, description="bootstrap servers, host:port, comma-separated")
    topic_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", description="put before every topic's name")
    partitions: int = Field(DEFAULT_PARTITIONS, ge=1, description="partitions of the topics; fixed once they exist")
    replication: int = Field(1, ge=1, description="replication factor of topics that have to be created")

    @field_validator("kafka")
    @classmethod
    def _servers(cls, value: str) -> str:
        if not all(names_a_host(f"//{server.strip()}") for server in value.split(",")):
            raise fault("should be host:port, or several with commas between")
        return value


def names_a_host(url: str) -> bool:
    """Return whether a URL names a host, and a port only as a number that a port can have."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
