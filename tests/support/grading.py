"""
A wallet and a market partition without Kafka, and brute force: what the grades of alerts must be.

The oracle shares no code with `streams`; only the definitions are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from connector.contract.keys import wallet_key
from connector.contract.record import decode_order, encode
from streams.effects import Effects, Topics
from streams.fold import MarketFold, WalletFold
from streams.jobs import MarketJob, WalletJob
from streams.records import read_origin
from streams.replay import Record
from streams.shards.live import Live
from streams.shards.position import START, decode_position, encode_position
from streams.stats.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from streams.grader import Horizon
    from streams.rules.interface import Rules
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState
    from tests.support.oracle import Logged

TOPICS = Topics("")
FRESH_MS = 15 * 60 * 1_000

Value = dict[str, Any]
"""A decoded record."""


class Told:
    """Alerts and grades that were sent, in order."""

    def __init__(self) -> None:
        self.alerts: list[Value] = []
        self.grades: list[Value] = []
        self.scores: dict[bytes | None, bytes] = {}
        """The last record of each key."""

    def take(self, effects: Effects) -> None:
        """Take the urgent records of some effects."""
        for output in effects.take_urgent():
            value = msgspec.json.decode(output.value)
            if output.topic == TOPICS.alert_grades:
                assert output.key == value["rule"].encode()
                self.grades.append(value)
            elif output.topic == TOPICS.rule_scores:
                self.scores[output.key] = output.value
            else:
                assert output.topic in {TOPICS.alerts, TOPICS.alerts_shadow}, value
                self.alerts.append(value)


def by_market(log: Iterable[Logged], rules: Rules, told: Told, lags: Sequence[int]) -> list[Record]:
    """Fold a log of orders by wallet; return the records that it makes for the markets, each `lag` ms later."""
    job = WalletJob(WalletFold(rules), TOPICS, lambda _: 0)
    live: Live[WalletState] = Live(0, START, job.due)
    effects, records = Effects(admitted_ns=0), list[Record]()
    for entry in log:
        value, key = encode(entry.order), wallet_key(entry.order.user)
        job.absorb(live, Record(TOPICS.orders, 0, entry.offset, entry.append_ms, key, value, ()), effects)
        told.take(effects)
        for (topic, partition), items in effects.take_bulk().items():
            for market, order, headers in items:
                offset = len(records)
                stamp = entry.append_ms + lags[offset % len(lags)]
                records.append(Record(topic, partition, offset, stamp, market, order, headers))
    return records


class Markets:
    """The market partition, which may be remembered, and killed."""

    def __init__(self, rules: Rules, horizons: Sequence[Horizon], told: Told) -> None:
        self.job = MarketJob(MarketFold(rules, horizons), TOPICS)
        self.told = told
        self.live: Live[MarketState] = Live(0, START, self.job.due)
        self._remembered: dict[str, bytes] = {}
        self._scores: dict[str, bytes] = {}
        self._position = encode_position(START)
        self._effects = Effects(admitted_ns=0)

    def absorb(self, record: Record) -> None:
        """Fold one record."""
        self.job.absorb(self.live, record, self._effects)
        self.live.offset = record.offset
        self.told.take(self._effects)

    def tick(self, at: int) -> None:
        """Look at the time, as a session does when it publishes statistics."""
        at = max(at, self.live.clock)
        for subject in self.live.expire(at):
            self.job.tick(self.live, subject, at, self._effects)
        self.told.take(self._effects)
        for subject in self.live.unpublished:
            self.live.schedule(subject, at)
        self.live.unpublished.clear()

    def remember(self) -> None:
        """Keep what a crash cannot take."""
        for subject in self.live.unremembered:
            self._remembered[subject] = self.live.values[subject].encode()
        self.live.unremembered.clear()
        for group in self.live.unremembered_scores:
            self._scores[group] = self.live.scores[group].encode()
        self.live.unremembered_scores.clear()
        self._position = encode_position(self.live.position())

    def crash(self) -> int:
        """Go back to what was remembered; return the offset to go on with."""
        self.live = Live(0, decode_position(self._position), self.job.due)
        for subject, value in self._remembered.items():
            self.live.values[subject] = self.job.decode_state(value)
            self.live.schedule(subject, self.live.clock)
        self.live.scores = {group: Tally.decode(value) for group, value in self._scores.items()}
        return self.live.offset + 1


class _Fill(NamedTuple):
    at_ms: int
    """The market's clock when it came."""
    value: Value
    time_s: int


def expected(
    records: Iterable[Record], alerts: Iterable[Value], clocks: Mapping[str, int], horizons: Mapping[str, int]
) -> dict[tuple[str, str], Value]:
    """
    Return what matters of every grade, by alert id and horizon.

    `clocks` is the wallet partition's clock at each order, by event id; `horizons` are milliseconds by name.
    """
    grades: dict[tuple[str, str], Value] = {}
    markets: dict[bytes | None, dict[tuple[int, int], _Fill]] = {}
    clock = 0
    arrivals: list[_Fill] = []
    for record in records:
        clock = max(clock, record.timestamp)
        value = msgspec.to_builtins(decode_order(record.value or b""))
        fills = markets.setdefault(record.key, {})
        origin = read_origin(record.headers)
        if origin not in fills:
            fills[origin] = _Fill(clock, value, min(value["timestamp"], clock // 1_000))
            arrivals.append(fills[origin])
    for arrived in arrivals:
        order = arrived.value
        fills = markets[order["condition_id"].encode()]
        for alert in alerts:
            directly = arrived.at_ms if alert["scope"] == "market" else clocks[order["event_id"]]
            if alert["orders"][0]["event_id"] != order["event_id"] or alert["as_of"] != directly:
                continue  # of another order, or told by time
            if alert["transition"] == "resolved":
                continue
            for name, due in _dues(alert, order, horizons).items():
                grades[alert["alert_id"], name] = _grade(arrived, due, fills.values())
    return grades


def _dues(alert: Value, order: Value, horizons: Mapping[str, int]) -> dict[str, int]:
    dues = {name: alert["as_of"] + after for name, after in horizons.items()}
    *_, length, start = (order["market_slug"] or "x").split("-")[-2:] if order["market_slug"] else ("", "")
    if length.endswith("m"):
        end = (int(start) + 60 * int(length[:-1])) * 1_000
        if alert["as_of"] < end <= alert["as_of"] + 30 * 86_400_000:
            dues["end"] = end
    return dues


def _grade(arrived: _Fill, due: int, fills: Iterable[_Fill]) -> Value:
    then, side = arrived.value["price"], arrived.value["side"]
    grade = {"due": due, "price_then": then, "price_now": None, "return": None, "price_source": None, "side": side}
    if due <= arrived.at_ms:
        return grade | {"state": "ungraded", "reason": "late"}
    known = [fill for fill in fills if fill.value["token_id"] == arrived.value["token_id"] and fill.at_ms < due]
    last = max(known, key=_on_chain)
    if not due - FRESH_MS < last.time_s * 1_000 <= due:
        return grade | {"state": "ungraded", "reason": "no-fill"}
    now = last.value["price"]
    change = (now - then) / then
    return grade | {
        "state": "graded",
        "reason": None,
        "price_now": now,
        "return": change if side == "BUY" else -change,
        "price_source": {"event_id": last.value["event_id"], "timestamp": last.time_s},
    }


def _on_chain(fill: _Fill) -> tuple[int, int, int, str]:
    block, index = fill.value["block_number"], fill.value["log_index"]
    return fill.time_s, -1 if block is None else block, -1 if index is None else index, fill.value["event_id"]
