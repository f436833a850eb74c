"""
Follows orders and coverage: a consumer to start from. Needs aiokafka only.

    python orders.py BOOTSTRAP GROUP [PREFIX]

Prints a JSON line for each order and each change of coverage. Commits after printing: what is printed when it is killed
may be printed again, so keep `event_id` unique wherever you keep orders.
"""

import asyncio
import json
import signal
import sys
from collections import OrderedDict

from aiokafka import AIOKafkaConsumer

REMEMBERED = 100_000  # event ids; repetitions come soon after each other


class Seen:
    """The last ids, of which each is new once."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_new(self, event_id: str) -> bool:
        """Remember an id; return whether it was not remembered yet."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)
        return True


async def follow(bootstrap: str, group: str, prefix: str) -> None:
    """Print until SIGTERM."""
    orders, coverage = f"{prefix}orders.v1", f"{prefix}coverage.v1"
    consumer = AIOKafkaConsumer(
        orders,
        coverage,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    seen, covered = Seen(), dict[str, int]()
    await consumer.start()
    try:
        while not stop.is_set():
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    if tp.topic == coverage:
                        on_coverage(covered, record.key.decode(), record.value)
                    elif seen.is_new((order := json.loads(record.value))["event_id"]):
                        say(order=order["event_id"], wallet=order["user"], micros=order["notional_micros"])
            sys.stdout.flush()
            await consumer.commit()
    finally:
        await consumer.stop()


def on_coverage(covered: dict[str, int], wallet: str, value: bytes | None) -> None:
    """Keep the table; a tombstone takes the wallet out of it."""
    if value is None:
        covered.pop(wallet, None)
        say(forgotten=wallet)
    else:
        covered[wallet] = json.loads(value)["covered_until_ms"]
        say(covered=wallet, until_ms=covered[wallet])


def say(**line: object) -> None:
    """Print a line."""
    print(json.dumps(line))


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""))
