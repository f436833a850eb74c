"""What viewers are told of the board: everything to who comes, and then what changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.board.rows import Frame, Strip

if TYPE_CHECKING:
    from streams.board.alerts import Episode
    from streams.board.changes import Table
    from streams.board.model import Board
    from streams.board.rows import AlertRow, TopicRow

MOST_CHANGES = 1_000
"""Rows of a table in one frame: a start that reads hours of history tells them in pieces."""

_encoder = msgspec.json.Encoder()


class Teller:
    """Tells of a board; one for all its viewers, since what changed is the same for all."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._told = 0
        """Number of the last order that a frame held."""

    def changes(self, now_ms: int, topics: list[TopicRow]) -> Frame:
        """Return what changed since this was last asked, in bounded size: what does not fit comes the next time."""
        board = self._board
        wallets, markets = board.wallets.table, board.markets.table
        alerts, gaps = board.alerts.table, board.gaps.table
        orders = [row for number, row in board.latest if number > self._told]
        self._told = board.orders
        tables: dict[str, Table[Any]] = {"wallets": wallets, "markets": markets, "alerts": alerts, "gaps": gaps}
        gone = {name: keys for name, table in tables.items() if (keys := table.take_gone())}
        return Frame(
            strip=strip(board, now_ms, topics),
            orders=orders,
            wallets=[known.row() for known in wallets.take_changed(MOST_CHANGES)],
            markets=markets.take_changed(MOST_CHANGES),
            alerts=self._alerts(alerts.take_changed(MOST_CHANGES)),
            gaps=gaps.take_changed(MOST_CHANGES),
            gone=gone,
        )

    def everything(self, now_ms: int, topics: list[TopicRow]) -> Frame:
        """Return all that lists show."""
        board = self._board
        return Frame(
            strip=strip(board, now_ms, topics),
            orders=[row for _, row in board.latest],
            wallets=[known.row() for known in board.wallets.table.values()],
            markets=board.markets.table.values(),
            alerts=self._alerts(board.alerts.table.values()),
            gaps=board.gaps.table.values(),
        )

    def wallet(self, wallet: str, now_ms: int) -> bytes | None:
        """Return a wallet's page as JSON, None if it is not known."""
        page = self._board.wallets.page(wallet, now_ms, self._board.markets.outcome)
        return None if page is None else _encoder.encode(page)

    def alert(self, episode: str) -> bytes | None:
        """Return an alert's page as JSON, None if it is not known."""
        known = self._board.alerts.table.get(episode)
        if known is None:
            return None
        (row,) = self._alerts([known])
        return _encoder.encode({"row": row, "transitions": known.transitions})

    def _alerts(self, episodes: list[Episode]) -> list[AlertRow]:
        alerts, markets = self._board.alerts, self._board.markets
        return [alerts.row(each, markets.title(each.told.trade.condition_id)) for each in episodes]


def encoded(frame: Frame) -> bytes:
    """Return a frame as JSON, which holds no line break."""
    return _encoder.encode(frame)


def is_quiet(frame: Frame) -> bool:
    """Return whether a frame tells nothing but the strip."""
    return not (frame.orders or frame.wallets or frame.markets or frame.alerts or frame.gaps or frame.gone)


def strip(board: Board, now_ms: int, topics: list[TopicRow]) -> Strip:
    """Return the state of things in a line."""
    watched = board.wallets.watched()
    return Strip(
        now=now_ms,
        rate=round(board.arrivals.rate(now_ms), 1),
        rates=board.arrivals.history(now_ms),
        orders=board.orders,
        unreadable=board.unreadable,
        wallets=len(watched),
        live=sum(each.standing == "live" for each in watched),
        gaps=sum(each.gap is not None for each in watched),
        covered_until=min((each.covered_until_ms for each in watched), default=None),
        firing=board.alerts.firing,
        to_kafka=board.to_kafka.spread(now_ms),
        to_alert=board.to_alert.spread(now_ms),
        topics=topics,
    )
