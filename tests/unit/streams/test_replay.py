from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from streams.fold import MarketFold, WalletFold
from streams.replay import Record, Replay
from streams.rules.engine import load_rules
from streams.shards.live import Live
from streams.shards.position import decode_position, encode_position
from streams.shards.values import Value
from tests.support.logs import START, WALLET, logs, order
from tests.support.replays import HEADERS, RULES, TOPICS, market_partition, records_of

if TYPE_CHECKING:
    from streams.partitions import Partitions
    from streams.records import Alert
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState
    from tests.support.oracle import Logged

V = TypeVar("V", bound=Value)


class ByHand:
    """The folds alone: each order to its wallet's state and then to its market's, without jobs, ticks or shards."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self._wallets: dict[str, WalletState] = {}
        self._markets: dict[str, MarketState] = {}
        self._clocks: dict[tuple[str, int], int] = {}
        self._errors: dict[tuple[str, int], dict[int, int]] = {}

    def fold(self, log: list[Logged]) -> None:
        """Fold a log."""
        for entry, record in zip(log, records_of(log), strict=True):
            each = entry.order
            clock, errors = self._at("wallet", record.partition, record.timestamp)
            step = WalletFold(RULES).step(
                self._wallets.get(each.user),
                each,
                partition=record.partition,
                offset=record.offset,
                clock=clock,
                source="ws",
                label="whale",
                errors=errors,
            )
            self._wallets[each.user] = step.state
            self._tell(step.alerts)
            if step.forward and each.condition_id is not None:
                number = market_partition(each.condition_id.encode())
                clock, errors = self._at("market", number, record.timestamp)
                folded = MarketFold(RULES).step(
                    self._markets.get(each.condition_id),
                    each,
                    origin=(record.partition, record.offset),
                    clock=clock,
                    source="ws",
                    label="whale",
                    errors=errors,
                )
                self._markets[each.condition_id] = folded.state
                self._tell(folded.alerts)

    def finish(self, at: int) -> None:
        """Let time go on."""
        for wallet, state in self._wallets.items():
            self._tell(WalletFold(RULES).settle(state, wallet, at, {}))
        for market, held in self._markets.items():
            self._tell(MarketFold(RULES).settle(held, market, at, {}))

    def _at(self, scope: str, partition: int, stamp: int) -> tuple[int, dict[int, int]]:
        key = (scope, partition)
        self._clocks[key] = max(self._clocks.get(key, 0), stamp)
        return self._clocks[key], self._errors.setdefault(key, {})

    def _tell(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            self.alerts.setdefault(alert.alert_id, alert)


def restart(side: Partitions[V]) -> None:
    """Put every partition through its encoding, as a worker that takes over does."""
    for number, live in list(side.lives.items()):
        position = decode_position(encode_position(live.position()))
        fresh = Live(number, position, side._due, side.job.no_values())
        for subject in live.values:
            fresh.restore(subject, live.values.encoded(subject) or b"")
        while fresh.schedule_rest() or fresh.values.cool(1):
            pass
        side.lives[number] = fresh


def replayed(log: list[Logged], later: int, restarts: set[int], *, in_time: bool) -> list[Alert]:
    """Return the alerts of a replay that restarts before some of the records."""
    found: list[Alert] = []
    replay = Replay(RULES, TOPICS, found.append, market_partition=market_partition, in_time=in_time)
    for number, record in enumerate(records_of(log)):
        if number in restarts:
            restart(replay._wallets)
            restart(replay._markets)
        replay.feed(record)
    replay.finish(max(entry.append_ms for entry in log) + later)
    return found


@given(
    log=logs(users=4),
    later=st.sampled_from((0, 1, 7_000, 61_000, 301_000, 90_000_000)),
    restarts=st.sets(st.integers(0, 40), max_size=4),
    in_time=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_replay_tells_what_the_folds_tell_however_often_it_restarts(
    log: list[Logged], later: int, restarts: set[int], *, in_time: bool
) -> None:
    """Jobs, deadlines, ticks on copies and restarts change no alert: same ids, same contents, each once."""
    by_hand = ByHand()
    by_hand.fold(log)
    by_hand.finish(max(entry.append_ms for entry in log) + later)
    found = replayed(log, later, restarts, in_time=in_time)
    assert len(found) == len({alert.alert_id for alert in found})
    assert {alert.alert_id: alert for alert in found} == by_hand.alerts


def an_order_at(
    second: int, number: int, *, user: str = WALLET, offset: int = 0, partition: int = 0, usdc: float = 5.0
) -> Record:
    """Return the record of an order that arrived in the second it was executed."""
    made = order(number, at=second, usdc=usdc, user=user)
    stamp = (START + second) * 1_000
    return Record("orders.v1", partition, offset, stamp, wallet_key(user), encode(made), HEADERS)


OTHER = "0x" + "b2" * 20


def test_time_that_a_record_brings_comes_before_what_the_record_tips() -> None:
    """
    One wallet's order lets an alert of another in the same partition resolve, as the worker's ticks do.

        WALLET  buys .. fires ....... resolves at 60 s
        OTHER                                          buys at 90 s .. fires
    """
    rules = load_rules("""
