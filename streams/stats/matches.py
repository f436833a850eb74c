"""
Trades that are told twice: one match on the chain has a row per maker order and one for the taker's order.

Where both sides are watched, both rows come, and a sum of rows counts the money twice. A maker's row names the taker's
wallet; what the taker's row names (the exchange) is of no account, so no contract address has to be known:

    row           user   taker      notional
    maker         A      C          3
    maker         B      C          2           C is named: its rows are the taker's,
    taker's       C      exchange   6           and of 6 + 5 the smaller, 5, is told twice

Looked at together are the rows of one transaction of a market that count at the same second, which all rows of a block
do; the correction belongs to this second. Their order has no say in it. Within an outcome the same holds for the rows
of this outcome alone. A transaction is remembered for `KEPT_S` from its first row on, and `MOST` of them: a twin that
comes later counts twice.
"""

from __future__ import annotations

import msgspec

KEPT_S = 600
"""Seconds of the log for which a transaction waits for its other rows."""
MOST = 1_024
"""Transactions remembered per market."""
MOST_ROWS = 64
"""Different rows looked at in one transaction; more do not fit a block, and count as they are."""

_BITS = (1 << 32) - 1


class Row(msgspec.Struct, array_like=True, gc=False):
    """Rows of one wallet, counterparty and outcome in a transaction: 32 bits tell its wallets apart."""

    user: int
    taker: int | None
    outcome: int
    notional: int


class Match(msgspec.Struct, array_like=True, gc=False):
    """One transaction: the second of the log at which its first row came, and its rows."""

    first: int
    rows: list[Row]
    met: bool = False
    """Whether a row names the wallet of another: before that nothing is told twice."""


class Matches(msgspec.Struct, array_like=True, gc=False):
    """The recent transactions of a market, the one that began last at the end."""

    recent: dict[int, Match] = {}
    """Number of transaction and second -> its rows."""

    def add(self, transaction: int, second: int, row: Row, clock: int) -> tuple[int, int]:
        """
        Add a row that counts at `second`; return by how much it changes the money told twice.

        The first is of the market, the second of the row's outcome. `clock` is the log's.
        """
        self._forget(clock - KEPT_S)
        key = transaction ^ second
        match = self.recent.get(key)
        if match is None:
            if len(self.recent) >= MOST:
                del self.recent[next(iter(self.recent))]
            self.recent[key] = Match(clock, [row])
            return 0, 0
        return _merge(match, row)

    def _forget(self, limit: int) -> None:
        """Let go what began before `limit`."""
        recent = self.recent
        while recent:
            oldest = next(iter(recent))
            if recent[oldest].first >= limit:
                return
            del recent[oldest]


def row_of(user: int, taker: int | None, outcome: int, notional: int) -> Row:
    """Return a row; users are numbers of addresses, see `numbers`, and `outcome` is a number within the market."""
    return Row(user & _BITS, None if taker is None else taker & _BITS, outcome, notional)


def _merge(match: Match, row: Row) -> tuple[int, int]:
    """Add a row to those of its transaction; return what `Matches.add` does."""
    rows, user, taker, outcome = match.rows, row.user, row.taker, row.outcome
    before, own_before = _twice(rows, outcome) if match.met else (0, 0)
    known = None
    for each in rows:
        if each.user == taker or each.taker == user:
            match.met = True
        if each.user == user and each.taker == taker and each.outcome == outcome:
            known = each
    if known is not None:
        known.notional += row.notional
    elif len(rows) < MOST_ROWS:
        rows.append(row)
    if not match.met:
        return 0, 0
    after, own_after = _twice(rows, outcome)
    return after - before, own_after - own_before


def _twice(rows: list[Row], outcome: int) -> tuple[int, int]:
    """Return the money told twice among the rows, and among those of one outcome."""
    own = [row for row in rows if row.outcome == outcome]
    among_all = _repeated(rows)
    return among_all, among_all if len(own) == len(rows) else _repeated(own)


def _repeated(rows: list[Row]) -> int:
    """Return the money told twice among these rows."""
    named = {row.taker for row in rows}
    takers = others = 0
    for row in rows:
        # Who trades with himself has a maker's row that names himself.
        if row.user in named and row.taker != row.user:
            takers += row.notional
        else:
            others += row.notional
    return min(takers, others)
