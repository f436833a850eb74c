from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.rules.active import Active
from streams.rules.document import FIELDS, read_document
from streams.rules.rule import Rule, Selectors
from streams.rules.silence import Silence
from streams.rules.topic import as_document, decode, encode_rule, encode_silence, silence_name
from streams.topics import RULES
from tests.support.rules_log import RULE, document


def load(folder: str) -> Any:
    """Return the checked-in schema or examples."""
    return json.loads(files("streams").joinpath(folder, "rules.v1.json").read_text())


SCHEMA = load("schemas")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
MILLISECONDS = st.integers(0, 10**9 - 1) | st.integers(0, 10_000).map(lambda days: days * 86_400_000)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Return rules with any fields that a document can hold."""
    return Rule(
        id=draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)),
        scope="wallet",
        severity=draw(st.sampled_from(["info", "warning", "critical"])),
        expr=draw(TEXTS),
        message=draw(TEXTS),
        for_ms=draw(MILLISECONDS),
        until=draw(st.none() | TEXTS),
        keep_firing_for_ms=draw(MILLISECONDS),
        escalate=draw(st.none() | TEXTS),
        group_by=tuple(draw(st.lists(TEXTS, max_size=2, unique=True))),
        cooldown_ms=draw(MILLISECONDS),
        max_age_ms=draw(MILLISECONDS),
        warmup_ms=draw(MILLISECONDS),
        select=Selectors(
            wallets=tuple(draw(st.lists(st.from_regex(r"0x[0-9a-f]{40}", fullmatch=True), max_size=2, unique=True))),
            wallet_labels=tuple(draw(st.lists(TEXTS, max_size=2, unique=True))),
            markets=tuple(draw(st.lists(TEXTS.map(str.lower), max_size=2, unique=True))),
        ),
        labels=draw(st.dictionaries(TEXTS, TEXTS, max_size=2)),
        mode=draw(st.sampled_from(["ACTIVE", "SHADOW", "PAUSED"])),
    )


@given(rules())
def test_a_rule_survives_the_topic_with_its_hash(rule: Rule) -> None:
    """What a document says is what the topic says, for any rule, and by the schema."""
    record = json.loads(encode_rule(rule))
    VALIDATOR.validate(record)
    (written,), faults = read_document(json.dumps({"rules": [record["rule"]]}, ensure_ascii=False))
    assert (faults, written.rule, written.rule.hash) == ([], rule, rule.hash)


def test_what_is_as_by_default_is_not_written() -> None:
    """A default that changes with the version would otherwise be frozen on the topic."""
    (written,), _ = read_document(document({}))
    assert as_document(written.rule) == RULE


@pytest.mark.parametrize("example", load("examples"), ids=lambda each: each["kind"])
def test_every_example_follows_the_schema_and_is_what_the_codec_writes(example: dict[str, Any]) -> None:
    """Examples are promises: valid, and unchanged by reading and writing."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(example)
    value = json.dumps(example).encode()
    if example["kind"] == "silence":
        found = decode(silence_name(example["silence"]["id"]), value)
        assert isinstance(found, Silence)
        assert json.loads(encode_silence(found)) == example
    else:
        found = decode(example["rule"]["id"], value)
        assert isinstance(found, Active)
        assert json.loads(encode_rule(found.rule)) == example


def test_the_schema_names_exactly_the_fields_of_rules_and_silences() -> None:
    """A field added to a rule without its schema, or the other way round, fails here."""
    assert set(SCHEMA["$defs"]["rule"]["properties"]) == set(FIELDS)
    assert set(SCHEMA["$defs"]["silence"]["properties"]) == set(Silence.__struct_fields__)


BAD: dict[str, tuple[str, bytes, str]] = {
    "no JSON": ("a", b"{", "truncated"),
    "no UTF-8": ("a", b'{"schema": 1, "kind": "\xff"}', "UTF-8|utf-8|invalid"),
    "no object": ("a", b"[]", "Expected `object`"),
    "newer schema": ("a", b'{"kind": "rule", "schema": 2, "rule": 7}', "schema 2 is newer than 1.*upgrade"),
    "unknown kind": ("a", b'{"kind": "x", "schema": 1}', "kind"),
    "no rule": ("a", b'{"kind": "rule", "schema": 1}', "rule"),
    "a field missing": ("a", b'{"kind": "rule", "schema": 1, "rule": {"id": "a"}}', "scope is missing; severity"),
    "deep": ("a", b'{"kind": "rule", "schema": 1, "rule": {"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "deep"),
    "deep for YAML": ("a", b'{"kind": "rule", "schema": 1, "rule": {"id": ' + b"[" * 400 + b"]" * 400 + b"}}", ""),
    "NUL": ("a", json.dumps({"kind": "rule", "schema": 1, "rule": RULE | {"message": "\x7f"}}).encode(), "no YAML"),
    "no matchers": (
        "silence:s",
        b'{"kind": "silence", "schema": 1, "silence": {"id": "s", "until_ms": 1, "matchers": {}}}',
        "matchers",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_refused_by_name(case: str) -> None:
    """Whatever somebody writes, it is an InvalidRecord that says why."""
    name, value, why = BAD[case]
    with pytest.raises(InvalidRecord, match=f"(?s){why}"):
        decode(name, value)


@pytest.mark.parametrize(
    ("key", "fields", "why"),
    [
        ("b", {}, "key: expected 'a'"),
        ("b@shadow", {"mode": "SHADOW"}, "key: expected 'a@shadow'"),
        ("a@shadow", {}, "mode: expected SHADOW"),
        ("silence:a", {}, "key: expected 'a'"),
        ("a", {"expr": "order.prize > 0.5"}, "did you mean order.price"),
        ("a", {"expr": "order.price"}, "expected a condition"),
        ("a", {"colour": "red"}, "unknown key colour"),
    ],
)
def test_a_rule_under_a_wrong_key_or_that_does_not_compile_is_refused(
    key: str, fields: dict[str, str], why: str
) -> None:
    """The fault is the document's own, as `rules check` has it."""
    value = json.dumps({"kind": "rule", "schema": 1, "rule": RULE | fields}).encode()
    with pytest.raises(InvalidRecord, match=f"(?s){why}"):
        decode(key, value)


@given(
    st.binary(max_size=40) | st.recursive(st.none() | st.text(), st.lists).map(lambda each: json.dumps(each).encode())
)
def test_arbitrary_bytes_are_refused_and_nothing_else(value: bytes) -> None:
    """No value makes a worker fall over."""
    with pytest.raises(InvalidRecord):
        decode("a", value)


def test_the_topic_keeps_order_and_a_day_of_former_versions() -> None:
    """One partition, the broker's time, and compaction that waits for those who fold the last day again."""
    assert RULES.partitions == 1
    assert RULES.config() == {
        "cleanup.policy": "compact",
        "message.timestamp.type": "LogAppendTime",
        "min.compaction.lag.ms": "86400000",
    }
