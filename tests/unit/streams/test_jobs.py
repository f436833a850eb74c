from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest

from connector.contract.identity import content_id
from connector.contract.order import Order
from connector.contract.record import OrderRecord, decode_dead, encode, order_record
from streams.effects import Effects, Headers, Topics
from streams.fold import MarketFold, WalletFold
from streams.jobs import MarketJob, WalletJob
from streams.records import Alert, MarketStats, WalletStats, decode, origin_headers, read_origin
from streams.replay import Record
from streams.rules.engine import load_rules
from streams.shards.live import Live
from streams.shards.position import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.jobs import Job
    from streams.rules.engine import Engine
    from streams.rules.interface import Rules
    from streams.shards.values import Value

WALLET = "0x" + "ab" * 20
MARKET = "0x" + "cd" * 32
PROVENANCE: Headers = [
    ("source", b"ws"),
    ("provider", b"dome"),
    ("received_ns", b"5"),
    ("published_ns", b"6"),
]


def an_order(condition_id: str | None = MARKET, tx: int = 1, timestamp: int = 1_700_000_000) -> OrderRecord:
    """Return an order of one wallet."""
    order = Order(
        user=WALLET,
        token_id="7",
        side="BUY",
        shares=2_000_000,
        price=0.5,
        tx_hash=f"0x{tx:064x}",
        timestamp=timestamp,
        condition_id=condition_id,
    )
    return order_record(order, content_id(order), 0)


def a_record(
    value: bytes | None, offset: int = 3, headers: Sequence[tuple[str, bytes | None]] = PROVENANCE, key: str = WALLET
) -> Record:
    """Return a record as it lies in the orders topic."""
    return Record("orders.v1", 4, offset, 1_700_000_001_000, key.encode(), value, headers)


def rules_of(*rules: str, message: str = "m") -> Engine:
    """Return an engine of rules, each as the inside of a YAML mapping."""
    written = "".join(f"\n  - {{severity: info, message: '{message}', {rule}}}" for rule in rules)
    return load_rules(f"rules: {written or '[]'}")


EVERY_ORDER = rules_of("id: every-order, scope: wallet, expr: order.notional > 0.0, max_age: 9d, cooldown: 0s")


@pytest.fixture
def job() -> WalletJob:
    """Return the wallet agent's job in a deployment of its own."""
    return wallet_job(EVERY_ORDER)


V = TypeVar("V", bound="Value")


def alive(job: Job[V], partition: int) -> Live[V]:
    """Return the empty state of a partition."""
    return Live(partition, START, job.due)


def wallet_job(rules: Rules) -> WalletJob:
    """Return the wallet agent's job with these rules."""
    return WalletJob(WalletFold(rules), Topics("p."), lambda key: len(key) % 3)


def test_an_order_is_counted_forwarded_and_alerted(job: WalletJob) -> None:
    """The value goes on byte by byte, with the place it came from; the alert carries the waterfall."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    value = encode(an_order())
    job.absorb(live, a_record(value), effects)
    live.offset = 3

    ((target, items),) = effects.take_bulk().items()
    assert target == ("p.orders-by-market.v1", len(MARKET) % 3)
    ((key, forwarded, headers),) = items
    assert (key, forwarded) == (MARKET.encode(), value)
    assert read_origin(headers) == (4, 3)

    (alert,) = effects.take_urgent()
    assert (alert.topic, alert.key) == ("p.alerts.v1", decode(Alert, alert.value).fingerprint.encode())
    assert dict(alert.headers) == {
        "source": b"ws",
        "provider": b"dome",
        "received_ns": b"5",
        "order_published_ns": b"6",
        "admitted_ns": b"9",
    }

    _, statistics, _ = job.statistics(live, WALLET, 1_700_000_001_000)
    stats = decode(WalletStats, statistics or b"")
    assert (stats.windows["1m"].orders, stats.as_of_offset, stats.partition) == (1, 3, 4)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (None, "tombstone"),
        (b"{", "truncated"),
        (msgspec.json.encode({"schema": 2}), "schema"),
        (b"\xff\xfe", "invalid"),
    ],
)
def test_a_poison_record_goes_to_the_dead_letters_with_its_place(
    job: WalletJob, value: bytes | None, detail: str
) -> None:
    """It changes no state and names where it lies and what is wrong."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(value), effects)
    (letter,) = effects.take_urgent()
    dead = decode_dead(letter.value)
    assert letter.topic == "p.orders-dead.v1"
    assert dead.origin == "orders.v1/4/3"
    assert base64.b64decode(dead.raw) == (value or b"")
    assert detail in dead.detail.lower()
    assert not live.values
    assert not live.unremembered


