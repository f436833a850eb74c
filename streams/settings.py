"""Settings of the worker, from the environment and a `.env` file; the environment wins."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from connector.contract.topics import DEFAULT_PARTITIONS, ORDERS
from connector.kafka.security import KafkaSecurity
from connector.process.environment import fault
from connector.process.status import StatusSettings
from streams.grader import Horizon, parse_horizons

SHIPPED_RULES = Path(__file__).parent / "rules" / "default.yaml"


class Settings(StatusSettings, KafkaSecurity):
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
    history: Literal["quiet", "alert"] = Field(
        "quiet",
        description="at the very first start, orders already in the topic for a minute fill statistics only, or alert",
    )
    rules_delay: float = Field(
        0.5,
        ge=0.2,
        le=60,
        description="from a change on rules.v1 to its effect, so that every worker hears of it; the same for all",
    )
    grade_after: str = Field(
        "1h,24h",
        description="how long after an alert the price is compared, and at the market's end; the same for all workers",
    )
    remember_interval: float = Field(
        1.0, gt=0, le=60, description="a crash repeats at most this much work; shorter costs more transactions"
    )
    session_timeout: float = Field(10.0, ge=6, le=300, description="a worker silent for this long loses its partitions")
    rebalance_timeout: float = Field(
        30.0, ge=6, le=600, description="how long a rebalance waits for a worker; releasing shards takes a third of it"
    )
    group_instance_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        max_length=249,
        description="name of this worker, which no other one has at the time: a restart that takes less than"
        " SESSION_TIMEOUT then keeps its partitions, and the others notice nothing; default: any restart rebalances",
    )
    wedged_after: float = Field(
        120.0,
        ge=5,
        le=3_600,
        description="a shard that has work and takes no step for so long, although Kafka answers, fails /livez",
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level shown")

    @property
    def source_topic(self) -> str:
        """Name of the topic that orders are read from."""
        return self.orders_topic or self.topic_prefix + ORDERS.name

    @property
    def horizons(self) -> tuple[Horizon, ...]:
        """How long after an alert it is graded."""
        return parse_horizons(self.grade_after)

    @field_validator("grade_after")
    @classmethod
    def _horizons(cls, value: str) -> str:
        try:
            parse_horizons(value)
        except ValueError as error:
            raise fault(str(error)) from error
        return value

    @field_validator("kafka")
    @classmethod
    def _servers(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise fault(f"expected host:port, got {server!r}")
        return value
