"""
Every variable a rule can use, as data: the CEL environment, the checks and the documentation come from here.

Money is in USDC and a double, counts are int, texts that are absent are "". Means of nothing are 0.
A variable that is `of_order` speaks of the order at hand: a rule that reads one is true only at
that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from streams.stats.buckets import LEVELS, SPANS, Sums

if TYPE_CHECKING:
    from streams.records import Scope
    from streams.rules.facts import Held, MarketFacts

Type = Literal["bool", "int", "double", "string"]
Value = bool | int | float | str
MICRO: Final = 1e6


class Variable(NamedTuple):
    """One name of the rule language."""

    name: str
    type: Type
    doc: str
    read: Callable[[Any], Value]
    of_order: bool = False
    window: int | None = None
    """Index into `SPANS` of the window it is about."""


Row = tuple[str, Type, str, Callable[[Any], Value]]

_ORDER: Final[tuple[Row, ...]] = (
    ("order.notional", "double", "what it cost or brought, USDC", lambda f: f.order.notional_micros / MICRO),
    ("order.price", "double", "USDC per share, 0 to 1", lambda f: f.order.price),
    ("order.shares", "double", "shares", lambda f: f.order.shares / MICRO),
    ("order.side", "string", "BUY or SELL", lambda f: f.order.side),
    ("order.outcome", "string", "name of the outcome traded", lambda f: f.order.token_label or ""),
    ("order.token_id", "string", "token of the outcome traded", lambda f: f.order.token_id),
    ("order.wallet", "string", "address, lower case", lambda f: f.order.user),
    ("order.taker", "string", "counterparty, often the exchange contract", lambda f: f.order.taker or ""),
    ("order.label", "string", "label of its wallet on the watch-list", lambda f: f.label or ""),
    ("order.timestamp", "int", "block time, unix seconds", lambda f: f.order.timestamp),
    ("order.age", "double", "seconds since block time", lambda f: max(0, f.clock - f.order.timestamp * 1_000) / 1e3),
)

_LEFT: Final[Row] = (
    "market.seconds_left",
    "int",
    "seconds until the market ends, negative afterwards; 2147483647 where its slug does not tell",
    lambda f: f.seconds_left,
)

_ORDERS_MARKET: Final[tuple[Row, ...]] = (
    ("market.id", "string", "condition id", lambda f: f.order.condition_id or ""),
    ("market.slug", "string", "slug of the market", lambda f: f.order.market_slug or ""),
    ("market.title", "string", "title of the market", lambda f: f.order.title or ""),
)

_MARKET: Final[tuple[Row, ...]] = (
    ("market.id", "string", "condition id", lambda f: f.subject),
    ("market.slug", "string", "slug of the market", lambda f: f.state.slug or ""),
    ("market.title", "string", "title of the market", lambda f: f.state.title or ""),
)

_WALLET: Final[tuple[Row, ...]] = (
    ("wallet.samples", "int", "orders of this wallet before this one", lambda f: f.baseline.samples),
    ("wallet.mean_order", "double", "mean size of the orders before this one, USDC", lambda f: f.baseline.mean / MICRO),
    ("wallet.deviation", "double", "deviation of those sizes, USDC", lambda f: f.baseline.deviation / MICRO),
    (
        "wallet.size_sigma",
        "double",
        "deviations of this order above that mean; 0 until there are 20 samples",
        lambda f: f.baseline.sigma(f.order.notional_micros),
    ),
    (
        "wallet.market_exposure",
        "double",
        "bought minus sold in this order's market in 24 h, with this order, USDC",
        lambda f: f.exposure / MICRO,
    ),
    (
        "wallet.market_exposure_before",
        "double",
        "the same without this order; crossing a limit is: before <= limit && exposure > limit",
        lambda f: f.exposure_before / MICRO,
    ),
    (
        "wallet.size_percentile",
        "double",
        "percentile (0 to 100) of this order's size among the orders before; 0 until there are 20 samples",
        lambda f: f.state.size_rank(f.order.notional_micros, without=f.order.notional_micros),
    ),
    (
        "wallet.market_orders",
        "int",
        "orders in this order's market in 24 h, before this one",
        lambda f: f.market_orders,
    ),
    (
        "wallet.market_share",
        "double",
        "share (0 to 1) of its orders in 24 h that were in this order's market: its usual markets; without this order",
        lambda f: f.market_orders / max(1, f.sums(LEVELS - 1).orders - 1),
    ),
    (
        "wallet.first_in_market",
        "bool",
        "whether none of the 64 outcomes it traded last is of this market; when watching begins, every market is new",
        lambda f: f.state.orders_in_market(f.order.condition_id) == 1,
    ),
    (
        "wallet.position_shares",
        "double",
        "shares of this outcome bought less sold since watching began, with this order",
        lambda f: f.position.shares / MICRO,
    ),
    (
        "wallet.position_price",
        "double",
        "mean USDC per share of what it bought of this outcome since watching began; 0 if nothing",
        lambda f: f.position.average_price or 0.0,
    ),
)

_FLOW: Final[tuple[tuple[str, Type, str, Callable[[Sums], Value]], ...]] = (
    ("orders", "int", "orders", lambda s: s.orders),
    ("buys", "int", "orders that bought", lambda s: s.buys),
    ("sells", "int", "orders that sold", lambda s: s.orders - s.buys),
    ("bought", "double", "bought, USDC", lambda s: s.bought / MICRO),
    ("sold", "double", "sold, USDC", lambda s: s.sold / MICRO),
    ("volume", "double", "bought and sold, USDC", lambda s: s.volume / MICRO),
    ("net_flow", "double", "bought minus sold, USDC", lambda s: (s.bought - s.sold) / MICRO),
    ("mean_order", "double", "mean size of an order, USDC", lambda s: (s.bought + s.sold) / max(1, s.orders) / MICRO),
    ("mean_price", "double", "USDC paid per share bought", lambda s: s.bought / max(1, s.shares)),
)


_AGREEMENT: Final[tuple[tuple[str, str, Callable[[MarketFacts, int], Value]], ...]] = (
    ("consensus", "most distinct wallets on one side of one outcome", lambda f, level: f.state.consensus(level)),
    (
        "disagreement",
        "of each outcome the smaller of its distinct buyers and its distinct sellers, the largest of these",
        lambda f, level: f.state.disagreement(level),
    ),
)

_SIDES: Final[tuple[tuple[str, Type, str, Callable[[MarketFacts, int], Value]], ...]] = (
    ("buyers", "int", "distinct wallets that bought this outcome", lambda f, level: f.traded.buyers(level)),
    ("sellers", "int", "distinct wallets that sold this outcome", lambda f, level: f.traded.sellers(level)),
    (
        "same_side",
        "int",
        "distinct wallets on this order's side of its outcome, its own too",
        lambda f, level: f.side(level),
    ),
    ("other_side", "int", "distinct wallets on the other side", lambda f, level: f.side(level, other=True)),
    (
        "price_move",
        "double",
        "newest price less the one at the beginning, USDC per share",
        lambda f, level: f.traded.price_move(level),
    ),
)


def _of_sums(held: Callable[[Any], Held], level: int, value: Callable[[Sums], Value]) -> Callable[[Any], Value]:
    return lambda f: value(held(f).sums(level))


def _window(
    prefix: str, level: int, held: Callable[[Any], Held], distinct: str | None, *, of_order: bool
) -> Iterator[Variable]:
    """Yield the variables of one window of what `held` finds in the facts."""
    span = SPANS[level].name

    def variable(field: str, kind: Type, doc: str, read: Callable[[Any], Value]) -> Variable:
        return Variable(f"{prefix}.w{span}.{field}", kind, f"{doc}, last {span}", read, of_order, level)

    for field, kind, doc, value in _FLOW:
        yield variable(field, kind, doc, _of_sums(held, level, value))
    yield variable("max_order", "double", "largest order, USDC", lambda f: held(f).largest(level) / MICRO)
    if distinct is not None:
        yield variable(distinct, "int", f"distinct {distinct}", lambda f: f.windows.distinct[level])


def _facts(facts: Held) -> Held:
    return facts


def _outcome(facts: MarketFacts) -> Held:
    return facts.outcome


def _wallet_variables() -> Iterator[Variable]:
    for row in (*_ORDER, *_ORDERS_MARKET, _LEFT, *_WALLET):
        yield Variable(*row, of_order=True)
    yield Variable("wallet.address", "string", "the wallet, lower case", lambda f: f.subject)
    for level in range(LEVELS):
        yield from _window("wallet", level, _facts, "markets", of_order=False)


def _market_variables() -> Iterator[Variable]:
    for row in (*_ORDER, _LEFT):
        yield Variable(*row, of_order=True)
    for row in _MARKET:
        yield Variable(*row)
    yield Variable(
        "outcome.last_price", "double", "newest price of this order's outcome", lambda f: f.price, of_order=True
    )
    for level in range(LEVELS):
        yield from _window("market", level, _facts, "wallets", of_order=False)
        for field, doc, read in _AGREEMENT:
            yield _about(f"market.w{SPANS[level].name}.{field}", "int", doc, read, level, of_order=False)
        yield from _window("outcome", level, _outcome, None, of_order=True)
        for field, kind, doc, read in _SIDES:
            yield _about(f"outcome.w{SPANS[level].name}.{field}", kind, doc, read, level, of_order=True)


def _about(
    name: str, kind: Type, doc: str, read: Callable[[MarketFacts, int], Value], level: int, *, of_order: bool
) -> Variable:
    return Variable(name, kind, f"{doc}, last {SPANS[level].name}", lambda f: read(f, level), of_order, level)


CATALOGUE: Final[dict[Scope, dict[str, Variable]]] = {
    "wallet": {variable.name: variable for variable in _wallet_variables()},
    "market": {variable.name: variable for variable in _market_variables()},
}
"""Scope -> name -> variable."""
