"""The rivals of the benchmark do the whole job, also on orders that no prepared backlog has."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest

from connector.contract.record import decode_order, encode
from streams.rules.engine import load_rules
from tests.bench import rules
from tests.bench.filling import fill
from tests.bench.prepared import Backlog, Stored, backlog
from tests.bench.progress import watch
from tests.bench.rivals.contest import Contest, prepare
from tests.bench.rivals.contestants import CONTESTANTS, ready
from tests.bench.rivals.expected import Expected
from tests.bench.rivals.verify import verify
from tests.bench.systems import PARTITIONS

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DAY_S = 86_400


def disturbed(made: Backlog, rng: Random) -> Backlog:
    """Return a backlog with repetitions, soon and late, and orders that are late, of the future, and of no market."""
    partitions = []
    for records in made.partitions:
        changed: list[Stored] = []
        for record in records:
            changed.append(record._replace(value=_changed(record.value, rng)))
            if rng.random() < 0.05:
                again = changed[-min(len(changed), rng.choice((1, 30, 500)))]
                changed.append(record._replace(key=again.key, value=again.value))
        partitions.append(changed)
    return made._replace(partitions=partitions)


def _changed(value: bytes, rng: Random) -> bytes:
    order = decode_order(value)
    if rng.random() < 0.3:
        behind = rng.choice((-90, 3, 70, 400, 4_000, DAY_S - 1_000, DAY_S + 2_000))
        order = msgspec.structs.replace(order, timestamp=order.timestamp - behind)
    if rng.random() < 0.05:
        order = msgspec.structs.replace(order, condition_id=None)
    return encode(order)


@pytest.mark.parametrize("name", CONTESTANTS)
async def test_a_contestant_comes_to_what_the_fold_says(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, name: str
) -> None:
    """Statistics and alerts, over 30 hours of few wallets with many tokens."""
    contestants, left_out = ready([name], tmp_path)
    assert not left_out
    start = time.time() - 31 * 3_600  # noqa: TID251 - orders of now
    made = backlog(12_000, shape="skewed", wallets=40, partitions=PARTITIONS, start=start, seconds=30 * 3_600)
    orders = disturbed(made, Random(1))
    rule_file = rules.fifty(tmp_path / "fifty.yaml")
    expected = Expected.of(orders, load_rules(rule_file.read_text(encoding="utf-8")))
    assert sum(known.state.late for known in expected.wallets.values()) > 100
    assert any(known.state.positions.dropped for known in expected.wallets.values())
    topic = await fill(kafka.bootstrap, topic_prefix, orders)
    contest = Contest(kafka.bootstrap, tmp_path, topic, f"{topic_prefix}{name}.", rule_file, 1.0)
    await prepare(contest)
    async with contestants[name](contest) as process:
        await watch(kafka.bootstrap, process, group=contest.group, topic=topic, orders=orders.orders)
        await process.term()
    found = await verify(kafka.bootstrap, contest.prefix, expected)
    assert found.alerts == len(expected.alerts) > 50
