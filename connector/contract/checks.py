"""Field checks: each takes a decoded JSON object and a field name, and returns the clean value."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

from connector.contract.errors import InvalidOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SHARES = 2**53 - 1
"""Raw shares above this are not exact in JSON readers that use doubles."""

MAX_TEXT = 1_000
"""Characters of a free text field; titles come from strangers."""

MAX_INDEX = 2**53 - 1

_HEX = {digits: re.compile(rf"0x[0-9a-f]{{{digits}}}", re.ASCII) for digits in (40, 64)}
_TOKEN = re.compile(r"[0-9]{1,78}", re.ASCII)
_FIRST_SECOND = 1_000_000_000
_LAST_SECOND = 100_000_000_000


def _required(data: Mapping[str, Any], field: str) -> Any:
    value = data.get(field)
    if value is None:
        raise InvalidOrder(field, "is missing or null, a value is required")
    return value


def shown(value: object) -> str:
    """Return `value` short enough for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def hex_string(data: Mapping[str, Any], field: str, *, digits: int) -> str:
    """Return a required 0x-prefixed hex string in lower case."""
    value = _required(data, field)
    if isinstance(value, str):
        lowered = value.lower()
        if _HEX[digits].fullmatch(lowered):
            return lowered
    raise InvalidOrder(field, f"expected 0x and {digits} hex digits, got {shown(value)}")


def optional_hash(data: Mapping[str, Any], field: str) -> str | None:
    """Return a hash of 64 hex digits, or None when it is null, absent or empty."""
    return None if data.get(field) in (None, "") else hex_string(data, field, digits=64)


def optional_address(data: Mapping[str, Any], field: str) -> str | None:
    """Return an address of 40 hex digits, or None when it is null, absent or empty."""
    return None if data.get(field) in (None, "") else hex_string(data, field, digits=40)


def token(data: Mapping[str, Any], field: str) -> str:
    """Return a 256-bit unsigned integer as its decimal string; numbers lose digits and are refused."""
    value = _required(data, field)
    if isinstance(value, str) and _TOKEN.fullmatch(value) and int(value) < 2**256:
        return value
    raise InvalidOrder(field, f"expected a 256-bit integer as a decimal string, got {shown(value)}")


def side_of(data: Mapping[str, Any], field: str) -> Literal["BUY", "SELL"]:
    """Return the side; any letter case is accepted."""
    value = _required(data, field)
    upper = value.upper() if isinstance(value, str) else value
    if upper == "BUY":
        return "BUY"
    if upper == "SELL":
        return "SELL"
    raise InvalidOrder(field, f"expected BUY or SELL, got {shown(value)}")


def integer(data: Mapping[str, Any], field: str, *, minimum: int, maximum: int) -> int:
    """Return a required integer; a float with an integral value is one (JSON has one number type)."""
    value = _required(data, field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise InvalidOrder(field, f"expected an integer in [{minimum}, {maximum}], got {shown(value)}")
    return value


def optional_integer(data: Mapping[str, Any], field: str) -> int | None:
    """Return a non-negative integer, or None when it is null or absent."""
    return None if data.get(field) is None else integer(data, field, minimum=0, maximum=MAX_INDEX)


def number(data: Mapping[str, Any], field: str, *, minimum: float, maximum: float) -> float:
    """Return a required finite number as float."""
    value = _required(data, field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not minimum <= value <= maximum:
        raise InvalidOrder(field, f"expected a number in [{minimum}, {maximum}], got {shown(value)}")
    return float(value)


def normalized_matches(data: Mapping[str, Any], shares: int) -> None:
    """Refuse raw and normalized shares that were mixed up: a factor of a million is money."""
    if data.get("shares_normalized") is None:
        return
    value = number(data, "shares_normalized", minimum=0.0, maximum=MAX_SHARES)
    if not math.isclose(value * 1_000_000, shares, rel_tol=1e-9, abs_tol=1.0):
        raise InvalidOrder("shares_normalized", f"expected shares / 1e6 = {shares / 1e6}, got {shown(value)}")


def unix_seconds(data: Mapping[str, Any], field: str) -> int:
    """Return a time in whole unix seconds; milliseconds are recognised and refused by name."""
    value = integer(data, field, minimum=0, maximum=MAX_INDEX)
    if value >= _LAST_SECOND:
        raise InvalidOrder(field, f"expected unix seconds, got {value}: is it in milliseconds?")
    if value < _FIRST_SECOND:
        raise InvalidOrder(field, f"expected unix seconds after 2001, got {value}")
    return value


def optional_text(data: Mapping[str, Any], field: str) -> str | None:
    """Return a text of bounded length, or None when it is null, absent or empty."""
    value = data.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise InvalidOrder(field, f"expected a text of at most {MAX_TEXT} characters, got {shown(value)}")
    return value
