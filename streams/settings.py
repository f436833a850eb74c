"""Settings of the worker, from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connector.contract.topics import DEFAULT_PARTITIONS, ORDERS

SHIPPED_RULES = Path(__file__).parent / "rules" / "default.yaml"


class Settings(BaseSettings):
    """Each field is an environment variable of the same name in upper case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    kafka: str = "127.0.0.1:9092"
    """Bootstrap servers, `host:port`, several separated by commas."""

    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", max_length=100)
    """Put before every topic name; lets deployments share a cluster."""

    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=10_000)
    """Of every topic; fixed for the life of a topic version."""

    replication: int = Field(default=1, ge=1, le=10)
    """Replicas of the topics that are created; 3 in production."""

    orders_topic: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", max_length=249)
    """Topic to read orders from, if not `orders.v1` under the prefix: a second deployment on the same orders."""

    group_id: str = Field(default="walletstream", min_length=1, max_length=200)
    """Consumer group of the workers; the prefix is put before it."""

    rules: Path = SHIPPED_RULES
    """YAML file with the alert rules."""

    remember_interval_s: float = Field(default=0.25, gt=0, le=60)
    """A crash repeats at most this much work; shorter costs more transactions."""

    session_timeout_s: float = Field(default=10.0, ge=6, le=300)
    """A worker silent for this long loses its partitions."""

    rebalance_timeout_s: float = Field(default=30.0, ge=6, le=600)
    """A rebalance waits at most this long for a worker; releasing shards takes at most a third of it."""

    @property
    def source_topic(self) -> str:
        """Name of the topic that orders are read from."""
        return self.orders_topic or self.topic_prefix + ORDERS.name

    @field_validator("kafka")
    @classmethod
    def _servers(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"expected host:port, got {server!r}")
        return value
