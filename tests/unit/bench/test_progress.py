"""Which stretch of a run counts."""

from __future__ import annotations

import pytest

from tests.bench.progress import Sample, Stretch, stretch


def test_a_third_of_the_orders_is_warm_up() -> None:
    """What was done and used until then does not count, nor what is used after the end."""
    samples = [Sample(0, 1.0), Sample(10, 4.0), Sample(40, 6.0), Sample(70, 7.0), Sample(100, 9.0), Sample(100, 12.0)]
    assert stretch(samples, 100) == Stretch(60, 3.0)
    assert stretch(samples, 100).events_per_cpu_s == 20.0


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([], "0 of 90"),
        ([Sample(0, 0.0), Sample(89, 2.0)], "89 of 90"),
        ([Sample(0, 0.0), Sample(20, 1.0), Sample(90, 2.0)], "too few"),
        ([Sample(40, 2.0), Sample(90, 2.0)], "too few"),
    ],
)
def test_a_run_that_tells_nothing_is_refused(samples: list[Sample], said: str) -> None:
    """It did not end, or ended within one flush."""
    with pytest.raises(ValueError, match=said):
        stretch(samples, 90)
