from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from streams.board import alerts, markets, model
from streams.board.feeds import Feeds
from streams.board.frames import MOST_CHANGES, Teller, encoded, is_quiet
from streams.board.model import LATEST_ORDERS, TOPICS, Board, Topic
from streams.board.wallets import ORDERS_EACH
from tests.support.board import NOW_MS, Record, alert, example, order, wallet_stats, window
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from streams.board.rows import Frame

OTHER = f"0x{1:040x}"
MARKET = "0x59fc4c4c57b9a86aa1859ef3ba9e457a3009b791b469f646637a45fe17f1e0d2"


@pytest.fixture
def board() -> Board:
    """Return an empty board."""
    return Board()


def read(frame: Frame) -> dict[str, Any]:
    """Return a frame as the page gets it."""
    found: dict[str, Any] = json.loads(encoded(frame))
    return found


def everything(board: Board) -> dict[str, Any]:
    """Return what a viewer gets who comes now."""
    return read(Teller(board).everything(NOW_MS, Feeds().rows()))


def coverage(board: Board, wallet: str, *, number: int = 0, **changes: Any) -> None:
    """Take in what the connector says of a wallet."""
    value = example("connector.contract", "coverage.v1", number, wallet=wallet, **changes)
    board.absorb("coverage.v1", Record(value, wallet.encode()))


@pytest.mark.parametrize("topic", TOPICS)
def test_what_cannot_be_read_is_counted_and_stops_nothing(board: Board, topic: Topic) -> None:
    """Of every topic: no JSON, another schema, a field missing."""
    for value in (b"", b"{", b"[]", b'{"schema":99}', b"\xff"):
        board.absorb(topic, Record(value, b"key"))
    assert board.unreadable == 5
    assert everything(board)["strip"]["unreadable"] == 5


@pytest.mark.parametrize("topic", [each for each in TOPICS if each != "coverage.v1"])
def test_tombstones_say_nothing_here(board: Board, topic: Topic) -> None:
    """A compacted topic may have them."""
    board.absorb(topic, Record(None, b"key"))
    assert board.unreadable == 0


def test_an_order_without_provenance_is_unreadable(board: Board) -> None:
    """The connector always writes the headers."""
    board.absorb("orders.v1", order()._replace(headers=()))
    assert (board.unreadable, board.orders) == (1, 0)


def test_an_order_is_shown_once(board: Board) -> None:
    """With everything that its row has; consumers may see it twice."""
    for _ in range(2):
        board.absorb("orders.v1", order(label="whale", gap_id="g", title="<b>x</b>"))
    (row,) = everything(board)["orders"]
    assert row == {
        "number": 1,
        "event_id": row["event_id"],
        "at": NOW_MS,
        "wallet": WALLET,
        "label": "whale",
        "side": "BUY",
        "outcome": "Up",
        "price": 0.8,
        "shares": 6_000_000,
        "micros": 4_800_000,
        "market": MARKET,
        "title": "<b>x</b>",
        "source": "ws",
        "gap": True,
    }


def test_what_is_kept_of_orders_is_bounded(board: Board) -> None:
    """The newest of all, and of each wallet."""
    for number in range(3 * LATEST_ORDERS):
        board.absorb("orders.v1", order(number))
    assert [row["number"] for row in everything(board)["orders"]] == list(range(201, 301))
    page = board.wallets.page(WALLET, NOW_MS, lambda _: None)
    assert page is not None
    assert [msgspec.json.decode(row)["number"] for row in page.orders] == list(range(300, 300 - ORDERS_EACH, -1))


