"""What can be wrong with a frame: each function takes a valid message, which it may change, and returns bytes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MAX_BYTES = 16 * 1024
"""Of a frame, as the session under test is told: small, so that many oversize ones can be made."""

_ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    0.1,
    2**53,
    2**63,
    2**64,
    10**400,
    -(10**400),
    1e308,
    5e-324,
    math.nan,
    math.inf,
    -math.inf,
    "",
    " ",
    "0",
    "NaN",
    "-1",
    "0x",
    "0xg",
    "0x21e",
    "١٢",
    "\x00\x1b[31m\r\n",
    "\ud800",
    "\u202e\ufeff",
    "x" * 5000,
    [],
    {},
    [[]],
    [None] * 50,
    {"user": {"user": "user"}},
)


def encoded(message: Any) -> bytes:
    """Return JSON as Python writes it: with NaN, huge integers and lone surrogates, if there are any."""
    return json.dumps(message).encode()


def odd_value(message: dict[str, Any], random: Random) -> bytes:
    """One value of the wrong type or size, mostly inside the order."""
    target = _somewhere(message, random)
    target[random.choice(list(target))] = random.choice(_ODD)
    return encoded(message)


def missing_key(message: dict[str, Any], random: Random) -> bytes:
    """A key less."""
    target = _somewhere(message, random)
    del target[random.choice(list(target))]
    return encoded(message)


def unknown_key(message: dict[str, Any], random: Random) -> bytes:
    """A key more, of any shape."""
    _somewhere(message, random)[random.choice(["", "schema", "event_id", "extra", "\x00", "k" * 300])] = random.choice(
        _ODD
    )
    return encoded(message)


def misnamed_key(message: dict[str, Any], random: Random) -> bytes:
    """A key in other letters."""
    target = _somewhere(message, random)
    name = random.choice(list(target))
    target[random.choice([name.upper(), name + " ", name[::-1]])] = target.pop(name)
    return encoded(message)


def duplicate_key(message: dict[str, Any], random: Random) -> bytes:
    """The same key twice, with different values."""
    target = _somewhere(message, random)
    name = random.choice(list(target))
    raw = encoded(message)
    twice = encoded({name: random.choice(_ODD)})[:-1] + b", "
    at = raw.index(b'{"token_id"') if target is not message and b'{"token_id"' in raw else 0
    return raw[:at] + twice + raw[at + 1 :]


def deep(message: dict[str, Any], random: Random) -> bytes:
    """Nesting, from just allowed to absurd."""
    levels = random.choice([20, 30, 31, 32, 33, 100, 1_000, 1_100, 5_000])
    opener, closer = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    raw = encoded(message)
    return raw[:-1] + b', "deep": ' + opener * levels + b"1" + closer * random.choice([levels, levels - 1]) + b"}"


def oversize(message: dict[str, Any], random: Random) -> bytes:
    """More bytes than are read."""
    return encoded(message) + b" " * random.choice([MAX_BYTES, 4 * MAX_BYTES])


def truncated(message: dict[str, Any], random: Random) -> bytes:
    """Cut off anywhere."""
    raw = encoded(message)
    return raw[: random.randrange(len(raw))]


def flipped(message: dict[str, Any], random: Random) -> bytes:
    """Some bytes replaced by any others: control characters, broken UTF-8, broken JSON."""
    raw = bytearray(encoded(message))
    for _ in range(random.choice([1, 1, 2, 8])):
        raw[random.randrange(len(raw))] = random.randrange(256)
    return bytes(raw)


def spliced(message: dict[str, Any], random: Random) -> bytes:
    """A part of the frame repeated somewhere else in it."""
    raw = encoded(message)
    start, end, at = sorted(random.randrange(len(raw)) for _ in range(3))
    return raw[:at] + raw[start:end] + raw[at:]


def invalid_text(message: dict[str, Any], random: Random) -> bytes:
    """Bytes that are no UTF-8, or raw control characters, inside a string."""
    bad = random.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x00", b"\n", b"\xe2\x82"])
    return encoded(message).replace(b'": "', b'": "' + bad, random.choice([1, 2, 10]))


def number_text(message: dict[str, Any], random: Random) -> bytes:
    """Numbers as JSON forbids them, or as few readers can hold them."""
    text = random.choice(
        [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01", b"+1", b"0x1", b"1" * 4_000, b"1e-999", b"-0"]
    )
    raw = encoded(message)
    return raw.replace(b": 0", b": " + text, 1) if b": 0" in raw else raw[:-1] + b', "n": ' + text + b"}"


def garbage(message: dict[str, Any], random: Random) -> bytes:
    """Anything at all."""
    noise = random.randbytes(random.randrange(200))
    return random.choice([b"", b"null", b"[]", b"{}", b"\xef\xbb\xbf" + encoded(message), noise])


MUTATIONS: tuple[Callable[[dict[str, Any], Random], bytes], ...] = (
    odd_value,
    odd_value,
    odd_value,
    missing_key,
    unknown_key,
    misnamed_key,
    duplicate_key,
    deep,
    oversize,
    truncated,
    flipped,
    flipped,
    spliced,
    invalid_text,
    number_text,
    garbage,
)


def _somewhere(message: dict[str, Any], random: Random) -> dict[str, Any]:
    data = message.get("data")
    return data if data and random.random() < 0.85 else message
