"""Valid frames of each dialect, from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

WALLETS = tuple(f"0x{number:040x}" for number in range(1, 11))
FIRST_SECOND = 1_767_556_295
SUBSCRIPTION = "sub_1a2b3c4d5e6f"

_CODES = ("SUBSCRIPTION_LIMIT", "INVALID_FILTERS", "SUBSCRIPTION_NOT_FOUND", "RATE_LIMIT", "AUTH_FAILED", "PARSE_ERROR")


def order_event(dialect: str, random: Random, second: int = FIRST_SECOND) -> dict[str, Any]:
    """Return an event with an order that nobody has seen before, executed in this unix second."""
    index = random.randrange(2_000)
    shares = random.randrange(1, 10**10)
    data = {
        "token_id": str(random.getrandbits(255)),
        "token_label": random.choice(["Yes", "No", "Up", "Größer ↑"]),
        "side": random.choice(["BUY", "SELL"]),
        "market_slug": "eth-updown-15m-1767555900",
        "condition_id": _hex(random, 64),
        "shares": shares,
        "shares_normalized": shares / 1e6,
        "price": random.randrange(1001) / 1000,
        "block_number": random.randrange(80_000_000, 90_000_000),
        "log_index": index,
        "tx_hash": _hex(random, 64),
        "title": "Ethereum Up or Down - January 4, 2:45PM-3:00PM ET",
        "timestamp": second,
        "order_hash": _hex(random, 64),
        "user": random.choice(WALLETS),
        "taker": _hex(random, 40),
    }
    if dialect == "predexon":
        del data["block_number"]
        data |= {"log_index": hex(index), "event_type": "order_filled", "status": "confirmed", "fee": 0, "metadata": {}}
    return {"type": "event", "subscription_id": SUBSCRIPTION, "data": data}


def other_message(dialect: str, random: Random) -> dict[str, Any]:
    """Return a message that is no order."""
    ack = {"type": "ack", "subscription_id": f"sub_{random.randrange(100):012x}"}
    error = {"type": "error", "code": random.choice(_CODES), "message": "no"}
    if dialect == "predexon":
        refund = order_event(dialect, random)
        refund["data"] = {"event_type": "fee_refund", "tx_hash": _hex(random, 64)}
        pending = order_event(dialect, random)
        pending["data"] |= {"status": "pending", "log_index": None}
        greeting = {"type": "connected", "message": "hello"}
        return random.choice([ack | {"channel": "trades"}, error, refund, pending, greeting])
    return random.choice([ack, error])


def _hex(random: Random, digits: int) -> str:
    return f"0x{random.getrandbits(4 * digits):0{digits}x}"
