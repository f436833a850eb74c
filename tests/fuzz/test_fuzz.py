from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from connector.dialects.dome import Dome
from connector.dialects.predexon import Predexon
from tests.fuzz.frames import order_event
from tests.fuzz.mutations import MUTATIONS, encoded
from tests.fuzz.run import FrameFailed, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.dialects import Dialect, Message

FRAMES = 10_000
_ENDS = {"order", "duplicate", "unsettled", "dead", "ack", "refusal"}


@pytest.mark.parametrize(("dialect", "ends"), [(Dome(), _ENDS), (Predexon(), _ENDS | {"ignored"})])
def test_every_frame_ends_as_one_thing(dialect: Dialect, ends: set[str]) -> None:
    """No exception; what is decided, buried and counted adds up; every kind of end is met."""
    result = run(dialect, FRAMES, seed=20_261_101)
    assert sum(result.outcomes.values()) == FRAMES
    assert set(result.outcomes) == ends
    counts = dict(result.counts)
    assert counts.pop("orders") == result.outcomes["order"]
    assert counts.pop("duplicates") == result.outcomes["duplicate"]
    assert counts.pop("twin") + counts.pop("old-order") == result.outcomes["unsettled"]
    assert sum(counts.values()) == result.outcomes["dead"]
    assert counts.keys() >= {"bad-json", "invalid-order", "too-large", "too-deep", "not-an-object", "unknown-type"}


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS))
def test_each_mutation_changes_the_frame(mutation: Callable[[dict[str, Any], Random], bytes]) -> None:
    """A mutation that left frames as they were would prove nothing."""
    same = 0
    for seed in range(200):
        valid = encoded(order_event("dome", Random(seed)))
        same += mutation(order_event("dome", Random(seed)), Random(seed)) == valid
    assert same < 40


class Fragile(Dome):
    """A dialect that trusts the provider."""

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Fail on a frame without a type."""
        return super().classify({"type": frame["type"], **frame})


class Forgetful(Dome):
    """A dialect that takes every message for one it may ignore."""

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Turn all into acks of nobody."""
        return super().classify({"type": "ack", "subscription_id": "sub_none"})


@pytest.mark.parametrize(("dialect", "fault"), [(Fragile(), "KeyError: 'type'"), (Forgetful(), "expected order, got ")])
def test_a_broken_promise_is_found(dialect: Dialect, fault: str) -> None:
    """An exception and a valid order that does not become one; seed, frame and bytes are named."""
    with pytest.raises(FrameFailed, match=r"dome, seed 3, frame \d+: ") as caught:
        run(dialect, 1_000, seed=3)
    assert fault in str(caught.value)
