"""The topics that are a contract, with what a consumer has to know of each beside its schema."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final, Literal

import msgspec
import orjson

from connector.contract.topics import CONNECTOR_TOPICS, TopicSpec
from streams.topics import STREAMS_TOPICS


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a topic."""

    repeats: str
    """What tells a repetition, or which of several records counts."""
    order: str
    tombstone: str = ""
    """What a record without value means; empty: there are none."""
    written_by: Literal["us", "anybody"] = "us"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of the contract."""

    topic: TopicSpec
    reading: Reading
    schema: dict[str, Any]
    examples: list[Any]


HEADERS: Final = {
    "source": "How the order came: ws (socket), backfill (REST) or replay (of a dead letter).",
    "provider": "Who sent it.",
    "received_ns": "When its bytes left the socket. Unix nanoseconds, in decimal.",
    "published_ns": "When the record was handed to the producer. Unix nanoseconds, in decimal.",
    "subscription_id": "The provider's id of the subscription that brought it.",
    "gap_id": "The gap of the wallet that was open at the time, see gaps.v1; absent: coverage was complete.",
    "label": "The wallet's label on the watch-list at the time.",
    "order_published_ns": "published_ns of the order that caused this record.",
    "admitted_ns": "When a worker took that order up. Unix nanoseconds, in decimal.",
}
_OF_ORDERS: Final = ("source", "provider", "received_ns", "published_ns", "subscription_id", "gap_id", "label")
_OF_ALERTS: Final = ("received_ns", "order_published_ns", "admitted_ns", "published_ns")
HEADERS_OF: Final = {"orders.v1": _OF_ORDERS, "alerts.v1": _OF_ALERTS, "alerts-shadow.v1": _OF_ALERTS}
"""Headers that may be there; readers do without any of them."""

_ARRIVAL: Final = "Per key, of arrival. Back-filled orders come late: order by timestamp where it matters."
_LATEST: Final = "The latest record of a key counts."
READINGS: Final = {
    "orders.v1": Reading(repeats="Drop a second record with the same event_id.", order=_ARRIVAL),
    "orders-dead.v1": Reading(repeats="The same bytes may come again after a restart.", order="None is promised."),
    "watchlist.v1": Reading(repeats=_LATEST, order="Per key.", tombstone="Ends the watch.", written_by="anybody"),
    "coverage.v1": Reading(repeats="Of a wallet the record with the highest at_ms counts.", order="Per key.",
                           tombstone="The wallet is watched no more."),
    "gaps.v1": Reading(repeats="Of a gap_id the last record counts.", order="Per gap."),
    "wallet-stats.v1": Reading(repeats="Ignore a lower as_of_offset, and an equal one with a lower as_of.",
                               order="Per key."),
    "market-stats.v1": Reading(repeats="Ignore a lower as_of_offset, and an equal one with a lower as_of.",
                               order="Per key."),
    "alerts.v1": Reading(repeats="Drop a second record with the same alert_id.",
                         order="Per fingerprint. Leave out what silenced_by says nobody wants."),
    "alerts-shadow.v1": Reading(repeats="Drop a second record with the same alert_id.", order="Per fingerprint."),
    "rules.v1": Reading(repeats=_LATEST, order="Per key; records of one batch take effect at once.",
                        tombstone="Takes the rule or silence away.", written_by="anybody"),
    "alert-grades.v1": Reading(repeats="Of a grade_id the first record counts.", order="None is promised."),
    "rule-scores.v1": Reading(repeats="The latest record of a key counts; add the partitions up.", order="Per key."),
    "notifications-dead.v1": Reading(repeats="The same notification may come again after a restart: its key tells.",
                                     order="None is promised."),
}  # fmt: skip
_SCHEMA_OF: Final = {"alerts-shadow.v1": "alerts.v1"}
"""Topics that share another one's schema."""


def published() -> list[Published]:
    """Return every topic that is a contract, those of the connector first."""
    return [
        Published(topic=spec, reading=READINGS[spec.name], schema=_load(spec, "schemas"), examples=_examples(spec))
        for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS)
        if not spec.internal
    ]


def _examples(spec: TopicSpec) -> list[Any]:
    found = _load(spec, "examples")
    return found if isinstance(found, list) else [found]


def _load(spec: TopicSpec, kind: str) -> Any:
    package = "connector.contract" if spec.owner == "connector" else "streams"
    name = _SCHEMA_OF.get(spec.name, spec.name)
    return orjson.loads(resources.files(package).joinpath(kind, f"{name}.json").read_bytes())
