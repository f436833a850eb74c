"""What was seen of hosts, certificates, sockets, REST and clocks, judged. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from connector.doctor.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}
_RENEWAL_S: Final = 14 * 86_400
_SKEW_WARN_S: Final = 2.0
_SKEW_FAIL_S: Final = 60.0
"""Beyond, certificates, tokens and what people ask `--since` are off by more than anybody expects."""


class Endpoint(msgspec.Struct, frozen=True):
    """A host that a program of ours talks to."""

    host: str
    port: int
    tls: bool

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Certificate(msgspec.Struct, frozen=True):
    """What a server showed."""

    version: str
    """Of TLS."""
    expires_s: float
    """Unix seconds."""


def endpoint(url: str) -> Endpoint:
    """Return whom a URL leads to; it may hold `{key}`."""
    parts = urlsplit(url)
    return Endpoint(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme in ("wss", "https"))


def dns(where: Endpoint, addresses: list[str] | str) -> Check:
    """Judge the addresses of a name, or why there are none."""
    name = f"dns {where.host}"
    if isinstance(addresses, str):
        remedy = "check the spelling (WS_URL, REST_URL, KAFKA), and that this machine's resolver knows the name"
        return fail(name, f"the name is not known: {addresses}", remedy)
    more = f" and {len(addresses) - 2} more" if len(addresses) > 2 else ""
    return ok(name, ", ".join(addresses[:2]) + more)


def tcp(where: Endpoint, fault: str, took_s: float) -> Check:
    """Judge an attempt to connect; `fault` is empty where it succeeded."""
    name = f"tcp {where.address}"
    if fault:
        remedy = "check host and port, and that a firewall or NetworkPolicy lets this machine out to them"
        return fail(name, f"no connection: {fault}", remedy)
    return ok(name, f"connected in {took_s * 1000:.0f} ms")


def tls(where: Endpoint, shown: Certificate | str, now_s: float) -> Check:
    """Judge what a server showed, or why it is not trusted."""
    name = f"tls {where.address}"
    if isinstance(shown, str):
        remedy = (
            "check the address; behind a proxy that signs for others, SSL_CERT_FILE (KAFKA_CA_FILE for Kafka) names"
            " its authority; an expired one is the server's to renew, or this machine's clock is wrong"
        )
        return fail(name, shown, remedy)
    left_s = shown.expires_s - now_s
    seen = f"{shown.version}, trusted, expires in {left_s / 86_400:.0f} days"
    if left_s < _RENEWAL_S:
        return warn(name, seen, "have it renewed: from then on nothing connects")
    return ok(name, seen)


def clock(offsets: Iterable[tuple[float, float]]) -> Check | None:
    """
    Judge how far the provider's clock is ahead of ours: by what each answer allows, from low to high; None without any.

    The connector goes by the provider's clock, but certificates, `--since` and log lines go by ours.
    """
    seen = list(offsets)
    if not seen:
        return None
    low, high = max(low for low, _ in seen), min(high for _, high in seen)
    if low > high:  # answers that contradict each other: take their middle
        low = high = (low + high) / 2
    ahead = max(low, 0.0) + min(high, 0.0)
    if abs(ahead) < _SKEW_WARN_S:
        return ok("clock", f"agrees with the provider's to {max(abs(low), abs(high)):.1f} s at worst")
    told = f"this machine's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} the provider's"
    remedy = "let NTP set this machine's clock (timedatectl, chronyc tracking)"
    return (fail if abs(ahead) >= _SKEW_FAIL_S else warn)("clock", told, remedy)


def socket(name: str, fault: str, *, refused: bool) -> Check:
    """Judge a handshake; `fault` is empty where it succeeded."""
    if refused:
        remedy = "check API_KEY and PROVIDER, and that the key's plan includes WebSockets (TIER)"
        return fail(name, fault, remedy)
    if "HTTP 429" in fault:
        remedy = "is a connector running with this key? Then its own socket is the one that counts; else try later"
        return warn(name, f"{fault}: too many connections, or too often", remedy)
    if fault:
        return fail(name, fault, "check WS_URL: host, port, path, and ws:// or wss://")
    return ok(name, "the handshake succeeded; nothing was subscribed to")


_REST: dict[str, tuple[str, str]] = {
    "auth": ("fail", "check API_KEY and PROVIDER, and that the key's plan includes REST"),
    "rate": ("warn", "the key is at its limit: is it used elsewhere? REST_SHARE leaves others a part of it"),
    "server": ("warn", "the provider has trouble, or REST_URL leads elsewhere; gaps wait until it answers"),
    "timeout": ("fail", "check the network; REST_TIMEOUT is how long an answer may take"),
    "network": ("fail", "check REST_URL: host, port, and http:// or https://"),
    "bad-request": ("fail", "check REST_URL and PROVIDER: this path is not what the provider serves"),
    "bad-body": ("fail", "check REST_URL and PROVIDER: this is not what the provider documents"),
}


def rest(name: str, kind: str, detail: str) -> Check:
    """Judge one request; `kind` is empty where it succeeded."""
    if not kind:
        return ok(name, "one page of orders was read")
    status, remedy = _REST[kind]
    return (fail if status == "fail" else warn)(name, detail, remedy)
