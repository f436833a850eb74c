from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest

from connector.contract.identity import content_id
from connector.contract.order import Order
from connector.contract.record import OrderRecord, decode_dead, encode, order_record
from streams.effects import Effects, Headers, Topics
from streams.fold import MarketFold, WalletFold
from streams.jobs import MarketJob, WalletJob
from streams.records import Alert, MarketStats, WalletStats, decode, origin_headers, read_origin
from streams.rules.interface import Arrival, NoRules
from streams.shards.live import Live
from streams.shards.position import START

if TYPE_CHECKING:
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from collections.abc import Sequence

WALLET = "0x" + "ab" * 20
MARKET = "0x" + "cd" * 32
PROVENANCE: Headers = [
    ("source", b"ws"),
    ("provider", b"dome"),
    ("received_ns", b"5"),
    ("published_ns", b"6"),
]


class Record(NamedTuple):
    """A Kafka record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def an_order(condition_id: str | None = MARKET, tx: int = 1) -> OrderRecord:
    """Return an order of one wallet."""
    order = Order(
        user=WALLET,
        token_id="7",
        side="BUY",
        shares=2_000_000,
        price=0.5,
        tx_hash=f"0x{tx:064x}",
        timestamp=1_700_000_000,
        condition_id=condition_id,
    )
    return order_record(order, content_id(order), 0)


def a_record(
    value: bytes | None, offset: int = 3, headers: Sequence[tuple[str, bytes | None]] = PROVENANCE, key: str = WALLET
) -> Record:
    """Return a record as it lies in the orders topic."""
    return Record("orders.v1", 4, offset, 1_700_000_001_000, key.encode(), value, headers)


class OneAlertPerOrder(NoRules):
    """Alerts on every order of a wallet."""

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival) -> list[Alert]:
        """Return one alert."""
        return [
            Alert(
                alert_id="a",
                fingerprint="f",
                rule="r",
                rule_hash="h",
                severity="info",
                labels={},
                scope="wallet",
                subject=order.user,
                message="m",
                reason="r",
                clauses=[],
                values={},
                orders=[],
                order_age_s=1.0,
                source=arrival.source,
                as_of=arrival.clock,
            )
        ]


@pytest.fixture
def job() -> WalletJob:
    """Return the wallet agent's job in a deployment of its own."""
    return WalletJob(WalletFold(OneAlertPerOrder()), Topics("p."), lambda key: len(key) % 3)


def test_an_order_is_counted_forwarded_and_alerted(job: WalletJob) -> None:
    """The value goes on byte by byte, with the place it came from; the alert carries the waterfall."""
    live: Live[WalletState] = Live(4, START)
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
    assert (alert.topic, alert.key) == ("p.alerts.v1", b"f")
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
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(value), effects)
    (letter,) = effects.take_urgent()
    dead = decode_dead(letter.value)
    assert letter.topic == "p.orders-dead.v1"
    assert dead.origin == "orders.v1/4/3"
    assert base64.b64decode(dead.raw) == (value or b"")
    assert detail in dead.detail.lower()
    assert live.values == {}
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
        job.absorb(Live(4, START), record, effects)
    letters = effects.take_urgent()
    assert [decode_dead(letter.value).size for letter in letters] == [megabyte, None, None]
    for letter in letters:
        around = len(letter.key or b"") + sum(len(name) + len(value) for name, value in letter.headers)
        assert len(letter.value) + around < megabyte // 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("shares", 0), ("shares", 2**63 - 1), ("notional_micros", -1), ("notional_micros", 2**63 - 1), ("timestamp", -5)],
)
def test_an_order_beyond_what_the_connector_writes_is_a_dead_letter(job: WalletJob, field: str, value: int) -> None:
    """A number that state cannot hold would stop the worker at the next remember, and again after each restart."""
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    order = msgspec.json.decode(encode(an_order())) | {field: value}
    job.absorb(live, a_record(msgspec.json.encode(order)), effects)
    (letter,) = effects.take_urgent()
    assert decode_dead(letter.value).detail.startswith(f"{field}: expected")
    assert live.values == {}


def test_an_order_without_a_market_stays_with_its_wallet(job: WalletJob) -> None:
    """Live feeds leave metadata empty; such an order counts for its wallet and is not forwarded."""
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order(condition_id=None))), effects)
    assert effects.take_bulk() == {}
    assert live.values[WALLET].view(1_700_000_001_000)["1m"].orders == 1


def test_the_same_order_twice_counts_once_everywhere(job: WalletJob) -> None:
    """A duplicate that slipped into the topic is neither counted, forwarded nor alerted."""
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    value = encode(an_order())
    job.absorb(live, a_record(value, 3), effects)
    job.absorb(live, a_record(value, 4), effects)
    assert len(effects.take_urgent()) == 1
    assert [len(items) for items in effects.take_bulk().values()] == [1]


def test_the_market_counts_an_order_once_when_its_wallet_replays() -> None:
    """
    A wallet partition restarted from its position sends the same orders again.

    Timeline of origins that reach the market: 1 2 | 1 2 3 (the bar is the restart).
    """
    job = MarketJob(MarketFold(), Topics(""))
    live: Live[MarketState] = Live(0, START)
    effects = Effects(admitted_ns=0)

    for offset, origin in enumerate((1, 2, 1, 2, 3)):
        headers = [*PROVENANCE, *origin_headers(4, origin)]
        job.absorb(live, a_record(encode(an_order(tx=origin)), offset, headers, MARKET), effects)
    live.offset = 4
    _, value, _ = job.statistics(live, MARKET, live.clock)
    assert decode(MarketStats, value or b"").windows["1m"].orders == 3


def test_a_forwarded_order_without_its_place_is_a_dead_letter() -> None:
    """Without the origin a replay could not be told from a new order."""
    job = MarketJob(MarketFold(), Topics(""))
    live: Live[MarketState] = Live(0, START)
    effects = Effects(admitted_ns=0)
    job.absorb(live, a_record(encode(an_order()), key=MARKET), effects)
    (letter,) = effects.take_urgent()
    assert "origin" in decode_dead(letter.value).detail


def test_an_order_under_a_foreign_key_is_a_dead_letter(job: WalletJob) -> None:
    """It lies in a partition that does not hold its wallet's state, where counting it would split the wallet."""
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order()), key="0x" + "ef" * 20), effects)
    (letter,) = effects.take_urgent()
    assert "key: expected" in decode_dead(letter.value).detail
    assert live.values == {}


def test_a_header_without_a_value_hurts_nothing(job: WalletJob) -> None:
    """Kafka allows null header values, and strangers send them."""
    live: Live[WalletState] = Live(4, START)
    effects = Effects(admitted_ns=9)
    job.absorb(live, a_record(encode(an_order()), headers=[("source", None), ("x", None)]), effects)
    (alert,) = effects.take_urgent()
    assert alert.headers == [("admitted_ns", b"9")]
