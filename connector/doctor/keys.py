"""What can be said of an API key by looking at it, without showing it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from connector.doctor.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEX_SECRET = re.compile(r"(0x)?[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII | re.IGNORECASE)
_PLACEHOLDER = re.compile(r"[<{$].*|(your|my|api|the)[-_ ]?(api[-_ ]?)?key.*|x{3,}|\.{3,}|changeme", re.IGNORECASE)
_SHORTEST: Final = 12
"""Characters; no provider hands out a shorter key."""
_REMEDY = "copy the key as it is from the provider's dashboard into API_KEY"

_SIMULATOR = "the simulator takes any key; one that begins with free- or dev- has that tier's quota"
_TIERS = {"free-": "free", "dev-": "dev"}


def key_checks(name: str, keys: Sequence[str], *, provider: str, tier: str) -> list[Check]:
    """Return what is to be said of each key; `name` is the setting that holds them."""
    judge = _simulated if provider == "simulator" else _real
    return [judge(_numbered(name, number, len(keys)), key, tier) for number, key in enumerate(keys, 1)]


def _numbered(name: str, number: int, total: int) -> str:
    return name if total == 1 else f"{name} {number}"


def _simulated(name: str, key: str, tier: str) -> Check:
    if key.startswith("bad-"):
        return fail(name, "the simulator refuses keys that begin with bad-", f"choose another: {_SIMULATOR}")
    bought = next((plan for prefix, plan in _TIERS.items() if key.startswith(prefix)), None)
    if bought is not None and bought != tier:
        remedy = f"set TIER={bought}, or a key that begins with {tier}-: {_SIMULATOR}"
        return warn(name, f"by its beginning a key of the {bought} tier, and TIER is {tier}", remedy)
    return ok(name, f"{len(key)} characters; the simulator takes any")


def _real(name: str, key: str, _tier: str) -> Check:
    fault = _fault(key)
    if fault:
        return fail(name, f"{len(key)} characters, and {fault}", _REMEDY)
    if _HEX_SECRET.fullmatch(key):
        return warn(
            name,
            "64 hex digits: that is what a wallet's private key looks like",
            "if it is one, take it out of the settings and consider it known: this setting is sent to the provider",
        )
    if len(key) < _SHORTEST:
        return warn(name, f"{len(key)} characters, fewer than keys have", _REMEDY)
    return ok(name, f"{len(key)} characters")


def _fault(key: str) -> str:
    """Return what it is instead of a key; nothing where it may be one."""
    faults = {
        "it begins with `Bearer`: that word is no part of the key": key.casefold().startswith("bearer "),
        "it is a URL: only the key belongs here, the URL into WS_URL with {key} in it": "://" in key,
        "it holds quotation marks": any(quote in key for quote in "'\"`"),
        "it holds blanks": any(each.isspace() for each in key),
        "it is the address of a wallet: those belong into WALLETS": _ADDRESS.fullmatch(key),
        "it is the placeholder of an example": _PLACEHOLDER.fullmatch(key),
    }
    return next((fault for fault, true in faults.items() if true), "")
