"""Settings of the provider: who it is, the keys, where it listens, and a mirror beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from connector.dialects.dome import Dome
from connector.dialects.predexon import Predexon
from connector.kafka.settings import KafkaSettings, names_a_host
from connector.process.environment import fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.dialects import Dialect
    from connector.packing import Quota

PROVIDERS: dict[str, Dialect] = {"dome": Dome(), "predexon": Predexon(), "simulator": Dome()}
SIMULATOR_KEY = "dev-local"


class ProviderSettings(KafkaSettings):
    """Settings to inherit."""

    provider: Literal["dome", "predexon", "simulator"] = Field(
        "dome", description="who sends the orders: dome, predexon or simulator"
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="the provider's API key, or several with commas between; any for the simulator",
    )
    replica: int | None = Field(None, ge=0, description="number of this replica, from 0: it uses every REPLICAS-th key")
    replicas: int = Field(1, ge=1, validate_default=True, description="replicas that share out the keys of API_KEY")
    ws_url: str = Field(
        "",
        validate_default=True,
        repr=False,  # who writes the key into it by mistake should not read it in a log
        description="WebSocket URL with {key} where the key goes; default: the provider's, required for the simulator",
    )
    rest_url: str = Field(
        "",
        validate_default=True,
        repr=False,
        description="base URL of REST; default: the provider's, or the simulator's",
    )
    max_subscriptions: int | None = Field(None, ge=1, description="subscriptions of a key, where not the tier's")
    max_wallets_each: int | None = Field(None, ge=1, description="wallets per subscription, where not the tier's")
    tier: str = Field("free", validate_default=True, description="the keys' tier, for its quota: free, dev, ...")
    mirror_api_key: SecretStr = Field(
        SecretStr(""), description="second key (or keys): every wallet on a second socket too, the first delivery wins"
    )
    mirror_provider: str = Field("", validate_default=True, description="provider of the mirror; default: PROVIDER")
    mirror_ws_url: str = Field(
        "", validate_default=True, repr=False, description="WebSocket URL of the mirror, like WS_URL"
    )
    mirror_tier: str = Field("", validate_default=True, description="tier of the mirror's keys; default: TIER")

    @property
    def dialect(self) -> Dialect:
        """The provider's dialect."""
        return PROVIDERS[self.provider]

    @property
    def quota(self) -> Quota:
        """Of one key."""
        return _quota(self.dialect.quotas[self.tier], self.max_subscriptions, self.max_wallets_each)

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys that this replica uses."""
        keys = _keys(self.api_key)
        return keys if self.replica is None else keys[self.replica :: self.replicas]

    @property
    def mirror_keys(self) -> tuple[str, ...]:
        """The keys of the second socket; none: there is no mirror."""
        return _keys(self.mirror_api_key)

    @property
    def mirror_dialect(self) -> Dialect:
        """The dialect of the mirror's provider."""
        return PROVIDERS[self.mirror_provider]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must appear nowhere."""
        return _keys(self.api_key) + self.mirror_keys

    @field_validator("api_key")
    @classmethod
    def _key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if _keys(value):
            return _checked_keys(value)
        if info.data.get("provider") == "simulator":
            return SecretStr(SIMULATOR_KEY)
        raise fault("is not set")

    @field_validator("mirror_api_key")
    @classmethod
    def _mirror_key(cls, value: SecretStr) -> SecretStr:
        return _checked_keys(value)

    @field_validator("replicas")
    @classmethod
    def _replicas(cls, value: int, info: ValidationInfo) -> int:
        replica, keys = info.data.get("replica"), info.data.get("api_key")
        if replica is not None and replica >= value:
            raise fault(f"should be more than REPLICA, which counts from 0 and is {replica}")
        if replica is not None and keys is not None and len(_keys(keys)) < value:
            raise fault(f"should be at most the number of keys in API_KEY, {len(_keys(keys))}: replicas share no key")
        return value

    @field_validator("ws_url")
    @classmethod
    def _url(cls, value: str, info: ValidationInfo) -> str:
        return _socket_url(value, info.data.get("provider", "dome"))

    @field_validator("rest_url")
    @classmethod
    def _rest(cls, value: str, info: ValidationInfo) -> str:
        provider = info.data.get("provider", "dome")
        if not value and provider == "simulator":
            if "ws_url" not in info.data:
                return value  # that fault is reported
            parts = urlsplit(info.data["ws_url"])
            value = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
        if not value and info.data.get("ws_url", PROVIDERS[provider].default_url) != PROVIDERS[provider].default_url:
            raise fault("is not set, but WS_URL is not the provider's own: the key would go to a stranger")
        url = value or PROVIDERS[provider].rest_url
        if not url.startswith(("http://", "https://")) or not names_a_host(url):
            raise fault("should start with http:// or https:// and name a host")
        return url.rstrip("/")

    @field_validator("mirror_provider")
    @classmethod
    def _mirror(cls, value: str, info: ValidationInfo) -> str:
        provider = value or info.data.get("provider", "dome")
        if provider not in PROVIDERS:
            raise fault(f"should be one of {', '.join(PROVIDERS)}")
        return str(provider)

    @field_validator("mirror_ws_url")
    @classmethod
    def _mirror_url(cls, value: str, info: ValidationInfo) -> str:
        if not info.data.get("mirror_api_key"):
            return value
        provider = info.data.get("mirror_provider", "dome")
        same = provider == info.data.get("provider")
        return _socket_url(value or (info.data.get("ws_url", "") if same else ""), provider)

    @field_validator("mirror_tier")
    @classmethod
    def _mirror_plan(cls, value: str, info: ValidationInfo) -> str:
        provider = info.data.get("mirror_provider", "dome")
        tiers = PROVIDERS[provider].quotas
        tier = value or info.data.get("tier", "free")
        if info.data.get("mirror_api_key"):
            if tier not in tiers:
                raise fault(f"should be one of {', '.join(tiers)}")
            if not _delivers(tiers[tier]):
                raise fault(
                    f"{tier} has no subscriptions with {provider}, so the mirror would be idle: set MIRROR_TIER to"
                    f" {_enough(tiers)}"
                )
        return str(tier)

    @field_validator("tier")
    @classmethod
    def _tier(cls, value: str, info: ValidationInfo) -> str:
        provider = info.data.get("provider", "dome")
        tiers = PROVIDERS[provider].quotas
        if value not in tiers:
            raise fault(f"should be one of {', '.join(tiers)}")
        # A number that is itself at fault was reported, and counts as given.
        given = (info.data.get("max_subscriptions", 1), info.data.get("max_wallets_each", 1))
        if not _delivers(_quota(tiers[value], *given)):
            raise fault(
                f"the tier {value} has no subscriptions with {provider}, so no order would come:"
                f" set TIER to {_enough(tiers)}, or MAX_SUBSCRIPTIONS and MAX_WALLETS_EACH to what the key has"
            )
        return value


def _keys(secret: SecretStr) -> tuple[str, ...]:
    return tuple(key for part in secret.get_secret_value().split(",") if (key := part.strip()))


def _checked_keys(value: SecretStr) -> SecretStr:
    keys = _keys(value)
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise fault("holds characters that no key has")
    if len(set(keys)) < len(keys):
        raise fault("names a key twice")
    return SecretStr(",".join(keys))


def _quota(tier: Quota, subscriptions: int | None, wallets_each: int | None) -> Quota:
    return msgspec.structs.replace(
        tier,
        subscriptions=subscriptions or tier.subscriptions,
        wallets_each=wallets_each or tier.wallets_each,
    )


def _enough(tiers: Mapping[str, Quota]) -> str:
    """Return the tiers that bring orders."""
    return " or ".join(name for name, quota in tiers.items() if _delivers(quota))


def _delivers(quota: Quota) -> bool:
    return quota.subscriptions > 0 and quota.wallets_each > 0


def _socket_url(value: str, provider: str) -> str:
    if not value and provider == "simulator":
        raise fault("is not set, the simulator has no fixed address")
    url = value or PROVIDERS[provider].default_url
    if not url.startswith(("ws://", "wss://")) or "{key}" not in url:
        raise fault("should start with ws:// or wss:// and hold {key}")
    if not names_a_host(url):
        raise fault("should name a host, and a port only as a number")
    return url
