"""Settings of the worker, from the environment and a `.env` file; the environment wins."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connector.contract.topics import DEFAULT_PARTITIONS, ORDERS

SHIPPED_RULES = Path(__file__).parent / "rules" / "default.yaml"


class Settings(BaseSettings):
    """Each field is an environment variable of the same name in upper case. Times are in seconds."""

    model_config = SettingsConfigDict(env_file_encoding="utf-8", extra="ignore", frozen=True)

    kafka: str = Field("localhost:9092", description="bootstrap servers, host:port, comma-separated")
    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]*$", max_length=100, description="put before the name of every topic and group"
    )
    partitions: int = Field(
        DEFAULT_PARTITIONS, ge=1, le=10_000, description="partitions of the topics; fixed once they exist"
    )
    replication: int = Field(1, ge=1, le=10, description="replication factor of topics that have to be created")
    orders_topic: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        max_length=249,
        description="topic to read orders from; default: orders.v1 under the prefix",
    )
    group_id: str = Field("walletstream", min_length=1, max_length=200, description="consumer group of the workers")
    rules: Path = Field(SHIPPED_RULES, description="YAML file with the alert rules; default: those shipped")
    remember_interval: float = Field(
        1.0, gt=0, le=60, description="a crash repeats at most this much work; shorter costs more transactions"
    )
    session_timeout: float = Field(10.0, ge=6, le=300, description="a worker silent for this long loses its partitions")
    rebalance_timeout: float = Field(
        30.0, ge=6, le=600, description="how long a rebalance waits for a worker; releasing shards takes a third of it"
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level shown")

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
                raise PydanticCustomError("servers", "expected host:port, got {server}", {"server": repr(server)})
        return value
