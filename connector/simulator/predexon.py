"""Predexon's side: Dome's envelope with a greeting, more acks, hex log indexes, pending trades and fee refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from connector.simulator.dialect import Dome
from connector.simulator.rest import RestError, limit_of, parse_query
from connector.simulator.tiers import PREDEXON_DEV, PREDEXON_FREE, PREDEXON_PRO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.simulator.book import Executed
    from connector.simulator.filters import Status
    from connector.simulator.protocol import Action
    from connector.simulator.rest import Page, Query
    from connector.simulator.settings import Switches
    from connector.simulator.tiers import Tier

_REFUND_FIELDS = ("user", "token_id", "tx_hash", "order_hash", "market_slug", "condition_id", "title")


class Predexon:
    """See the module. What is not documented of REST v2's rows is as in Dome's."""

    name = "predexon"
    tiers: Mapping[str, Tier] = {"free-": PREDEXON_FREE, "dev-": PREDEXON_DEV, "pro-": PREDEXON_PRO}
    default_tier: Tier = PREDEXON_PRO
    greeting: str | None = '{"type":"connected","message":"Connected to Predexon WebSocket"}'
    full_requests: frozenset[Action] = frozenset({"subscribe"})
    one_filter = True
    idle_close: int | None = 4000
    drop_bytes: int | None = 1_000_000
    buffer_bytes = 4_000_000
    rest_path = "/v2/polymarket/trades"
    rest_user = "wallet"
    rest_key: tuple[str, ...] = ("x-api-key",)

    def __init__(self) -> None:
        self._shared = Dome()

    def new_id(self, pick: Callable[[str], str]) -> str:
        """Return `sub_` and 12 hex digits."""
        return "sub_" + "".join(pick("0123456789abcdef") for _ in range(12))

    def acks(self, action: Action, switches: Switches) -> bool:  # noqa: ARG002 - see Dialect
        """Acknowledge every request."""
        return True

    def ack(self, subscription: str) -> bytes:
        """Return the answer to a request that was accepted."""
        return orjson.dumps({"type": "ack", "subscription_id": subscription, "channel": "trades"})

    def error(self, code: str, message: str) -> bytes:
        """Return the answer to a request that was refused."""
        return self._shared.error(code, message)

    def event(self, subscription: str, data: bytes) -> bytes:
        """Return an event around encoded data."""
        return self._shared.event(subscription, data)

    def data(self, order: Executed) -> bytes:
        """Return the confirmed fill."""
        return orjson.dumps(_fill(order, "confirmed"))

    def before(self, order: Executed, status: Status, switches: Switches) -> list[bytes]:
        """Return the trade as the mempool showed it, for those who asked for it or, by a switch, for all."""
        if status == "confirmed" and not switches.pending:
            return []
        return [orjson.dumps(_fill(order, "pending") | {"log_index": None})]

    def after(self, order: Executed, switches: Switches) -> list[bytes]:
        """Return a fee refund, by a switch."""
        if not switches.fee_refunds:
            return []
        row = order.row
        refund = {name: row[name] for name in _REFUND_FIELDS if name in row}
        return [orjson.dumps({"event_type": "fee_refund", "status": "confirmed", **refund, "fee": 0.01})]

    def query(self, params: Mapping[str, str], switches: Switches) -> Query:
        """Read the parameters of a REST request; raises `RestError`. Only the default order is simulated."""
        if params.get("order", "desc") != "desc":
            raise RestError(400, "Bad Request", "order: this server lists newest first only")
        named = {name: value for name, value in params.items() if name not in ("user", "offset")}
        return parse_query(
            named | {"user": params.get(self.rest_user, "")},
            limit=limit_of(params, 500),
            requires_filter=switches.rest_requires_filter,
        )

    def body(self, page: Page) -> bytes:
        """Return the answer to a REST request."""
        pagination: dict[str, Any] = {
            "limit": page.query.limit,
            "count": len(page.orders),
            "has_more": page.key is not None,
        }
        if page.key is not None:
            pagination["pagination_key"] = page.key
        return orjson.dumps({"trades": [_row(order.row) for order in page.orders], "pagination": pagination})


def _fill(order: Executed, status: Status) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(order.wire)
    row.pop("block_number", None)
    index = row.get("log_index")
    return {
        "event_type": "order_filled",
        "status": status,
        **row,
        "log_index": None if index is None else hex(index),
        "fee": 0,
        "outcome": row.get("token_label"),
        "is_neg_risk": False,
        "role": "maker",
        "version": "v2",
        "builder": None,
        "metadata": None,
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as REST has it: normalized shares, no indexes."""
    shares = row.get("shares", 0) / 1_000_000
    bare = {
        name: value for name, value in row.items() if name not in ("block_number", "log_index", "shares_normalized")
    }
    return bare | {
        "shares": shares,
        "amount_usd": shares * row.get("price", 0.0),
        "fee_usd": 0.0,
        "outcome_label": row.get("token_label"),
    }
