"""
A replica of the connector whose wall clock jumps: SIGUSR1 puts it an hour ahead, SIGUSR2 an hour back.

    python -m tests.chaos.replica     as `python -m connector`; REPLICA_NAME gets the process id appended

Whatever reads the wall clock in Python sees the jump; the monotonic clock goes on, as it does on a real machine.
"""

from __future__ import annotations

import os
import runpy
import signal
import time

_JUMPS_S = {signal.SIGUSR1: 3_600, signal.SIGUSR2: -3_600}
_NS = 1_000_000_000


class _Clock:
    """The wall clock, off by whole seconds."""

    def __init__(self) -> None:
        self.offset_s = 0
        self._time, self._time_ns = time.time, time.time_ns  # noqa: TID251 - to wrap it

    def time(self) -> float:
        """Stand in for `time.time`."""
        return self._time() + self.offset_s

    def time_ns(self) -> int:
        """Stand in for `time.time_ns`."""
        return self._time_ns() + self.offset_s * _NS

    def jump(self, number: int, _: object) -> None:
        """Handle a signal."""
        self.offset_s = _JUMPS_S[signal.Signals(number)]


def main() -> None:
    """Wrap the clock, then become the connector."""
    clock = _Clock()
    time.time, time.time_ns = clock.time, clock.time_ns  # noqa: TID251 - to wrap it
    for number in _JUMPS_S:
        signal.signal(number, clock.jump)
        signal.siginterrupt(number, False)  # noqa: FBT003 - positional only
    os.environ["REPLICA_NAME"] = f"{os.environ.get('REPLICA_NAME', 'replica')}.{os.getpid()}"
    runpy.run_module("connector", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
