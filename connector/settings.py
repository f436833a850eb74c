"""
Settings, from the environment and a `.env` file; the environment wins.

Each field's description is its manual: `python -m connector --help` prints them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from connector.contract.checks import hex_string
from connector.contract.errors import InvalidOrder
from connector.contract.record import MAX_RAW
from connector.contract.topics import DEFAULT_PARTITIONS
from connector.dialects.dome import Dome
from connector.packing import Packing, Quota, pack

if TYPE_CHECKING:
    from connector.dialects import Dialect

PROVIDERS: dict[str, Dialect] = {"dome": Dome(), "simulator": Dome()}
SIMULATOR_KEY = "dev-local"


class Settings(BaseSettings):
    """All settings. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, allow_inf_nan=False
    )

    provider: Literal["dome", "simulator"] = Field("dome", description="who sends the orders: dome or simulator")
    api_key: SecretStr = Field(
        SecretStr(""), validate_default=True, description="the provider's API key; any for the simulator"
    )
    ws_url: str = Field(
        "",
        validate_default=True,
        repr=False,  # who writes the key into it by mistake should not read it in a log
        description="WebSocket URL with {key} where the key goes; default: the provider's, required for the simulator",
    )
    tier: str = Field("free", validate_default=True, description="the key's tier, for its quota: free or dev")
    max_subscriptions: int | None = Field(None, ge=1, description="subscriptions of the key, where not the tier's")
    max_wallets_each: int | None = Field(None, ge=1, description="wallets per subscription, where not the tier's")
    wallets_file: Path | None = Field(None, description="file with one wallet per line, # begins a comment")
    wallets: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validate_default=True, description="wallets to watch, comma-separated; adds to WALLETS_FILE"
    )

    kafka: str = Field("localhost:9092", min_length=1, description="bootstrap servers, host:port, comma-separated")
    topic_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", description="put before every topic's name")
    partitions: int = Field(DEFAULT_PARTITIONS, ge=1, description="partitions of the topics; fixed once they exist")
    replication: int = Field(1, ge=1, description="replication factor of topics that have to be created")
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

    @property
    def dialect(self) -> Dialect:
        """The provider's dialect."""
        return PROVIDERS[self.provider]

    @property
    def packing(self) -> Packing:
        """Wallets packed into subscriptions; nothing is left out, or the settings were refused."""
        return pack(self.wallets, _quota(self.model_dump(include={"provider", "tier", *_QUOTA})))

    @field_validator("api_key")
    @classmethod
    def _key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        key = value.get_secret_value().strip()
        if not key and info.data.get("provider") == "simulator":
            key = SIMULATOR_KEY
        if not key:
            raise _fault("is not set")
        if not (key.isascii() and key.isprintable()):
            raise _fault("holds characters that no key has")
        return SecretStr(key)

    @field_validator("ws_url")
    @classmethod
    def _url(cls, value: str, info: ValidationInfo) -> str:
        provider = info.data.get("provider", "dome")
        if not value and provider == "simulator":
            raise _fault("is not set, the simulator has no fixed address")
        url = value or PROVIDERS[provider].default_url
        if not url.startswith(("ws://", "wss://")) or "{key}" not in url:
            raise _fault("should start with ws:// or wss:// and hold {key}")
        if not _names_a_host(url):
            raise _fault("should name a host, and a port only as a number")
        return url

    @field_validator("kafka")
    @classmethod
    def _servers(cls, value: str) -> str:
        if not all(_names_a_host(f"//{server.strip()}") for server in value.split(",")):
            raise _fault("should be host:port, or several with commas between")
        return value

    @field_validator("tier")
    @classmethod
    def _tier(cls, value: str, info: ValidationInfo) -> str:
        tiers = PROVIDERS[info.data.get("provider", "dome")].quotas
        if value not in tiers:
            raise _fault(f"should be one of {', '.join(tiers)}")
        return value

    @field_validator("wallets_file")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise _fault("is no file that can be read")
        return value

    @field_validator("wallets", mode="before")
    @classmethod
    def _wallets(cls, value: object, info: ValidationInfo) -> tuple[str, ...]:
        path: Path | None = info.data.get("wallets_file")
        listed = value.split(",") if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
        if path is not None:
            listed += [line.partition("#")[0] for line in path.read_text("utf-8").splitlines()]
        wallets = tuple(dict.fromkeys(_address(text.strip()) for text in listed if text.strip()))
        if not wallets and not (path is None and "wallets_file" not in info.data):
            raise _fault("is not set, and neither is WALLETS_FILE")
        left_out = pack(wallets, _quota(info.data)).left_out
        if left_out:
            quota = _quota(info.data)
            raise _fault(
                f"{len(wallets)} wallets, but the quota is {quota.subscriptions} subscriptions of"
                f" {quota.wallets_each} wallets; no room for {', '.join(left_out)}"
            )
        return wallets

    @field_validator("idle_timeout")
    @classmethod
    def _idle(cls, value: float, info: ValidationInfo) -> float:
        if value <= info.data.get("ping_interval", 0.0):
            raise _fault("should be longer than PING_INTERVAL, or no pong can come in time")
        return value


_QUOTA = ("max_subscriptions", "max_wallets_each")


def _quota(data: dict[str, Any]) -> Quota:
    tier = PROVIDERS[data.get("provider", "dome")].quotas[data.get("tier", "free")]
    subscriptions, wallets_each = (data.get(name) for name in _QUOTA)
    return Quota(subscriptions or tier.subscriptions, wallets_each or tier.wallets_each)


def _names_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _address(text: str) -> str:
    try:
        return hex_string({"wallet": text}, "wallet", digits=40)
    except InvalidOrder as error:
        raise _fault(error.reason) from None


def _fault(problem: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{problem}", {"problem": problem})
