"""
Settings, from the environment and a `.env` file; the environment wins.

Each field's description is its manual: `python -m connector --help` prints them.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from connector.contract.address import parse_address
from connector.contract.errors import InvalidAddress
from connector.contract.record import MAX_RAW
from connector.process.environment import fault
from connector.process.status import StatusSettings
from connector.provider_settings import PROVIDERS, SIMULATOR_KEY, ProviderSettings

__all__ = ["PROVIDERS", "SIMULATOR_KEY", "Settings"]


class Settings(ProviderSettings, StatusSettings):
    """All settings. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, allow_inf_nan=False
    )

    wallets_file: Path | None = Field(None, description="file with one wallet per line, # begins a comment")
    wallets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validate_default=True,
        description="wallets that are always watched, comma-separated; adds to WALLETS_FILE and to the watch-list",
    )

    connector_group: str = Field(
        "walletstream-connector", min_length=1, description="consumer group that shares out the wallets"
    )
    replica_name: str = Field(
        "", validate_default=True, description="who we are in coverage and gaps; default: host and process"
    )
    group_instance_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,249}$",
        description="name of this replica as a static member of the group, unique, as of a StatefulSet's pod: a restart"
        " within SESSION_TIMEOUT moves no wallets; default: dynamic, others take over at once",
    )
    session_timeout: float = Field(
        10.0, ge=1, description="until the wallets of a dead replica are given to the others"
    )
    rebalance_timeout: float = Field(30.0, ge=3, description="how long a hand-over of wallets may take")
    checkpoint_interval: float = Field(15.0, gt=0, description="between two checkpoints of a wallet, at least")
    overlap: float = Field(30.0, ge=0, description="how much before and after a gap is fetched from REST")
    settle: float = Field(
        15.0, gt=0, description="REST may show an order this late; what a gap or a twin waits for its end"
    )
    verify_interval: float = Field(300.0, ge=0, description="between two comparisons of a wallet with REST; 0: never")
    poll_interval: float = Field(30.0, gt=0, description="between two looks at REST while no socket delivers a wallet")
    give_up: float = Field(3600.0, gt=0, description="of REST failing, until a gap is reported as unrecoverable")
    rest_share: float = Field(
        0.8, gt=0, le=1, description="of the key's REST quota that we use; the rest is for others"
    )
    rest_concurrency: int = Field(4, ge=1, description="wallets compared with REST at a time")
    audit_interval: float = Field(
        60.0, ge=0, description="between two audits: a wallet's orders in REST looked for in the topic; 0: none"
    )
    rest_timeout: float = Field(10.0, gt=0, description="for one REST request")
    dead_limit: int = Field(
        600, ge=1, description="dead letters in a minute; beyond, the connector stops with exit code 6"
    )

    outage_timeout: float = Field(
        120.0, ge=1, le=86_400, description="how long Kafka may be away before the connector stops loudly"
    )
    queue_size: int = Field(10_000, ge=1, description="records Kafka has yet to acknowledge; beyond, reading pauses")
    drain_timeout: float = Field(8.0, gt=0, description="at a stop, how long to wait for Kafka's acknowledgements")

    ack_timeout: float = Field(10.0, gt=0, description="until a subscription without ack makes us reconnect")
    retry_refused: float = Field(60.0, gt=0, description="until a refused subscription is asked for again")
    ping_interval: float = Field(10.0, gt=0, description="silence until we ping")
    idle_timeout: float = Field(30.0, gt=0, description="silence, pongs included, until the connection counts as dead")
    connect_timeout: float = Field(10.0, gt=0, description="for connecting, TLS and handshake together")
    backoff_base: float = Field(0.5, gt=0, description="bound of the first delay between attempts to connect")
    backoff_cap: float = Field(30.0, gt=0, description="bound of every such delay")
    healthy_spell: float = Field(60.0, gt=0, description="connected this long, the delays start over, orders or not")
    max_frame_bytes: int = Field(MAX_RAW, ge=1024, le=MAX_RAW, description="longer frames become dead letters")

    dedupe: Literal["on", "off"] = Field("on", description="off publishes every delivery: for demonstrations only")
    dedupe_size: int = Field(500_000, ge=1, description="orders remembered at least; 250 bytes each")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level shown")

    @field_validator("replica_name")
    @classmethod
    def _name(cls, value: str) -> str:
        return value or f"{platform.node() or 'connector'}-{os.getpid()}"

    @field_validator("wallets_file")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise fault("is no file that can be read")
        return value

    @field_validator("wallets", mode="before")
    @classmethod
    def _wallets(cls, value: object, info: ValidationInfo) -> tuple[str, ...]:
        path: Path | None = info.data.get("wallets_file")
        listed = value.split(",") if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
        if path is not None:
            listed += [line.partition("#")[0] for line in path.read_text("utf-8").splitlines()]
        return tuple(dict.fromkeys(_address(text.strip()) for text in listed if text.strip()))

    @field_validator("idle_timeout")
    @classmethod
    def _idle(cls, value: float, info: ValidationInfo) -> float:
        if value <= info.data.get("ping_interval", 0.0):
            raise fault("should be longer than PING_INTERVAL, or no pong can come in time")
        return value


def _address(text: str) -> str:
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise fault(str(error)) from None
