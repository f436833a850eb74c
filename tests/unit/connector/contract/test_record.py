from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import (
    MAX_RAW,
    DeadRecord,
    OrderRecord,
    dead_record,
    decode_dead,
    decode_order,
    encode,
    order_record,
)
from tests.support.orders import order_data, orders_data

CONTRACT = files("connector.contract")
WS = Provenance(source="ws", provider="dome", received_ns=1, subscription_id="sub_1")


def load(folder: str, topic: str) -> Any:
    """Return a checked-in schema or list of examples."""
    return json.loads((CONTRACT / folder / f"{topic}.json").read_text("utf-8"))


def validator(topic: str) -> jsonschema.Draft202012Validator:
    """Return a topic's schema, itself checked."""
    schema = load("schemas", topic)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


ORDERS = validator("orders.v1")
DEAD = validator("orders-dead.v1")


def record_of(data: dict[str, Any], occurrence: int = 0) -> OrderRecord:
    """Return the record of a provider's JSON object."""
    order = parse_order(data)
    return order_record(order, content_id(order), occurrence)


@given(orders_data(), st.integers(0, 99))
def test_orders_survive_the_codec_and_follow_the_schema(data: dict[str, Any], occurrence: int) -> None:
    """Whatever is read can be written, obeys the published schema, and reads back equal."""
    record = record_of(data, occurrence)
    value = encode(record)
    ORDERS.validate(json.loads(value))
    assert decode_order(value) == record


@given(st.binary(max_size=200), st.text(max_size=50), st.none() | st.text(max_size=10))
def test_dead_letters_survive_the_codec_and_follow_the_schema(raw: bytes, detail: str, field: str | None) -> None:
    """Any bytes can be buried and dug up again."""
    record = dead_record(raw, reason="bad-json", detail=detail, field=field, provenance=WS)
    value = encode(record)
    DEAD.validate(json.loads(value))
    assert decode_dead(value) == record
    assert base64.b64decode(record.raw) == raw
    assert record.size is None


def test_a_huge_dead_letter_is_cut_and_says_so() -> None:
    """The record stays below Kafka's limit of 1 MiB, and the true size is on it."""
    record = dead_record(b"x" * 3_000_000, reason="too-large", detail="", provenance=WS)
    value = encode(record)
    DEAD.validate(json.loads(value))
    assert len(value) < 1_000_000
    assert record.size == 3_000_000
    assert base64.b64decode(record.raw) == b"x" * MAX_RAW


@pytest.mark.parametrize("example", load("examples", "orders.v1"), ids=lambda example: example["about"])
def test_order_examples(example: dict[str, Any]) -> None:
    """Each example is what the real codec makes of what was received, and follows the schema."""
    value = encode(record_of(example["received"], example["occurrence"]))
    assert json.loads(value) == example["value"]
    ORDERS.validate(example["value"])


@pytest.mark.parametrize("example", load("examples", "orders-dead.v1"), ids=lambda example: example["about"])
def test_dead_examples(example: dict[str, Any]) -> None:
    """Each example is what the real codec writes, and holds the bytes received."""
    value = example["value"]
    DEAD.validate(value)
    assert json.loads(encode(decode_dead(json.dumps(value).encode()))) == value
    assert base64.b64decode(value["raw"]).decode() == example["received"]


@pytest.mark.parametrize(("topic", "record"), [("orders.v1", OrderRecord), ("orders-dead.v1", DeadRecord)])
def test_schemas_name_exactly_the_fields_of_the_records(topic: str, record: type[msgspec.Struct]) -> None:
    """A field added to a record without its schema, or the other way round, fails here."""
    fields = {field.encode_name for field in msgspec.structs.fields(record)}
    schema = load("schemas", topic)
    assert set(schema["properties"]) == set(schema["required"]) == fields


@pytest.mark.parametrize(
    "changes",
    [{"schema": 2}, {"event_id": None}, {"shares": "6"}, {"side": "HOLD"}, {"user": 7}],
)
def test_a_record_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    """Another schema version or a mistyped field is an InvalidRecord, not a surprise further on."""
    value = json.loads(encode(record_of(order_data()))) | changes
    with pytest.raises(InvalidRecord):
        decode_order(json.dumps(value).encode())


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[]", b"null"])
def test_bytes_that_are_no_record_are_refused(value: bytes) -> None:
    """Both readers say so in the contract's own error."""
    with pytest.raises(InvalidRecord):
        decode_order(value)
    with pytest.raises(InvalidRecord):
        decode_dead(value)


def test_readers_ignore_fields_they_do_not_know() -> None:
    """A field added later breaks no reader of today."""
    value = json.loads(encode(record_of(order_data()))) | {"added_later": 1}
    assert decode_order(json.dumps(value).encode()).event_id == value["event_id"]