def test_a_poison_record_as_large_as_kafka_takes_fits_into_its_dead_letter(job: WalletJob) -> None:
    """Its key, its headers, its value and what quotes them are cut, or the partition would stand still for ever."""
    megabyte = 1_000_000
    effects = Effects(admitted_ns=9)
    for record in (
        a_record(b"x" * megabyte),
        a_record(encode(an_order()), key="k" * megabyte),
        a_record(b"{", headers=[("h", b"x" * megabyte)]),
    ):
        job.absorb(alive(job, 4), record, effects)
    letters = effects.take_urgent()
    assert [decode_dead(letter.value).size for letter in letters] == [megabyte, None, None]
    for letter in letters:
        around = len(letter.key or b"") + sum(len(name) + len(value) for name, value in letter.headers)
        assert len(letter.value) + around < megabyte // 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shares", 0),
        ("shares", 2**63 - 1),
        ("notional_micros", -1),
        ("notional_micros", 2**63 - 1),
        ("timestamp", -5),
        ("price", 1.5),
        ("block_number", 2**70),
        ("log_index", -1),
    ],
)
def test_an_order_beyond_what_the_connector_writes_is_a_dead_letter(job: WalletJob, field: str, value: int) -> None:
    """A number that state cannot hold would stop the worker at the next remember, and again after each restart."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    order = msgspec.json.decode(encode(an_order())) | {field: value}
    job.absorb(live, a_record(msgspec.json.encode(order)), effects)
    (letter,) = effects.take_urgent()
    assert decode_dead(letter.value).detail.startswith(f"{field}: expected")
    assert not live.values


ALERTING = rules_of(
    "id: w, scope: wallet, max_age: 9000d, expr: order.price > 0.0",
    "id: m, scope: market, max_age: 9000d, expr: order.price > 0.0",
)


@pytest.mark.parametrize("gap", [None, "abababab-1700000000000-1"])
def test_alerts_say_under_which_gap_their_order_was_published(gap: str | None) -> None:
    """The header goes from the order through both jobs; without it coverage is complete, as of records before it."""
    topics, effects = Topics(""), Effects(admitted_ns=9)
    headers = PROVENANCE if gap is None else [*PROVENANCE, ("gap_id", gap.encode())]
    wallets, markets = WalletJob(WalletFold(ALERTING), topics, lambda _: 0), MarketJob(MarketFold(ALERTING), topics)
    wallets.absorb(alive(wallets, 4), a_record(encode(an_order()), 3, headers), effects)
    (((_, [(key, value, forwarded)])),) = effects.take_bulk().items()
    by_market = Record("orders-by-market.v1", 0, 0, 1_700_000_001_000, key, value, forwarded)
    markets.absorb(alive(markets, 0), by_market, effects)
    alerts = [decode(Alert, output.value) for output in effects.take_urgent()]
    assert [alert.scope for alert in alerts] == ["wallet", "market"]
    assert {(alert.coverage, alert.gap_id) for alert in alerts} == {("complete" if gap is None else "gap", gap)}


def test_an_order_without_a_market_stays_with_its_wallet(job: WalletJob) -> None:
    """Live feeds leave metadata empty; such an order counts for its wallet and is not forwarded."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order(condition_id=None))), effects)
    assert effects.take_bulk() == {}
    assert live.values[WALLET].view(1_700_000_001_000)["1m"].orders == 1


