"""
The wallet half as a Quix Streams application, with our own fold: only the framework differs.

    python -m tests.bench.rivals.quix_job KAFKA GROUP ORDERS PREFIX RULES STATE FLUSH_S

State is kept per key in its store, with a changelog. Its checkpoints write both, and they call the sink first: there
statistics go out, coalesced per wallet. It runs in an environment of its own, see `make rivals`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka import Producer
from quixstreams import Application, message_context
from quixstreams.sinks import BaseSink

from connector.contract.record import decode_order
from streams.effects import Topics
from streams.fold import WalletFold
from streams.jobs import WalletJob
from streams.records import encode
from streams.rules.engine import load_rules
from streams.shards.live import Live
from streams.shards.position import START
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from streams.records import Alert

_KEY = b"state"
_PRODUCER = {"acks": "all", "batch.size": 256 * 1024, "queue.buffering.max.messages": 1_000_000}


class Folded(NamedTuple):
    """What an order did to its wallet."""

    wallet: str
    state: WalletState
    alerts: list[Alert]
    offset: int


class Step:
    """Folds one order, with the state that the framework hands over as bytes."""

    def __init__(self, fold: WalletFold, lives: dict[int, Live[WalletState]], job: WalletJob) -> None:
        self._fold = fold
        self._lives = lives
        self._job = job
        self._stored: dict[str, bytes] = {}
        """Wallet -> what its live state was encoded as: where the store has the same, nothing is decoded."""

    def __call__(self, value: bytes, key: bytes, timestamp: int, headers: Any, state: Any) -> Folded:
        """Fold the order of a message; `timestamp` is its append time."""
        context = message_context()
        partition, offset = context.partition, context.offset
        live = self._lives.get(partition)
        if live is None:
            live = self._lives[partition] = Live(partition, START, self._job.due)
        order = decode_order(value)
        wallet = order.user
        if key != wallet.encode():
            raise ValueError(f"an order of {wallet} under the key {key!r}")
        step = self._fold.step(
            self._known(live, wallet, state.get_bytes(_KEY)),
            order,
            partition=partition,
            offset=offset,
            clock=live.observe(timestamp),
            source=_source(headers),
            errors=live.errors,
        )
        live.values[wallet] = step.state
        stored = self._stored[wallet] = step.state.encode()
        state.set_bytes(_KEY, stored)
        return Folded(wallet, step.state, step.alerts, offset)

    def _known(self, live: Live[WalletState], wallet: str, stored: bytes | None) -> WalletState | None:
        if stored is None:
            return None
        if stored == self._stored.get(wallet):
            return live.values[wallet]
        return WalletState.decode(stored)


class Outputs(BaseSink):  # type: ignore[misc]  # not installed beside us
    """Sends alerts at once, and at each checkpoint the statistics that orders or time have changed."""

    def __init__(self, kafka: str, topics: Topics, lives: dict[int, Live[WalletState]], job: WalletJob) -> None:
        super().__init__()
        self._producer = Producer({"bootstrap.servers": kafka, **_PRODUCER})
        self._topics = topics
        self._lives = lives
        self._job = job
        self._failed: list[object] = []

    def add(  # noqa: PLR0917 - as the framework calls it
        self,
        value: Folded,
        key: bytes,
        timestamp: int,
        headers: Any,
        topic: str,
        partition: int,
        offset: int,
    ) -> None:
        """Take what an order did."""
        live = self._lives[partition]
        live.offset = offset
        live.touch(value.wallet)
        for alert in value.alerts:
            self._send(self._topics.alerts, key, encode(alert))

    def flush(self) -> None:
        """Publish, and wait until all is acknowledged: the changelog and the offsets come after it."""
        for live in self._lives.values():
            live.expire(live.clock)
            changed, live.unpublished = live.unpublished, set()
            live.unremembered.clear()
            for wallet in changed:
                key, value, _ = self._job.statistics(live, wallet, live.clock)
                self._send(self._topics.wallet_stats, key, value)
                live.schedule(wallet, live.clock)
        self._producer.flush()
        if self._failed:
            raise RuntimeError(f"Kafka did not take everything: {self._failed[0]}")

    def _send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        self._producer.produce(topic, value, key, on_delivery=self._delivered)
        self._producer.poll(0)

    def _delivered(self, error: object, _: Any) -> None:
        if error is not None:
            self._failed.append(error)


def _source(headers: Any) -> str:
    for name, value in headers or ():
        if name == "source":
            return bytes(value).decode()
    return "unknown"


def main(*given: str) -> None:
    """Work until SIGTERM."""
    kafka, group, orders, prefix, rules, state, flush_s = given
    app = Application(
        broker_address=kafka,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=float(flush_s),
        state_dir=state,
        loglevel="WARNING",
        producer_extra_config={"batch.size": 256 * 1024},
    )
    fold = WalletFold(load_rules(Path(rules).read_text(encoding="utf-8"), topic=orders))
    topics = Topics(prefix, orders)
    job = WalletJob(fold, topics, lambda _: 0)
    lives: dict[int, Live[WalletState]] = {}
    stream = app.dataframe(app.topic(orders, key_deserializer="bytes", value_deserializer="bytes"))
    folded = stream.apply(Step(fold, lives, job), stateful=True, metadata=True)
    folded.sink(Outputs(kafka, topics, lives, job))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
