from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.compatibility import breaks
from streams.contract.published import published

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS = [each.schema for each in published()]
OLD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "side", "cause"],
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "side": {"enum": ["BUY", "SELL"]},
        "cause": {"enum": ["start"]},
        "note": {"type": ["string", "null"]},
        "inner": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
    },
    "$defs": {"inner": {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}}},
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the schema with a change."""
    new = copy.deepcopy(OLD)
    change(new)
    return new


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda new: new["properties"].pop("note"), "value.note"),
        (lambda new: new["required"].remove("id"), "value.id"),
        (lambda new: new["properties"]["id"].update(type="string"), "value.id"),
        (lambda new: new["properties"]["id"].update(type=["integer", "null"]), "value.id"),
        (lambda new: new["properties"]["id"].update(minimum=-1), "value.id"),
        (lambda new: new["properties"]["id"].pop("type"), "value.id"),
        (lambda new: new["properties"]["side"].update(enum=["BUY", "SELL", "SWAP"]), "value.side"),
        (lambda new: new["$defs"]["inner"]["properties"].pop("a"), "value.inner[].a"),
        (lambda new: new["$defs"]["inner"]["required"].clear(), "value.inner[].a"),
        (lambda new: new["properties"]["inner"].update(items={"type": "string"}), "value.inner[]"),
        (lambda new: new["properties"]["side"].pop("enum"), "value.side"),
    ],
)
def test_what_breaks_readers_is_refused_by_name(change: Callable[[dict[str, Any]], object], place: str) -> None:
    """With the place and the remedy."""
    found = breaks(OLD, changed(change))
    assert found
    assert all(line.startswith((f"{place} ", f"{place}.")) for line in found), found
    assert all("new version" in line for line in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].update(more={"type": "string"}),
        lambda new: (new["properties"].update(more={"type": "string"}), new["required"].append("more")),
        lambda new: new["properties"]["cause"].update(enum=["start", "audit"]),
        lambda new: new["properties"]["note"].update(description="For people."),
        lambda new: new["properties"]["note"].update(type="string"),
        lambda new: new["required"].append("note"),
    ],
)
def test_what_readers_can_do_with_is_not(change: Callable[[dict[str, Any]], object]) -> None:
    """New fields, new words where the contract says so, fewer values."""
    assert breaks(OLD, changed(change)) == []


@pytest.mark.parametrize(
    ("change", "good"),
    [
        (lambda new: new["required"].append("note"), False),
        (lambda new: new["properties"]["note"].update(type="string"), False),
        (lambda new: new["properties"]["side"].update(enum=["BUY"]), False),
        (lambda new: new["properties"].update(more={"type": "string"}), True),
        (lambda new: new["properties"]["side"].update(enum=["BUY", "SELL", "SWAP"]), True),
        (lambda new: new["required"].remove("id"), True),
    ],
)
def test_what_anybody_may_write_stays_good(change: Callable[[dict[str, Any]], object], *, good: bool) -> None:
    """Turned round: it is their records that have to fit our schema."""
    assert (breaks(OLD, changed(change), written_by_consumers=True) == []) is good


@given(st.sampled_from(SCHEMAS), st.data())
def test_no_field_of_any_topic_can_go(schema: dict[str, Any], data: st.DataObject) -> None:
    """Wherever it is, its loss is found; and a schema is compatible with itself."""
    assert breaks(schema, copy.deepcopy(schema)) == []
    new = copy.deepcopy(schema)
    holders = list(_objects(new))
    holder = data.draw(st.sampled_from(holders))
    gone = data.draw(st.sampled_from(sorted(holder["properties"])))
    del holder["properties"][gone]
    assert any(f".{gone} is gone" in line for line in breaks(schema, new))


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for each in schema for found in _objects(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if isinstance(schema.get("properties"), dict) and schema["properties"] else []
    return own + [found for each in schema.values() for found in _objects(each)]
