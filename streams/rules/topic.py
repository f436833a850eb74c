"""
Records of `rules.v1`: how rules and silences are written there, and read.

    key ID              {"kind": "rule", "schema": 1, "rule": {...}}         the version in force
    key ID@shadow       the same, mode SHADOW                                a version on trial beside it
    key silence:ID      {"kind": "silence", "schema": 1, "silence": {...}}

The rule is as in a document, see `streams.rules.document`. A tombstone takes away what the key stands for.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from connector.contract import codec
from connector.contract.errors import InvalidRecord
from streams.durations import format_duration
from streams.rules.active import Active, activate
from streams.rules.document import FIELDS, read_document
from streams.rules.rule import Rule, Selectors
from streams.rules.silence import Silence

RULES_SCHEMA: Final = 1
SHADOW: Final = "@shadow"
SILENCE: Final = "silence:"


class RuleRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rule"):
    """A rule, as in a document."""

    schema: Literal[1] = RULES_SCHEMA
    rule: dict[str, Any]


class SilenceRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="silence"):
    """A silence."""

    schema: Literal[1] = RULES_SCHEMA
    silence: Silence


class _Versioned(msgspec.Struct):
    schema: int


_versions = msgspec.json.Decoder(_Versioned)
_records: msgspec.json.Decoder[RuleRecord | SilenceRecord] = msgspec.json.Decoder(RuleRecord | SilenceRecord)


def rule_name(rule: Rule) -> str:
    """Return the key of a rule that is the version in force of its id."""
    return rule.id


def shadow_name(rule_id: str) -> str:
    """Return the key of the version on trial beside a rule."""
    return rule_id + SHADOW


def silence_name(silence_id: str) -> str:
    """Return the key of a silence."""
    return SILENCE + silence_id


def encode_rule(rule: Rule) -> bytes:
    """Return the value of a rule's record."""
    return codec.encode(RuleRecord(rule=as_document(rule)))


def encode_silence(silence: Silence) -> bytes:
    """Return the value of a silence's record."""
    return codec.encode(SilenceRecord(silence=silence))


def decode(name: str, value: bytes) -> Active | Silence:
    """
    Read a record; `name` is its key.

    Raises:
        InvalidRecord: no JSON, another schema, a rule that does not compile, or the key of something else.
    """
    try:
        version = codec.decode(_versions, value).schema
        if version > RULES_SCHEMA:
            raise InvalidRecord(f"schema {version} is newer than {RULES_SCHEMA}, which is known here: upgrade")
        record = codec.decode(_records, value)
        return _silence(name, record.silence) if isinstance(record, SilenceRecord) else _rule(name, record.rule)
    except RecursionError:
        raise InvalidRecord("is nested too deeply") from None


def _silence(name: str, silence: Silence) -> Silence:
    _require(name, silence_name(silence.id), "the silence's id")
    if not silence.matchers:
        raise InvalidRecord("matchers: a silence without any matches nothing")
    return silence


def _rule(name: str, document: dict[str, Any]) -> Active:
    written, faults = read_document(msgspec.json.encode({"rules": [document]}).decode())
    active = activate(written[0], faults) if written and not faults else None
    if active is None:
        raise InvalidRecord("; ".join(fault.text for fault in faults))
    shadow = name.endswith(SHADOW)
    _require(name, shadow_name(active.rule.id) if shadow else rule_name(active.rule), "the rule's id")
    if shadow and not active.rule.is_shadow:
        raise InvalidRecord(f"mode: expected SHADOW under a key that ends in {SHADOW}, got {active.rule.mode}")
    return active


def _require(name: str, expected: str, what: str) -> None:
    if name != expected:
        raise InvalidRecord(f"key: expected {expected!r} after {what}, found {name!r}")


def as_document(rule: Rule) -> dict[str, Any]:
    """Return a rule's fields as they are written in a document, without those that are as by default."""
    defaults = {field.name: _default(field) for kind in (Rule, Selectors) for field in msgspec.structs.fields(kind)}
    document = {}
    for key, field in FIELDS.items():
        value = getattr(rule.select if field in Selectors.__struct_fields__ else rule, field)
        if value != defaults[field]:
            document[key] = format_duration(value) if field.endswith("_ms") else value
    return document


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