def test_the_same_order_twice_counts_once_everywhere(job: WalletJob) -> None:
    """A duplicate that slipped into the topic is neither counted, forwarded nor alerted."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    value = encode(an_order())
    job.absorb(live, a_record(value, 3), effects)
    job.absorb(live, a_record(value, 4), effects)
    assert len(effects.take_urgent()) == 1
    assert [len(items) for items in effects.take_bulk().values()] == [1]
    assert live.duplicates == 1


def test_the_market_counts_an_order_once_when_its_wallet_replays() -> None:
    """
    A wallet partition restarted from its position sends the same orders again.

    Timeline of origins that reach the market: 1 2 | 1 2 3 (the bar is the restart).
    """
    job = MarketJob(MarketFold(), Topics(""))
    live = alive(job, 0)
    effects = Effects(admitted_ns=0)

    for offset, origin in enumerate((1, 2, 1, 2, 3)):
        headers = [*PROVENANCE, *origin_headers(4, origin)]
        job.absorb(live, a_record(encode(an_order(tx=origin)), offset, headers, MARKET), effects)
    live.offset = 4
    _, value, _ = job.statistics(live, MARKET, live.clock)
    assert decode(MarketStats, value or b"").windows["1m"].orders == 3
    assert live.duplicates == 0  # a replay is no duplicate in the topic


def test_a_forwarded_order_without_its_place_is_a_dead_letter() -> None:
    """Without the origin a replay could not be told from a new order."""
    job = MarketJob(MarketFold(), Topics(""))
    live = alive(job, 0)
    effects = Effects(admitted_ns=0)
    job.absorb(live, a_record(encode(an_order()), key=MARKET), effects)
    (letter,) = effects.take_urgent()
    assert "origin" in decode_dead(letter.value).detail


def test_an_order_under_a_foreign_key_is_a_dead_letter(job: WalletJob) -> None:
    """It lies in a partition that does not hold its wallet's state, where counting it would split the wallet."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order()), key="0x" + "ef" * 20), effects)
    (letter,) = effects.take_urgent()
    assert "key: expected" in decode_dead(letter.value).detail
    assert not live.values


def test_a_header_without_a_value_hurts_nothing(job: WalletJob) -> None:
    """Kafka allows null header values, and strangers send them."""
    live = alive(job, 4)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order()), headers=[("source", None), ("x", None)]), effects)
    (alert,) = effects.take_urgent()
    assert alert.headers == [("admitted_ns", b"9")]


def told(effects: Effects) -> list[tuple[str, str, int]]:
    """Return topic, transition and time of the alerts to be sent."""
    alerts = [(output.topic, decode(Alert, output.value)) for output in effects.take_urgent()]
    return [(topic, alert.transition, alert.as_of) for topic, alert in alerts]


def test_a_tick_tells_what_time_brings_and_changes_nothing() -> None:
    """
    The next order brings it again, for the state, and it is not sent twice.

        order (fires)   its minute ends: a tick tells, later ticks do not   an order: fires again
    """
    job = wallet_job(rules_of("id: r, scope: wallet, expr: wallet.w1m.orders >= 1, max_age: 9d, cooldown: 0s"))
    live, effects, start = alive(job, 4), Effects(admitted_ns=9), 1_700_000_001_000
    job.absorb(live, a_record(encode(an_order())), effects)
    assert told(effects) == [("p.alerts.v1", "firing", start)]
    live.schedule(WALLET, start)
    remembered = live.values[WALLET].encode()
    for at in (start + 58_000, start + 60_000, start + 90_000):
        for subject in live.expire(at):
            job.tick(live, subject, at, effects)
            live.schedule(subject, at)
    assert told(effects) == [("p.alerts.v1", "resolved", 1_700_000_060_000)]
    assert live.values[WALLET].encode() == remembered

    later = a_record(encode(an_order(tx=2, timestamp=1_700_000_100)), 4)._replace(timestamp=start + 100_000)
    job.absorb(live, later, effects)
    assert told(effects) == [("p.alerts.v1", "firing", start + 100_000)]


def test_a_tick_meets_deadlines_that_began_at_a_tick() -> None:
    """
    What holds no longer at one tick resolves at another, `keep_firing_for` later.

        s    0 fires    60 off    90 resolved
    """
    rule = "id: r, scope: wallet, expr: wallet.w1m.orders >= 1, max_age: 9d, keep_firing_for: 30s"
    job = wallet_job(rules_of(rule))
    live, effects, start = alive(job, 4), Effects(admitted_ns=9), 1_700_000_001_000
    job.absorb(live, a_record(encode(an_order())), effects)
    live.schedule(WALLET, start)
    effects.take_urgent()
    for at in range(start, start + 400_000, 1_000):
        for subject in live.expire(at):
            job.tick(live, subject, at, effects)
            live.schedule(subject, at)
    assert told(effects) == [("p.alerts.v1", "resolved", 1_700_000_090_000)]


