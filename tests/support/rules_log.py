"""Records of `rules.v1` for tests, as a broker would return them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from streams.rules.engine import compile_rules
from streams.rules.topic import encode_rule

RULE = {"id": "a", "scope": "wallet", "severity": "info", "expr": "order.price > 0.5", "message": "m"}


class Written(NamedTuple):
    """One record."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    topic: str = "rules.v1"
    partition: int = 0
    offset: int = 0
    headers: tuple[tuple[str, bytes | None], ...] = ()


def document(*rules: dict[str, Any]) -> str:
    """Return a rules document; what a rule does not say is as in `RULE`."""
    return msgspec.json.encode({"rules": [RULE | rule for rule in rules]}).decode()


def rule_record(at: int, key: str, **fields: Any) -> Written:
    """Return a record of a rule that is written under a key; its id is the key's, unless it is given."""
    given = {"id": key.removesuffix("@shadow")} | ({"mode": "SHADOW"} if key.endswith("@shadow") else {})
    (active,) = compile_rules(document(given | fields))
    return Written(key.encode(), encode_rule(active.rule), at)


def tombstone(at: int, key: str) -> Written:
    """Return the end of a key."""
    return Written(key.encode(), None, at)
