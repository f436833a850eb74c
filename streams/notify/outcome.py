"""What became of an attempt to send. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

_STATUS = re.compile(r"\berror=(\d{3})\b")
_PATIENT: Final = frozenset({408, 425, 429})
"""Client errors that pass: timeout, too early, too many requests."""

MOST_WAIT_S: Final = 300.0
FIRST_WAIT_S: Final = 1.0
CAP_S: Final = 60.0


class Attempt(NamedTuple):
    """How one attempt ended."""

    result: Literal["sent", "retry", "refused"]
    detail: str = ""
    wait_s: float = 0.0
    """How long the receiver wants to be left alone."""


SENT: Final = Attempt("sent")


def of_status(status: int, retry_after: str = "") -> Attempt:
    """Return what an HTTP status means: 2xx is sent, other 4xx and redirects stay as they are, the rest passes."""
    if 200 <= status < 300:
        return SENT
    if status in _PATIENT or status >= 500:
        return Attempt("retry", f"HTTP {status}", _seconds(retry_after))
    moved = ": it points elsewhere, correct the URL" if 300 <= status < 400 else ""
    return Attempt("refused", f"HTTP {status}{moved}")


def of_apprise(said: str) -> Attempt:
    """Return what Apprise's complaints mean: it tells no status but in words."""
    match = _STATUS.search(said)
    detail = " ".join(said.split()) or "Apprise does not say why"
    return Attempt("retry", detail) if match is None else of_status(int(match[1]))._replace(detail=detail)


def wait_s(failures: int, attempt: Attempt, random: float) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, and between half and all of it."""
    bound = min(CAP_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))
    return max(bound * (1 + random) / 2, attempt.wait_s)


def _seconds(retry_after: str) -> float:
    """Return Retry-After in seconds; dates are not worth the parsing, our own waiting will do."""
    return min(float(retry_after), MOST_WAIT_S) if retry_after.isdecimal() else 0.0
