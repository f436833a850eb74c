"""Records about the watch itself: the watch-list, coverage and gaps."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, get_args

import jsonschema
import msgspec
import pytest

from connector.contract.coverage import CoverageRecord, OpenGap, Standing, decode_coverage
from connector.contract.errors import InvalidRecord
from connector.contract.gap import Cause, GapRecord, GapState, decode_gap
from connector.contract.record import encode
from connector.contract.watch import WatchRecord, decode_watch

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACT = files("connector.contract")
DECODERS: dict[str, Callable[[bytes], msgspec.Struct]] = {
    "watchlist.v1": decode_watch,
    "coverage.v1": decode_coverage,
    "gaps.v1": decode_gap,
}
RECORDS: dict[str, type[msgspec.Struct]] = {
    "watchlist.v1": WatchRecord,
    "coverage.v1": CoverageRecord,
    "gaps.v1": GapRecord,
}


def load(folder: str, topic: str) -> Any:
    """Return a checked-in schema or list of examples."""
    return json.loads((CONTRACT / folder / f"{topic}.json").read_text("utf-8"))


EXAMPLES = [(topic, example) for topic in DECODERS for example in load("examples", topic)]


@pytest.mark.parametrize(("topic", "example"), EXAMPLES, ids=[example["about"] for _, example in EXAMPLES])
def test_examples(topic: str, example: dict[str, Any]) -> None:
    """Each example follows its schema, and the real codec reads it and writes it again."""
    schema = load("schemas", topic)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example["value"], schema)
    record = DECODERS[topic](json.dumps(example["value"]).encode())
    assert json.loads(encode(record)) == example.get("read", example["value"])


@pytest.mark.parametrize("topic", DECODERS)
def test_schemas_name_exactly_the_fields_of_the_records(topic: str) -> None:
    """Fields, and which of them a reader may count on; those of the watch-list come from anybody."""
    fields = msgspec.structs.fields(RECORDS[topic])
    schema = load("schemas", topic)
    assert set(schema["properties"]) == {field.encode_name for field in fields}
    if topic == "watchlist.v1":
        assert set(schema["required"]) == {field.encode_name for field in fields if field.required}
    else:
        assert set(schema["required"]) == set(schema["properties"])


def test_schemas_name_exactly_the_known_words() -> None:
    """A new cause, state or standing without its schema fails here, and so does one without its explanation."""
    coverage, gaps = load("schemas", "coverage.v1"), load("schemas", "gaps.v1")
    assert coverage["properties"]["standing"]["enum"] == list(get_args(Standing))
    assert gaps["properties"]["state"]["enum"] == list(get_args(GapState))
    assert gaps["properties"]["cause"]["enum"] == list(get_args(Cause))
    for field in ("state", "cause"):
        assert all(word in gaps["properties"][field]["description"] for word in gaps["properties"][field]["enum"])
    gap = coverage["$defs"]["gap"]
    assert gap["properties"]["cause"]["enum"] == list(get_args(Cause))
    assert set(gap["properties"]) == set(gap["required"]) == {f.encode_name for f in msgspec.structs.fields(OpenGap)}


@pytest.mark.parametrize("topic", DECODERS)
@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[]", b"null", b'{"wallet":7}', b'{"schema":2}'])
def test_what_is_no_record_is_refused(topic: str, value: bytes) -> None:
    """Each reader says so in the contract's own error."""
    with pytest.raises(InvalidRecord):
        DECODERS[topic](value)