def test_alerts_of_rules_on_trial_go_to_a_topic_of_their_own() -> None:
    """Consumers of alerts.v1 hear nothing of them."""
    job = wallet_job(rules_of("id: r, scope: wallet, mode: SHADOW, expr: order.price > 0.0, max_age: 9d"))
    effects = Effects(admitted_ns=9)
    job.absorb(alive(job, 4), a_record(encode(an_order())), effects)
    assert [topic for topic, _, _ in told(effects)] == ["p.alerts-shadow.v1"]


def test_who_had_no_order_for_weeks_is_forgotten() -> None:
    """State and statistics end with tombstones; the next order would have begun anew in any case."""
    job = wallet_job(rules_of())
    live = alive(job, 4)
    job.absorb(live, a_record(encode(an_order())), Effects(admitted_ns=9))
    live.unremembered.clear()
    live.observe(1_700_000_001_000 + 35 * 86_400_000)
    assert job.forget_idle(live) == []
    live.observe(live.clock + 1_000)
    assert job.forget_idle(live) == [(WALLET.encode(), None, [])]
    assert (len(live.values), live.unpublished, live.unremembered) == (0, set(), {WALLET})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("condition_id", "é" + "0" * 16),
        ("condition_id", "0x" + "٣" * 64),
        ("condition_id", "\x00score|0000000000000000"),
        ("condition_id", "0x" + "AB" * 32),
        ("token_id", "٣"),
        ("tx_hash", "0x12"),
        ("title", "x" * 1_001),
    ],
)
def test_an_order_with_an_id_that_no_state_can_hold_is_a_dead_letter(job: WalletJob, field: str, value: str) -> None:
    """Before anything of it changes a state, or ends the worker."""
    live, effects = alive(job, 4), Effects(admitted_ns=9)
    order = msgspec.json.decode(encode(an_order())) | {field: value}
    job.absorb(live, a_record(msgspec.json.encode(order)), effects)
    (letter,) = effects.take_urgent()
    assert decode_dead(letter.value).reason == "bad-record"
    assert (len(live.values), effects.take_bulk()) == (0, {})


def test_what_strangers_add_to_an_order_is_not_passed_on(job: WalletJob) -> None:
    """Headers as large as a record would stop a partition."""
    effects = Effects(admitted_ns=9)
    strange = [*PROVENANCE, ("x", b"y" * 600_000), ("label", b"z" * 5_000)]
    job.absorb(alive(job, 4), a_record(encode(an_order()), headers=strange), effects)
    (alert,) = effects.take_urgent()
    assert {"x", "label"}.isdisjoint(dict(alert.headers))
    (((_, [(_, _, headers)])),) = effects.take_bulk().items()
    assert {"x", "label"}.isdisjoint(dict(headers))


def test_a_label_may_have_letters_of_any_language() -> None:
    """As the watch-list allows, and the connector writes."""
    written = "id: r, scope: wallet, expr: 'true', wallet_labels: [größe], max_age: 9d"
    job = wallet_job(rules_of(written, message="{order.label}"))
    effects = Effects(admitted_ns=9)
    headers = [*PROVENANCE, ("label", "größe".encode())]
    job.absorb(alive(job, 4), a_record(encode(an_order()), headers=headers), effects)
    (alert,) = effects.take_urgent()
    assert decode(Alert, alert.value).message == "größe"


@pytest.mark.parametrize(
    "headers",
    [
        [("alerts", b'[["\xff"]]')],
        [("alerts", b'[["a","r","h","ACTIVE",1180591620717411303424]]')],
        [("origin_offset", b"1" * 30)],
    ],
)
def test_headers_that_a_market_cannot_read_make_a_dead_letter(headers: Headers) -> None:
    """And not the end of the worker."""
    job = MarketJob(MarketFold(), Topics(""))
    effects = Effects(admitted_ns=0)
    given = dict([*PROVENANCE, *origin_headers(4, 1), *headers])
    job.absorb(alive(job, 0), a_record(encode(an_order()), headers=list(given.items()), key=MARKET), effects)
    (letter,) = effects.take_urgent()
    assert decode_dead(letter.value).reason == "bad-record"
