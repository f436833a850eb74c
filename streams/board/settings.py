"""Settings of the board, from the environment and a `.env` file; the environment wins."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connector.contract.topics import ORDERS
from connector.kafka.settings import KafkaSettings
from connector.process.environment import fault
from connector.process.status import StatusSettings, host_and_port
from streams.board.access import is_loopback

LEAST_TOKEN = 16
"""Characters; what a person makes up in less can be guessed."""


class Settings(KafkaSettings, StatusSettings):
    """Each field is an environment variable of the same name in upper case. Times are in seconds."""

    board_address: str = Field(
        "127.0.0.1:8080", description="host:port of the page, port 0 for a free one; not loopback needs BOARD_TOKEN"
    )
    board_token: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="what viewers log in with, at least 16 characters, such as `openssl rand -hex 16` prints;"
        " default: none, on loopback only",
    )
    board_history: float = Field(
        3_600.0, ge=0, le=86_400, description="how far back orders are read at the start, for lists and charts"
    )
    orders_topic: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        max_length=249,
        description="topic to read orders from; default: orders.v1 under the prefix",
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level shown")

    @property
    def token(self) -> str:
        """What viewers log in with; empty: they need not."""
        return self.board_token.get_secret_value()

    @property
    def host(self) -> str:
        """Of the page, without brackets."""
        return host_of(self.board_address)

    @property
    def port(self) -> int:
        """Of the page; 0 for a free one."""
        return int(self.board_address.rpartition(":")[2])

    def topic(self, name: str) -> str:
        """Return a topic's name in this deployment."""
        return self.orders_topic if name == ORDERS.name and self.orders_topic else self.topic_prefix + name

    @field_validator("board_address")
    @classmethod
    def _address(cls, value: str) -> str:
        return host_and_port(value)

    @field_validator("board_token")
    @classmethod
    def _token(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        token, address = value.get_secret_value(), info.data.get("board_address")
        if address is None:
            return value  # the address' own fault is enough
        if not token and not is_loopback(host_of(address)):
            raise fault(f"is not set, and BOARD_ADDRESS={address} can be reached from other machines")
        if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
            raise fault(f"should have at least {LEAST_TOKEN} characters, of printable ASCII")
        return value


def host_of(address: str) -> str:
    """Return the host of host:port or [host]:port."""
    return address.rpartition(":")[0].strip("[]")
