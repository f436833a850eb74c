"""Orders and logs of orders for tests: short to write by hand, or drawn by hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hypothesis import strategies as st

from connector.contract.order import Order
from connector.contract.record import OrderRecord, order_record
from tests.support.oracle import Logged

if TYPE_CHECKING:
    from collections.abc import Sequence

START = 1_767_556_800
"""Second at which test logs begin: a multiple of every bucket width."""

WALLET = "0x" + "a1" * 20
MARKETS = tuple("0x" + digit * 64 for digit in "123")


def order(
    number: int = 0, *, at: int = 0, usdc: float = 1.0, side: Literal["BUY", "SELL"] = "BUY", **fields: Any
) -> OrderRecord:
    """Return order `number` (its identity) of time START + `at` seconds, worth `usdc`."""
    price = fields.pop("price", 0.5)
    values: dict[str, Any] = {
        "user": WALLET,
        "token_id": "1",
        "token_label": "Yes",
        "condition_id": MARKETS[0],
        "tx_hash": "0x" + "c" * 64,
        **fields,
    }
    made = Order(side=side, shares=round(usdc * 1_000_000 / price), price=price, timestamp=START + at, **values)
    return order_record(made, f"{number:032x}", 0)


def logged(orders: Sequence[OrderRecord], *, delay_ms: int = 0) -> list[Logged]:
    """Return the orders as partition 0 holds them, appended `delay_ms` after their time."""
    return [Logged(each, 0, offset, each.timestamp * 1_000 + delay_ms) for offset, each in enumerate(orders)]


_pauses = st.sampled_from((0, 0, 1, 400, 1_000, 4_999, 5_000, 61_000, 600_000, 3_600_000, 90_000_000))
_ages = st.one_of(
    st.integers(-3, 3),
    st.sampled_from((59, 60, 61, 299, 300, 301, 3_599, 3_600, 3_661, 86_400)),
    st.integers(0, 100_000),
)


@st.composite
def logs(draw: st.DrawFn, *, users: int = 1, repeats: bool = True) -> list[Logged]:
    """Draw the log of partition 0: orders late, early and out of order, some of them twice."""
    log: list[Logged] = []
    clock = START * 1_000
    for offset in range(draw(st.integers(1, 40))):
        clock += draw(_pauses)
        if repeats and log and draw(st.integers(0, 9)) == 0:
            record = draw(st.sampled_from(log[-20:])).order
        else:
            record = _drawn_order(draw, offset, clock // 1_000, users)
        log.append(Logged(record, 0, offset, clock - draw(st.sampled_from((0, 0, 0, 700)))))
    return log


def _drawn_order(draw: st.DrawFn, number: int, second: int, users: int) -> OrderRecord:
    return order(
        number,
        at=second - draw(_ages) - START,
        usdc=draw(st.sampled_from((0.000001, 0.5, 1.0, 3.25, 1_000.0))),
        side=draw(st.sampled_from(("BUY", "SELL"))),
        price=draw(st.sampled_from((0.01, 0.5, 0.97))),
        user=f"0x{draw(st.integers(1, users)):040x}" if users > 1 else WALLET,
        token_id=draw(st.sampled_from(("1", "2"))),
        token_label=draw(st.sampled_from((None, "Up"))),
        condition_id=draw(st.sampled_from((*MARKETS, None))),
        block_number=draw(st.sampled_from((None, 7, 8))),
        log_index=draw(st.sampled_from((None, 1, 2))),
    )
