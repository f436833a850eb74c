"""The contract of dead notifications, and sizes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec

from streams.notify.batch import Batch, Place, gravest_first
from streams.notify.document import MOST_MAX_ALERTS
from streams.notify.group import MOST_FIRING, Group
from streams.notify.records import DeadNotification, GroupMemory, decode, encode, named
from streams.notify.routes import Route
from streams.notify.targets import Target
from tests.support.alerts import alert

KAFKA_TAKES = 1 << 20


def load(folder: str) -> Any:
    """Return the checked-in schema or examples."""
    return json.loads(files("streams").joinpath(folder, "notifications-dead.v1.json").read_text())


def test_every_example_follows_its_schema_and_is_what_the_codec_writes() -> None:
    """Examples are promises: valid, and unchanged by reading and writing."""
    schema = load("schemas")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for example in load("examples"):
        validator.validate(example)
        assert json.loads(encode(decode(DeadNotification, json.dumps(example).encode()))) == example


def test_the_schema_names_exactly_the_fields_of_the_record() -> None:
    """A field added to one without the other fails here."""
    schema = load("schemas")
    names = {field.name for field in msgspec.structs.fields(DeadNotification)}
    assert set(schema["properties"]) == set(schema["required"]) == names


def test_the_largest_group_fits_into_a_record() -> None:
    """Texts of four bytes a character, as many alerts as can be named, all of them going on."""
    target = Target(name="x/1", receiver="x", address="json://x", most_named=MOST_MAX_ALERTS)
    group = Group(target, Route(receiver="x"), {})
    wide = "\U0001f600" * 5_000
    for number in range(MOST_FIRING + 10):
        told = named(alert(str(number), message=wide, reason=wide, labels={wide: wide}, rule=wide))
        group.add(told, Place(0, number), 0)
        group.begins(told, 0)
    notification = group.take(10**9)
    memory = encode(group.memory())
    assert len(memory) < KAFKA_TAKES
    assert decode(GroupMemory, memory) == group.memory()
    letter = DeadNotification(reason="refused", detail=wide[:1_000], notification=notification, body=wide, at=0)
    assert len(encode(letter)) < KAFKA_TAKES


def test_the_gravest_are_named_and_all_are_counted() -> None:
    """Also where an id is no hash, and a severity comes late."""
    batch = Batch(3)
    severities = ["info", "warning", "info", "critical", "info", "warning"]
    for offset, severity in enumerate(severities):
        batch.add(named(alert(str(offset), severity=severity, alert_id=f"é{offset}")), Place(offset % 2, offset))
    assert [each.severity for each in gravest_first(batch.named)] == ["critical", "warning", "warning"]
    assert (batch.counts.total, batch.counts.info, batch.counts.firing) == (6, 3, 6)
    assert batch.offsets == {0: (0, 4), 1: (1, 5)}
