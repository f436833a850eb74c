"""The contract as one page for people, in Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from connector.contract.topics import DAY_MS, DEFAULT_PARTITIONS
from streams.contract.asyncapi import payload_of
from streams.contract.published import HEADERS, HEADERS_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.contract.published import Published


def page(topics: Iterable[Published], *, head: str, tail: str) -> str:
    """Return the page; `head` and `tail` are what is written by hand."""
    listed = list(topics)
    index = ["| topic | key | |", "|---|---|---|"]
    index += [f"| [{_name(each)}](#{_anchor(each)}) | {_cell(each.topic.key)} | {each.topic.doc} |" for each in listed]
    sections = [line for each in listed for line in _section(each)]
    return "\n".join([head.rstrip(), "", *index, "", *sections, tail.rstrip(), ""])


def _name(each: Published) -> str:
    return each.topic.name


def _anchor(each: Published) -> str:
    return each.topic.name.replace(".", "")


def _section(each: Published) -> Iterator[str]:
    reading = each.reading
    yield from (f"## {_name(each)}", "", str(each.schema.get("description", each.topic.doc)), "")
    yield f"- Key: {each.topic.key}. Partitions: {each.topic.partitions or f'{DEFAULT_PARTITIONS} by default'}."
    writer = "anybody" if reading.written_by == "anybody" else f"the {each.topic.owner} only"
    yield f"- Written by {writer}. {_kept(each)}"
    yield f"- Repetitions: {reading.repeats}"
    yield f"- Order: {reading.order}"
    yield f"- Without a value (tombstone): {reading.tombstone or 'does not occur.'}"
    if names := HEADERS_OF.get(each.topic.name):
        yield from ("", "| header | |", "|---|---|", *(f"| `{name}` | {HEADERS[name]} |" for name in names))
    yield from ("", "| field | type | |", "|---|---|---|")
    for variant in _variants(each.schema):
        yield from (f"| `{name}` | {kind} | {text} |" for name, kind, text in _fields(each.schema, variant, ""))
    example = orjson.dumps(payload_of(each.examples[0]), option=orjson.OPT_INDENT_2).decode()
    yield from ("", "<details><summary>Example</summary>", "", "```json", example, "```", "", "</details>", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kept(each: Published) -> str:
    if each.topic.cleanup == "compact":
        return "Compacted: the latest record of each key stays."
    return f"Kept for {(each.topic.retention_ms or 0) // DAY_MS} days."


def _variants(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [_resolved(schema, each) for each in schema.get("oneOf", [schema])]


def _resolved(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**_resolved(root, target), **{key: value for key, value in schema.items() if key != "$ref"}}


def _fields(root: dict[str, Any], schema: dict[str, Any], place: str, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Yield fields with types and words, those of objects inside after them; clauses hold clauses, so not for ever."""
    required = set(schema.get("required", ()))
    for name, raw in schema.get("properties", {}).items():
        field = _resolved(root, raw)
        absent = "" if name in required else ", may be absent"
        yield f"{place}{name}", f"{_type(root, field)}{absent}", _cell(field.get("description", ""))
        inner, inside = _inner(root, field)
        if inner is not None and depth < 2:
            yield from _fields(root, inner, f"{place}{name}{inside}.", depth + 1)


def _inner(root: dict[str, Any], field: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(field.get(key), dict):
            return _merged(root, field[key]), mark
    for choice in field.get("anyOf", ()):
        if (resolved := _resolved(root, choice)).get("properties"):
            return resolved, ""
    return (field, "") if field.get("properties") else (None, "")


def _merged(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    schema = _resolved(root, schema)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for part in (*(_resolved(root, each) for each in schema.get("allOf", ())), schema):
        properties |= part.get("properties", {})
        required += part.get("required", [])
    return {"properties": properties, "required": required}


def _type(root: dict[str, Any], field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{orjson.dumps(field['const']).decode()}`"
    if "enum" in field:
        return " ".join(f"`{'null' if word is None else word}`" for word in field["enum"])
    if choices := field.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(root, _resolved(root, each)) for each in choices))
    types = field.get("type", "any")
    return types if isinstance(types, str) else " or ".join(types)
