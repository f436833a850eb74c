from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.shards.admission import Admission, Tail, Verdict


def read_with_faults(log: list[int], skips: list[int], repeats: list[int], position: int) -> list[int]:
    """Read `log` through an admission while the client skips and repeats records; return what was admitted."""
    admission = Admission(position)
    admitted = []
    fetch_from, steps = position + 1, 0
    while ahead := [offset for offset in log if offset >= fetch_from]:
        skip = skips[steps] if steps < len(skips) else 0
        back = repeats[steps] if steps < len(repeats) else 0
        steps += 1
        offset = ahead[min(skip, len(ahead) - 1)]
        fetch_from = offset + 1 - back
        verdict = admission.judge(offset)
        if verdict is Verdict.ADMIT:
            admitted.append(offset)
        elif verdict is Verdict.JUMP:
            # The seek back is honest: what comes next is the first record at or after it.
            offset = next(each for each in log if each >= admission.next)
            assert admission.judge(offset) is Verdict.ADMIT
            admitted.append(offset)
            fetch_from = offset + 1
    return admitted


@given(
    log=st.lists(st.integers(0, 300), unique=True, max_size=60).map(sorted),
    skips=st.lists(st.integers(0, 4), max_size=60),
    repeats=st.lists(st.integers(0, 3), max_size=20),
    position=st.integers(-1, 50),
)
def test_every_record_after_the_position_is_admitted_once_in_order(
    log: list[int], skips: list[int], repeats: list[int], position: int
) -> None:
    """Whatever the client skips or repeats, and wherever the log has legal holes, nothing is lost or doubled."""
    expected = [offset for offset in log if offset > position]
    admitted = read_with_faults(log, skips, repeats, position)
    # The last skip may leave records behind that no later record betrays; the shard's stall check reads those.
    assert admitted == expected[: len(admitted)]
    assert not skips or len(admitted) >= len(expected) - max(skips)
    assert skips or admitted == expected


def test_a_replayed_record_is_dropped() -> None:
    """Offsets at or below the position are absorbed already."""
    admission = Admission(10)
    assert [admission.judge(offset) for offset in (9, 10, 11)] == [Verdict.ABSORBED, Verdict.ABSORBED, Verdict.ADMIT]


def test_a_hole_is_believed_only_after_reading_again() -> None:
    """
    A hole is legal only if it is still there after a seek.

    Timeline of offsets that arrive, with a hole at 3 and 4:

        1 2 . . 5        5 jumps: read again from 3
                5 6      5 is the first record there: the hole is legal
                    8    8 jumps again: every hole is checked
    """
    admission = Admission(0)
    verdicts = [admission.judge(offset) for offset in (1, 2, 5, 5, 6, 8)]
    assert verdicts == [Verdict.ADMIT, Verdict.ADMIT, Verdict.JUMP, Verdict.ADMIT, Verdict.ADMIT, Verdict.JUMP]
    assert admission.next == 7


def test_what_is_ahead_and_does_not_come_is_read_again_once() -> None:
    """
    Something lies at 7 that never comes: a record that was skipped, or a transaction marker.

        seconds   0 ......... 2.1 ......... 4.2
        end 8     ahead       read again    a marker, so the end is reached
        end 9                                             ahead again
    """
    tail = Tail(2.0, 0.0)
    assert not tail.reached(7, 8)
    assert [tail.stalled(8, at) for at in (1.0, 2.1, 3.0, 4.2)] == [False, True, False, False]
    assert tail.reached(7, 8)
    assert not tail.reached(7, 9)
    assert tail.stalled(9, 6.5)


def test_records_that_come_end_a_stall() -> None:
    """The time without records starts anew with each."""
    tail = Tail(2.0, 0.0)
    tail.moved(1.5)
    assert not tail.stalled(8, 3.0)
    assert tail.stalled(8, 3.6)
    assert tail.reached(8, 8)
