"""Whether a contestant did the whole job: its last statistics and its alerts against the pure fold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from connector.kafka.reader import read_all
from streams.topics import ALERTS, WALLET_STATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.bench.rivals.expected import Alert, Expected

_SHOWN = 5


class Different(Exception):
    """A contestant came to something else than the fold: its figures mean nothing."""


class Verification(NamedTuple):
    """What a contestant published."""

    statistics: int
    """Records."""
    wallets: int
    alerts: int
    repeated: int
    """Alerts that were told more than once."""
    differences: tuple[str, ...]
    """The first of them."""

    @property
    def ok(self) -> bool:
        """Whether it did the whole job."""
        return not self.differences


async def verify(kafka: str, prefix: str, expected: Expected) -> Verification:
    """
    Compare a contestant's topics with what is expected.

    Raises:
        Different: with the first differences.
    """
    statistics, alerts = [
        [(record.key, record.value) for record in await read_all(kafka, prefix + spec.name)]
        for spec in (WALLET_STATS, ALERTS)
    ]
    found = compare(expected, statistics, alerts)
    if not found.ok:
        raise Different(f"{prefix} did not do the whole job:\n" + "\n".join(found.differences))
    return found


def compare(
    expected: Expected, statistics: Iterable[tuple[bytes | None, bytes]], alerts: Iterable[tuple[bytes | None, bytes]]
) -> Verification:
    """Compare keys and values of both topics, in order, with what is expected."""
    last: dict[str, dict[str, Any]] = {}
    count = 0
    for key, value in statistics:
        last[(key or b"").decode()] = orjson.loads(value)
        count += 1
    told = Counter(alert for _, value in alerts for alert in fired(orjson.loads(value)))
    differences = [*_of_statistics(expected, last), *_of_alerts(expected.alerts, set(told))]
    repeated = sum(times - 1 for times in told.values())
    return Verification(count, len(last), len(told), repeated, tuple(differences[:_SHOWN]))


def fired(alert: dict[str, Any]) -> Iterator[Alert]:
    """Yield rule and tipping order of a record of alerts, ours or a rival's, if it began to fire."""
    if alert.get("transition", "firing") == "firing":
        yield alert["rule"], alert["event_id"] if "event_id" in alert else alert["orders"][0]["event_id"]


def _of_statistics(expected: Expected, last: dict[str, dict[str, Any]]) -> Iterator[str]:
    for wallet in expected.wallets:
        if wallet not in last:
            yield f"{wallet}: no statistics"
        else:
            yield from _of_record(expected, wallet, last[wallet])
    for wallet in last.keys() - expected.wallets.keys():
        yield f"{wallet}: statistics of a wallet that has no order"


def _of_record(expected: Expected, wallet: str, record: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the last record of a wallet: out of date, or not what the fold says."""
    state, partition, offset = expected.wallets[wallet]
    clocks = expected.clocks[partition]
    at, as_of_offset = record["as_of"], record["as_of_offset"]
    if not offset <= as_of_offset < len(clocks):
        yield f"{wallet}: as of offset {as_of_offset}, its last order is at {offset} of {len(clocks)}"
    elif at < clocks[as_of_offset]:
        yield f"{wallet}: as of {at}, when the log's clock was {clocks[as_of_offset]} already"
    else:
        wanted = expected.statistics(wallet, at=at, as_of_offset=as_of_offset)
        if record != wanted:
            fields = [field for field in wanted if record.get(field) != wanted[field]]
            yield f"{wallet}: " + "; ".join(f"{each} is {record.get(each)}, not {wanted[each]}" for each in fields)
        elif state.view(at) != state.view(max(at, clocks[-1])):
            yield f"{wallet}: as of {at}, and its windows went on to decay until {clocks[-1]}"


def _of_alerts(expected: set[Alert], told: set[Alert]) -> Iterator[str]:
    for rule, order in sorted(expected - told):
        yield f"{rule} did not fire at {order}"
    for rule, order in sorted(told - expected):
        yield f"{rule} fired at {order}, and should not have"