def test_ids_of_orders_are_forgotten_in_the_end(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions come soon after the first."""
    monkeypatch.setattr(model, "_EVENT_IDS", 2)
    for number in (0, 1, 2, 2, 0):
        board.absorb("orders.v1", order(number))
    assert board.orders == 4


def test_an_order_from_the_future_was_executed_when_it_arrived(board: Board) -> None:
    """A provider's clock must not put it at the top for ever."""
    board.absorb("orders.v1", order(timestamp=NOW_MS // 1_000 + 9_999))
    assert everything(board)["orders"][0]["at"] == NOW_MS


def test_a_text_of_a_stranger_has_an_end(board: Board) -> None:
    """A long title is cut."""
    board.absorb("orders.v1", order(title="x" * 500))
    assert everything(board)["orders"][0]["title"] == "x" * 239 + "…"


def test_latency_is_of_the_socket_only(board: Board) -> None:
    """A back-filled order was not on the wire when it was executed."""
    board.absorb("orders.v1", order(1, took_ms=40))
    board.absorb("orders.v1", order(2, took_ms=9_000, source="backfill"))
    assert everything(board)["strip"]["to_kafka"] == [40.0, 40.0]


def test_newer_statistics_win_whatever_comes_last(board: Board) -> None:
    """A worker that took over repeats older ones."""
    newer = wallet_stats(offset=7, windows={"5m": window(3, 50, -20)})
    for value in (newer, wallet_stats(offset=6)):
        board.absorb("wallet-stats.v1", Record(value))
    (row,) = everything(board)["wallets"]
    assert row["windows"] == [[0, 0, 0, 1], [3, 50, -20, 1], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_markets_have_titles_prices_and_windows(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """And an older record changes nothing; nor does one more than are kept."""
    value = example("streams", "market-stats.v1")
    board.absorb("market-stats.v1", Record(value))
    board.absorb("market-stats.v1", Record(example("streams", "market-stats.v1", as_of_offset=0, title="old")))
    (row,) = everything(board)["markets"]
    assert row["title"] == json.loads(value)["title"]
    assert len(row["windows"]) == 4
    token = json.loads(value)["outcomes"][0]["token_id"]
    assert row["title"] in (board.markets.outcome(token) or "")
    assert board.markets.outcome("unknown") is None
    monkeypatch.setattr(markets, "MOST_MARKETS", 3)
    monkeypatch.setattr(board.markets.table, "_most", 3)
    for number in range(7):
        changed = example("streams", "market-stats.v1", condition_id=f"0x{number:064x}", outcomes=[])
        board.absorb("market-stats.v1", Record(changed))
    assert (len(board.markets.table), board.markets.outcome(token)) == (3, None)
    assert len(board.markets._versions) <= 7


def test_coverage_is_told_when_standing_or_gap_changes(board: Board) -> None:
    """A checkpoint each second is no news; the end of a watch is."""
    teller = Teller(board)

    def told() -> list[Any]:
        found = read(teller.changes(NOW_MS, [])).get("wallets", [])
        return [(row["standing"], row["gap"]) for row in found]

    coverage(board, WALLET)
    assert told() == [("live", None)]
    coverage(board, WALLET, at_ms=NOW_MS)
    assert told() == []
    coverage(board, WALLET, number=1)
    assert told() == [("live", "disconnect")]
    board.absorb("coverage.v1", Record(None, WALLET.encode()))
    assert told() == [(None, None)]
    board.absorb("coverage.v1", Record(None, OTHER.encode()))
    assert told() == []


def test_the_strip_sums_coverage_up(board: Board) -> None:
    """Watched, live, with gaps, and how far the one furthest behind is complete."""
    assert everything(board)["strip"]["covered_until"] is None
    coverage(board, WALLET, number=1, covered_until_ms=5)
    coverage(board, OTHER, standing="down", covered_until_ms=7)
    strip = everything(board)["strip"]
    assert [strip[name] for name in ("wallets", "live", "gaps", "covered_until")] == [2, 1, 1, 5]


def test_a_gap_is_shown_as_last_reported(board: Board) -> None:
    """Repetitions and older reports change nothing."""
    for number in (0, 1, 2, 2, 1):
        board.absorb("gaps.v1", Record(example("connector.contract", "gaps.v1", number)))
    (gap,) = everything(board)["gaps"]
    assert (gap["state"], gap["cause"], gap["recovered"]) == ("closed", "disconnect", 3)


def test_an_alert_is_one_line_from_firing_to_resolved(board: Board) -> None:
    """In whatever order its records are read: the state of the newest, the message of why it fired."""
    firing = alert("a1", message="why", as_of=1_000)
    escalated = alert("a2", episode="a1", transition="escalated", message="more", as_of=2_000)
    resolved = alert("a3", episode="a1", transition="resolved", message="over", ends_at=3_000, as_of=3_000)
    for value in (resolved, firing, escalated, firing):
        board.absorb("alerts.v1", Record(value))
    (row,) = everything(board)["alerts"]
    assert [row[name] for name in ("state", "message", "ends", "as_of")] == ["resolved", "more", 3_000, 3_000]


def test_an_alert_of_which_only_the_end_is_known_says_that(board: Board) -> None:
    """The beginning may be older than what the board reads."""
    board.absorb("alerts.v1", Record(alert(transition="resolved", message="over")))
    assert everything(board)["alerts"][0]["message"] == "over"


def test_firing_counts_what_goes_on(board: Board) -> None:
    """An alert about one order is over at once."""
    board.absorb("alerts.v1", Record(alert("a1", ends_at=None)))
    board.absorb("alerts.v1", Record(alert("a2", ends_at=5)))
    board.absorb("alerts.v1", Record(alert("a3", transition="resolved", ends_at=5)))
    assert everything(board)["strip"]["firing"] == 1


def test_an_alert_that_escalates_for_ever_is_bounded(board: Board) -> None:
    """Its first record stays, and the newest ones."""
    board.absorb("alerts.v1", Record(alert("first", as_of=0)))
    for number in range(50):
        value = alert(f"e{number}", episode="first", transition="escalated", as_of=number + 1)
        board.absorb("alerts.v1", Record(value))
    page = Teller(board).alert("first")
    assert page is not None
    ids = [each["alert_id"] for each in json.loads(page)["transitions"]]
    assert ids == ["first", *(f"e{number}" for number in range(43, 50))]


def test_grades_find_their_alert_whichever_comes_first(board: Board) -> None:
    """The first of one id counts."""
    board.absorb("alert-grades.v1", Record(example("streams", "alert-grades.v1", alert_id="a1", horizon="1h")))
    board.absorb("alerts.v1", Record(alert("a1")))
    teller = Teller(board)
    teller.changes(NOW_MS, [])
    for gain in (0.5, 0.9):
        changes: dict[str, Any] = {"alert_id": "a1", "horizon": "24h", "return": gain}
        value = example("streams", "alert-grades.v1", **changes)
        board.absorb("alert-grades.v1", Record(value))
    (row,) = read(teller.changes(NOW_MS, []))["alerts"]
    assert [(each["horizon"], each["gain"]) for each in row["grades"]] == [("1h", 0.1874999999999999), ("24h", 0.5)]


def test_grades_and_alerts_are_bounded(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the newest."""
    monkeypatch.setattr(alerts, "_MOST_GRADED", 600)
    for number in range(700):
        board.absorb("alerts.v1", Record(alert(f"a{number}")))
        board.absorb("alert-grades.v1", Record(example("streams", "alert-grades.v1", alert_id=f"a{number}")))
    assert (len(board.alerts.table), len(board.alerts._grades), len(board.alerts._episodes)) == (500, 600, 600)
    assert Teller(board).alert("a0") is None


def test_latency_to_an_alert_is_from_its_headers(board: Board) -> None:
    """Of what fires by an order of the socket; a repetition, the end, or what has no times is not measured."""

    def read_alert(alert_id: str, took_ms: int | None, **changes: Any) -> None:
        times = [] if took_ms is None else [("received_ns", b"%d" % ((NOW_MS - took_ms) * 1_000_000))]
        headers = [*times, ("published_ns", b"%d" % (NOW_MS * 1_000_000))]
        board.absorb("alerts.v1", Record(alert(alert_id, **({"source": "ws"} | changes)), headers=headers))

    read_alert("a1", 30)
    read_alert("a1", 900)
    read_alert("a2", 900, source="backfill")
    read_alert("a3", 900, transition="resolved")
    read_alert("a4", None)
    assert everything(board)["strip"]["to_alert"] == [30.0, 30.0]


def test_changes_tell_each_order_once_and_then_are_quiet(board: Board) -> None:
    """A quiet frame holds the strip only."""
    teller = Teller(board)
    board.absorb("orders.v1", order(1))
    assert [row["number"] for row in read(teller.changes(NOW_MS, []))["orders"]] == [1]
    quiet = teller.changes(NOW_MS, [])
    assert is_quiet(quiet)
    assert set(read(quiet)) == {"strip"}


def test_a_frame_is_bounded_however_much_changed(board: Board) -> None:
    """What does not fit comes with the next ones."""
    teller = Teller(board)
    for number in range(2 * MOST_CHANGES + 1):
        board.absorb("wallet-stats.v1", Record(wallet_stats(f"0x{number:040x}")))
    sizes = [len(read(teller.changes(NOW_MS, [])).get("wallets", [])) for _ in range(4)]
    assert sizes == [MOST_CHANGES, MOST_CHANGES, 1, 0]


def test_wallets_beyond_the_limit_are_told_as_gone(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of which nothing was heard for longest."""
    teller = Teller(board)
    monkeypatch.setattr(board.wallets.table, "_most", 3)
    for number in range(5):
        board.absorb("wallet-stats.v1", Record(wallet_stats(f"0x{number:040x}")))
    assert read(teller.changes(NOW_MS, []))["gone"] == {"wallets": [f"0x{0:040x}", f"0x{1:040x}"]}


def test_a_wallets_page_has_all_that_is_known(board: Board) -> None:
    """Statistics, coverage, flow and orders; nothing of one that is not known."""
    teller = Teller(board)
    assert teller.wallet(WALLET, NOW_MS) is None
    board.absorb("orders.v1", order(1))
    coverage(board, WALLET)
    empty = json.loads(teller.wallet(WALLET, NOW_MS) or b"")
    assert empty["statistics"] is None
    stats = example("streams", "wallet-stats.v1", wallet=WALLET)
    board.absorb("wallet-stats.v1", Record(stats))
    page = json.loads(teller.wallet(WALLET, NOW_MS) or b"")
    assert page["statistics"] == json.loads(stats)
    assert page["coverage"]["owner"] == "connector-0"
    assert page["flow"][-1][1:] == [4_800_000, 0]
    assert [row["number"] for row in page["orders"]] == [1]


def test_positions_are_called_by_outcome_and_market(board: Board) -> None:
    """As far as the market's statistics name the token."""
    stats = json.loads(example("streams", "wallet-stats.v1"))
    token = stats["positions"][0]["token_id"]
    market = json.loads(example("streams", "market-stats.v1"))
    outcome = market["outcomes"][0] | {"token_id": token, "label": "Up"}
    board.absorb("wallet-stats.v1", Record(msgspec.json.encode(stats)))
    board.absorb("market-stats.v1", Record(msgspec.json.encode(market | {"outcomes": [outcome]})))
    page = json.loads(Teller(board).wallet(stats["wallet"], NOW_MS) or b"")
    assert page["tokens"] == {token: f"Up: {market['title']}"}