rules:
  - {id: busy, scope: wallet, severity: info, message: m, expr: wallet.w1m.volume >= 5.0}
""")
    found: list[Alert] = []
    replay = Replay(rules, TOPICS, found.append)
    replay.run([an_order_at(0, 1), an_order_at(90, 2, user=OTHER, offset=1)])
    told = [(alert.transition, alert.subject, alert.as_of // 1_000 - START) for alert in found]
    assert told == [("firing", WALLET, 0), ("resolved", WALLET, 60), ("firing", OTHER, 90)]
    replay.finish((START + 149) * 1_000)
    assert len(found) == 3
    replay.finish((START + 150) * 1_000)
    assert [alert.subject for alert in found[3:]] == [OTHER]


def test_bad_records_are_counted_by_what_is_wrong_and_stop_nothing() -> None:
    """Poison is set aside as the worker does; what lies around it is folded."""
    replay = Replay(RULES, TOPICS, lambda _: None)
    good = an_order_at(0, 1)
    replay.run(
        [good, *(good._replace(offset=place, value=value) for place, value in enumerate((b"{", b"[1]", None), 1))]
    )
    replay.run([good._replace(offset=4, key=b"0xelse"), an_order_at(1, 2, offset=5)])
    assert replay.totals.dead.total() == 4
    assert replay.totals.dead["key"] == 1
    assert (replay.totals.orders, replay.totals.forwarded) == (6, 2)


def test_an_order_twice_in_the_topic_is_counted_as_such() -> None:
    """The second one is no order, and is not forwarded."""
    replay = Replay(RULES, TOPICS, lambda _: None)
    replay.run([an_order_at(0, 1), an_order_at(5, 1, offset=1)])
    assert (replay.totals.duplicates, replay.totals.forwarded) == (1, 1)


@given(log=logs(users=4))
@settings(max_examples=30, deadline=None)
def test_a_log_by_market_gives_the_market_alerts_that_were_made_of_it(log: list[Logged]) -> None:
    """Orders by market that are read give what the same orders made up gave; with both fed, nothing is doubled."""
    by_market: list[Record] = []

    class Recording(Replay):
        """Keeps what it makes up."""

        def _absorb_by_market(self, record: Record) -> None:  # type: ignore[override]
            by_market.append(record)
            super()._absorb_by_market(record)

    made_up: list[Alert] = []
    Recording(RULES, TOPICS, made_up.append, market_partition=market_partition).run(records_of(log))
    read: list[Alert] = []
    replay = Replay(RULES, TOPICS, read.append)
    replay.run(records_of(log))
    replay.run(by_market)
    assert {alert.alert_id: alert for alert in read} == {alert.alert_id: alert for alert in made_up}
    assert replay.totals.forwarded == replay.totals.by_market == len(by_market)


def test_a_record_of_another_topic_is_refused() -> None:
    """Silence about it would look like a rule that does not fire."""
    with pytest.raises(ValueError, match=r"topic other: expected orders\.v1"):
        Replay(RULES, TOPICS, lambda _: None).feed(an_order_at(0, 1)._replace(topic="other"))
