"""The contract as an AsyncAPI 3 document. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.contract.topics import DEFAULT_PARTITIONS
from streams.contract.published import HEADERS, HEADERS_OF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.contract.published import Published

_BINDING = "0.5.0"
_LOCAL = "#/$defs/"


def document(topics: Iterable[Published], *, version: str) -> dict[str, Any]:
    """Return the document; `version` is the software's."""
    listed = list(topics)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "walletstream",
            "version": version,
            "description": "Watched wallets' prediction-market orders, statistics and alerts on Apache Kafka. Names of"
            " topics have the deployment's TOPIC_PREFIX before them. Consumers ignore fields and headers they do not"
            " know.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {each.topic.name: _channel(each) for each in listed},
        "operations": {_operation_name(each): _operation(each) for each in listed},
        "components": {
            "messages": {each.topic.name: _message(each) for each in listed},
            "schemas": {name: schema for each in listed for name, schema in _schemas(each)},
        },
    }


def _channel(each: Published) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": [each.topic.cleanup]}
    if each.topic.retention_ms is not None:
        config["retention.ms"] = each.topic.retention_ms
    return {
        "address": each.topic.name,
        "description": each.topic.doc,
        "messages": {"value": {"$ref": f"#/components/messages/{each.topic.name}"}},
        "bindings": {
            "kafka": {
                "topic": each.topic.name,
                "partitions": each.topic.partitions or DEFAULT_PARTITIONS,
                "topicConfiguration": config,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation_name(each: Published) -> str:
    return f"{'receive' if each.reading.written_by == 'anybody' else 'send'}-{each.topic.name}"


def _operation(each: Published) -> dict[str, Any]:
    return {
        "action": "receive" if each.reading.written_by == "anybody" else "send",
        "channel": {"$ref": f"#/channels/{each.topic.name}"},
        "messages": [{"$ref": f"#/channels/{each.topic.name}/messages/value"}],
    }


def _message(each: Published) -> dict[str, Any]:
    reading = each.reading
    told = [f"Repetitions: {reading.repeats}", f"Order: {reading.order}"]
    told += [f"Without a value (tombstone): {reading.tombstone}"] if reading.tombstone else []
    message: dict[str, Any] = {
        "name": each.topic.name,
        "title": each.schema["title"],
        "summary": each.topic.doc,
        "description": " ".join(told),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{each.topic.name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": each.topic.key}, "bindingVersion": _BINDING}},
        "examples": [{"payload": payload_of(example)} for example in each.examples],
    }
    if names := HEADERS_OF.get(each.topic.name):
        properties = {name: {"type": "string", "description": HEADERS[name]} for name in names}
        message["headers"] = {"type": "object", "properties": properties}
    return message


def payload_of(example: Any) -> Any:
    """Return the value of an example, which may be told with what it is about."""
    return example["value"] if "about" in example else example


def _schemas(each: Published) -> list[tuple[str, dict[str, Any]]]:
    """Return the value's schema and its definitions, which AsyncAPI wants in one place, under names of their own."""
    name = each.topic.name
    own = {key: value for key, value in each.schema.items() if key not in ("$schema", "$id", "$defs")}
    parts = {f"{name}.{part}": schema for part, schema in each.schema.get("$defs", {}).items()}
    return [(key, _moved(schema, name)) for key, schema in ((name, own), *parts.items())]


def _moved(schema: Any, topic: str) -> Any:
    if isinstance(schema, list):
        return [_moved(each, topic) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value, topic) for key, value in schema.items()}
    if isinstance(ref := moved.get("$ref"), str) and ref.startswith(_LOCAL):
        moved["$ref"] = f"#/components/schemas/{topic}.{ref.removeprefix(_LOCAL)}"
    return moved
