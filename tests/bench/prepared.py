"""What is sent, made before anything is measured: frames for a socket, records for a topic."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson
from aiokafka.partitioner import murmur2

from connector.contract.identity import content_id, event_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.record import encode, order_record
from connector.simulator.market import GeneratedMarket
from connector.simulator.timeline import stamped

if TYPE_CHECKING:
    from collections.abc import Iterator

Shape = Literal["equal", "skewed"]
"""Of the market: all wallets trade alike, or as the simulator has it, where a few trade most."""

SUBSCRIPTION = "sub-bench"
SEED = 20_260_105
_BURST = 100


class Frame(NamedTuple):
    """One event as the provider sends it, and the id its order will have."""

    text: str
    event_id: str


class Stored(NamedTuple):
    """One record of `orders.v1`."""

    timestamp_ms: int
    key: bytes
    value: bytes


class Backlog(NamedTuple):
    """An `orders.v1` to be written: records by partition, in order."""

    partitions: list[list[Stored]]
    wallets: int
    """Wallets that occur."""
    busiest: float
    """Share of the orders that the busiest wallet has."""

    @property
    def orders(self) -> int:
        """Records in all."""
        return sum(map(len, self.partitions))


def frames(count: int, *, wallets: int, rate: float, start: float) -> tuple[list[str], list[Frame]]:
    """Return the market's wallets and `count` events of different content, executed from `start` (unix seconds) on."""
    market = GeneratedMarket(Random(SEED), rate=rate, burst=1, wallets=wallets)
    made: dict[str, Frame] = {}
    for row in _rows(market, start):
        content = content_id(parse_order(row))
        frame = {"type": "event", "subscription_id": SUBSCRIPTION, "data": row}
        made.setdefault(content, Frame(orjson.dumps(frame).decode(), event_id(content, 0)))
        if len(made) == count:
            break
    return market.wallets, list(made.values())


def backlog(count: int, *, shape: Shape, wallets: int, partitions: int, start: float, seconds: float) -> Backlog:
    """
    Return `count` orders executed and appended evenly over `seconds` from `start` (unix seconds) on.

    `equal` gives each order of the same market to any of the wallets.
    """
    rng = Random(SEED)
    market = GeneratedMarket(rng, rate=count / seconds, burst=_BURST, wallets=wallets)
    records: list[list[Stored]] = [[] for _ in range(partitions)]
    seen: Counter[str] = Counter()
    users: Counter[str] = Counter()
    for row in islice(_rows(market, start), count):
        order = parse_order(row | {"user": rng.choice(market.wallets)} if shape == "equal" else row)
        content = content_id(order)
        key = wallet_key(order.user)
        value = encode(order_record(order, content, seen[content]))
        seen[content] += 1
        users[order.user] += 1
        partition = (murmur2(key) & 0x7FFFFFFF) % partitions
        records[partition].append(Stored(order.timestamp * 1_000 + 1_500, key, value))
    return Backlog(records, len(users), max(users.values()) / count)


def _rows(market: GeneratedMarket, start: float) -> Iterator[dict[str, Any]]:
    return chain.from_iterable(stamped(batch, start) for batch in market.batches())
