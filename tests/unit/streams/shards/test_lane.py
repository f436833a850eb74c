from __future__ import annotations

from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from streams.shards.lane import Lane, Turnstile


async def test_a_defect_reaches_whoever_holds_a_receipt() -> None:
    """What cannot be encoded fails its receipt and every later put, instead of leaving both waiting for ever."""
    producer = AIOKafkaProducer()
    lane = Lane(producer, Turnstile(), "statistics", 0)
    receipt = await lane.put([(b"k", cast("Any", 5), [])])
    with pytest.raises(TypeError):
        await receipt
    with pytest.raises(TypeError):
        await lane.put([(b"k", b"v", [])])
    lane.close()
    await producer.stop()


async def test_closing_a_lane_fails_what_waits_in_it() -> None:
    """A receipt that nobody will ever fulfil says so."""
    producer = AIOKafkaProducer()
    lane = Lane(producer, Turnstile(), "statistics", 0)
    receipt = await lane.put([(b"k", b"v", [])])
    lane.close()
    with pytest.raises(ProducerClosed):
        await receipt
    await producer.stop()
