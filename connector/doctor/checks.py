"""What a check says, and how all of them are told. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

from connector.process.exits import DONE, FAILED, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Status = Literal["ok", "warn", "fail", "skip"]

_TITLES: dict[Status, str] = {"ok": "ok", "warn": "warned of", "fail": "failed", "skip": "not checked"}

_WIDTH = 28
"""Columns of names; they are told one by one, so nobody knows the longest."""
_INDENT = " " * (_WIDTH + 8)


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    status: Status
    """`skip`: it could not be looked at, since something before it failed or it is not used."""
    seen: str
    remedy: str = ""
    """What to do; nothing where all is well."""


def ok(name: str, seen: str) -> Check:
    """Return a check that found everything in order."""
    return Check(name, "ok", seen)


def warn(name: str, seen: str, remedy: str) -> Check:
    """Return a check of something that works, but not as well as it could, or not for long."""
    return Check(name, "warn", seen, remedy)


def fail(name: str, seen: str, remedy: str) -> Check:
    """Return a check of something that keeps orders from coming, or makes them come wrong."""
    return Check(name, "fail", seen, remedy)


def skip(name: str, why: str) -> Check:
    """Return what is said of something that was not looked at."""
    return Check(name, "skip", why)


def counted(number: int, noun: str) -> str:
    """Return `1 broker`, `2 brokers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def exit_code(checks: Sequence[Check]) -> int:
    """Return 2 if the settings are wrong, else 1 if anything failed, else 0: warnings do not count."""
    failed = {check.name for check in checks if check.status == "fail"}
    return USAGE if "settings" in failed else FAILED if failed else DONE


def masked(check: Check, mask: Callable[[str], str]) -> Check:
    """Return the check without secrets, whatever a provider or a broker quoted."""
    return Check(check.name, check.status, mask(check.seen), mask(check.remedy))


def as_json(checks: Sequence[Check]) -> bytes:
    """Return the checks for programs."""
    told = {"outcome": _outcome(checks), "exit_code": exit_code(checks), "checks": checks}
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def line(check: Check) -> str:
    """Return the check for people: a line, and its remedy below."""
    first, *more = check.seen.splitlines() or [""]
    lines = [f"{check.status:<4}  {check.name:<{_WIDTH}}  {first}", *(_INDENT + each for each in more)]
    return "\n".join([*lines, f"{_INDENT}-> {check.remedy}"] if check.remedy else lines)


def total(checks: Sequence[Check]) -> str:
    """Return how many checks ended how."""
    counts = Counter(check.status for check in checks)
    return ", ".join(f"{counts[status]} {title}" for status, title in _TITLES.items() if counts[status])


def _outcome(checks: Sequence[Check]) -> Status:
    found = {check.status for check in checks}
    return next((status for status in ("fail", "warn", "ok") if status in found), "skip")
