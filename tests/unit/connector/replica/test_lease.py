"""Until when we are sure to own what the group gave us. Seconds."""

from __future__ import annotations

from connector.replica.lease import Lease


def test_nothing_is_owned_before_the_first_proof() -> None:
    """A replica that just started may not publish."""
    assert not Lease(10.0, 30.0).valid(0.0)


def test_a_proof_counts_from_when_it_was_asked_for() -> None:
    """
    The coordinator heard of us when the request left, not when its answer was read.

        asked at 100 ──── frozen ──── answer read at 107 ── valid to 108, of a session of 10
    """
    lease = Lease(10.0, 30.0)
    lease.renew(100.0)
    assert lease.valid(107.9)
    assert not lease.valid(108.0)


def test_an_old_answer_does_not_shorten_it() -> None:
    """Answers may be read out of order."""
    lease = Lease(10.0, 30.0)
    lease.renew(100.0)
    lease.renew(95.0)
    assert lease.valid(107.9)


def test_it_ends_with_the_membership() -> None:
    """The coordinator does not know us any more: whatever was proven before is worth nothing."""
    lease = Lease(10.0, 30.0)
    lease.renew(100.0)
    lease.end()
    assert not lease.valid(100.0)


def test_a_group_that_waits_shorter_than_a_session_shortens_it() -> None:
    """In a rebalance the coordinator gives up a member that does not join again in time."""
    lease = Lease(10.0, 5.0)
    lease.renew(100.0)
    assert not lease.valid(104.0)
