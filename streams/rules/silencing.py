"""Silences as people write them, checked against the rules there are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.rules.errors import InvalidChange
from streams.rules.identity import digest
from streams.rules.names import nearest
from streams.rules.plan import Plan
from streams.rules.silence import Silence
from streams.rules.topic import encode_silence, silence_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.rules.registry import Registry

MATCHED: Final = ("rule", "subject", "severity", "scope", "market")
FORGOTTEN_MS: Final = 86_400_000
"""Silences that ended so long ago are removed when another one is written."""


def parse_matchers(texts: Sequence[str], registry: Registry) -> dict[str, str]:
    """
    Return name -> value of texts such as `rule=large-order`.

    Raises:
        InvalidChange: a text of another form, or a name or a rule that nothing in force has.
    """
    rules = [known.active.rule for known in registry.rules()]
    names = [*MATCHED, *{name for rule in rules for name in (*rule.labels, *rule.group_by)}]
    matchers: dict[str, str] = {}
    faults = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            faults.append(f"{text!r}: expected MATCHER=VALUE such as rule=large-order")
        elif name not in names:
            faults.append(f"no rule has {name}{nearest(name, names)}")
        elif name in matchers:
            faults.append(f"{name} is given twice: an alert has to match all, write two silences")
        elif name == "rule" and not value.endswith("*") and value not in (ids := {rule.id for rule in rules}):
            faults.append(f"there is no rule {value}{nearest(value, ids)}")
        matchers[name] = value.lower() if name in {"subject", "market"} else value
    if faults:
        raise InvalidChange("\n".join(faults))
    return matchers


def silence(
    registry: Registry, matchers: dict[str, str], *, now_ms: int, for_ms: int, comment: str = "", created_by: str = ""
) -> Plan:
    """Return what marks the alerts that match from now on, and takes away silences that are long over."""
    until = now_ms + for_ms
    silence_id = digest(8, str(until), *(f"{name}={value}" for name, value in sorted(matchers.items())))
    new = Silence(id=silence_id, until_ms=until, matchers=matchers, comment=comment, created_by=created_by)
    over = [each.id for each in registry.silences() if each.until_ms < now_ms - FORGOTTEN_MS]
    records: dict[str, bytes | None] = {silence_name(each): None for each in over}
    records[silence_name(silence_id)] = encode_silence(new)
    return Plan(
        records, [f"silenced   {silence_id}  {' '.join(f'{name}={value}' for name, value in matchers.items())}"]
    )


def unsilence(registry: Registry, silence_id: str) -> Plan:
    """Return what ends a silence. Raises `InvalidChange` where there is none of that id."""
    known = [each.id for each in registry.silences()]
    if silence_id not in known:
        raise InvalidChange(f"there is no silence {silence_id}{nearest(silence_id, known)}")
    return Plan({silence_name(silence_id): None}, [f"unsilenced {silence_id}"])
