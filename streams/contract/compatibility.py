"""
Whether a schema may take the place of a released one under the same topic name. Pure.

The policy: within a version, what readers of old records and old readers of new records rely on stays.

- Of topics that we write, a field that was there stays, stays required, and takes no value that it did not take; new
  fields may come.
- Of topics that anybody writes, whatever was good to write stays good: no new required field, no value taken away; new
  optional fields may come.
- A word of an enumeration that we write is a value: consumers that know all of them would break. Of the fields in OPEN
  the contract says otherwise: their readers have to do with words they do not know.

Anything else is a new version: a topic of a new name, written beside the old one until nobody reads that.
"""

from __future__ import annotations

from typing import Any, Final

OPEN: Final = frozenset({"cause", "reason", "standing"})
"""Fields of words that may become more; readers treat one they do not know as `something else`."""

_BOUNDS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "minProperties", "pattern", "const"),
)


def breaks(old: dict[str, Any], new: dict[str, Any], *, written_by_consumers: bool = False) -> list[str]:
    """Return what would break consumers (or producers, where they write), each with its place and the remedy."""
    comparison = _Comparison(old, new, written_by_consumers=written_by_consumers)
    comparison.compare(old, new, "value")
    return comparison.found


class _Comparison:
    def __init__(self, old: dict[str, Any], new: dict[str, Any], *, written_by_consumers: bool) -> None:
        self._roots = (old, new)
        self._written = written_by_consumers
        self._seen: set[tuple[int, int]] = set()
        self.found: list[str] = []

    def compare(self, old: Any, new: Any, place: str) -> None:
        """Compare two schemas of one place, and what is inside of it."""
        if isinstance(old, bool) or isinstance(new, bool):
            if old != new:
                self._tell(place, "changes what else is allowed")
            return
        old, new = self._resolved(0, old), self._resolved(1, new)
        if (id(old), id(new)) in self._seen:
            return
        self._seen.add((id(old), id(new)))
        self._types(old, new, place)
        self._words(old, new, place)
        self._bounds(old, new, place)
        self._fields(old, new, place)
        for inside in ("items", "additionalProperties"):
            if inside in old or inside in new:
                self.compare(old.get(inside, True), new.get(inside, True), f"{place}[]")
        for choice in ("anyOf", "oneOf", "allOf"):
            self._choices(old.get(choice, []), new.get(choice, []), f"{place} ({choice})")

    def _resolved(self, side: int, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        target: Any = self._roots[side]
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return self._resolved(side, target)

    def _types(self, old: dict[str, Any], new: dict[str, Any], place: str) -> None:
        before, after = _types(old), _types(new)
        wider, narrower = after - before, before - after
        if (narrower if self._written else wider) or (not before) != (not after):
            self._tell(place, f"has type {_told(after)} where it had {_told(before)}")

    def _words(self, old: dict[str, Any], new: dict[str, Any], place: str) -> None:
        before, after = old.get("enum"), new.get("enum")
        if before is None and after is None:
            return
        name = place.rpartition(".")[2]
        gone = before is None or (after is not None and any(word not in after for word in before))
        come = after is None or (before is not None and any(word not in before for word in after))
        if (gone if self._written else come and name not in OPEN) or (before is None) != (after is None):
            self._tell(place, f"takes the words {after} where it took {before}")

    def _bounds(self, old: dict[str, Any], new: dict[str, Any], place: str) -> None:
        for bound in _BOUNDS:
            if old.get(bound) != new.get(bound):
                self._tell(place, f"has {bound} {new.get(bound)!r} where it had {old.get(bound)!r}")

    def _fields(self, old: dict[str, Any], new: dict[str, Any], place: str) -> None:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            self._tell(f"{place}.{name}", "is gone")
        required, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in needed - required if self._written else required - needed:
            self._tell(f"{place}.{name}", "is required now" if self._written else "is required no more")
        for name in before.keys() & after.keys():
            self.compare(before[name], after[name], f"{place}.{name}")

    def _choices(self, old: list[Any], new: list[Any], place: str) -> None:
        if len(old) != len(new):
            self._tell(place, f"has {len(new)} choices where it had {len(old)}")
        for before, after in zip(old, new, strict=False):
            self.compare(before, after, place)

    def _tell(self, place: str, what: str) -> None:
        self.found.append(f"{place} {what}: keep it as it was, or publish a new version of the topic")


def _types(schema: dict[str, Any]) -> frozenset[str]:
    types = schema.get("type", ())
    named = frozenset([types] if isinstance(types, str) else types)
    return named | {"integer"} if "number" in named else named


def _told(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "any"
