from __future__ import annotations

import asyncio
import os
import signal

import pytest

from connector.local.interrupts import Interrupts


async def strike(number: signal.Signals = signal.SIGINT) -> None:
    """Send ourselves a signal, and let the loop see it."""
    os.kill(os.getpid(), number)
    await asyncio.sleep(0.01)


async def forever(played: list[str], seconds: float | None = None) -> None:
    """Play, then hang in what follows."""
    task = asyncio.current_task()
    assert task is not None
    await Interrupts(task).play(seconds)
    played.append("over")
    await asyncio.Event().wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_ends_the_play_and_the_second_all(number: signal.Signals) -> None:
    """
    What follows the play (draining, the audit) goes on after one signal, and is given up at the second.

        play ---- signal: over ---- audit ---- signal: cancelled
    """
    played: list[str] = []
    task = asyncio.create_task(forever(played))
    await asyncio.sleep(0.01)
    await strike(number)
    assert played == ["over"]
    assert not task.done()
    await strike(number)
    assert task.cancelled()


async def test_the_play_ends_by_itself_in_time() -> None:
    """After that, the first signal cancels."""
    played: list[str] = []
    task = asyncio.create_task(forever(played, 0.05))
    await asyncio.sleep(0.1)
    assert played == ["over"]
    await strike()
    assert task.cancelled()


async def test_cleaning_up_is_not_interrupted_again() -> None:
    """Impatience at Ctrl-C does not leave processes behind."""
    cleaned: list[str] = []

    async def program() -> None:
        task = asyncio.current_task()
        assert task is not None
        Interrupts(task)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            cleaned.append("all")

    task = asyncio.create_task(program())
    await asyncio.sleep(0.01)
    await strike()
    await strike()
    await asyncio.sleep(0.1)
    assert cleaned == ["all"]
    assert task.cancelled()
