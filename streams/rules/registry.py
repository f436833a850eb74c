"""
What the records of `rules.v1` make of the rules of the workers' file: editions, by the log's clock.

Pure. A record replaces what the file or an earlier record said under its key, a tombstone gives the file's version
back. Records of one batch have one append time, and are one edition; it takes effect a delay after that, so that
every worker has heard of it before the clock of the orders gets there. A bad record changes nothing.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from connector.contract.errors import InvalidRecord
from streams.rules.active import Active
from streams.rules.edition import Editions, edition
from streams.rules.silence import Silence
from streams.rules.topic import SHADOW, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streams.effects import LogRecord


class Refused(NamedTuple):
    """A record that changes nothing, and why."""

    name: str
    """Its key."""
    why: str


class Change(NamedTuple):
    """What an edition has that the one before had not. Names are keys of the topic."""

    since: int
    """When it takes effect, milliseconds of the log's clock."""
    added: list[str]
    changed: list[str]
    removed: list[str]


class Known(NamedTuple):
    """A rule that is in force, on trial or paused, and where it is from."""

    name: str
    active: Active
    source: Literal["file", "topic"]
    since: int | None
    """Milliseconds; None: from the beginning."""


class Registry:
    """
    The rules of a deployment, as far as its topic has been read.

    Args:
        file: The rules of the workers' file.
        delay_ms: From a record's append time to its effect.
    """

    def __init__(self, file: Sequence[Active], *, delay_ms: int) -> None:
        self.file = {active.rule.id: active for active in file}
        """By id."""
        self._delay_ms = delay_ms
        self._topic: dict[str, Active | Silence] = {}
        self._since: dict[str, int] = {}
        self._refused: dict[str, Refused] = {}
        self._clashes: dict[str, Refused] = {}
        self._in_force: dict[str, Active | Silence] = {**self.file}
        self.editions = Editions(edition(0, file))

    def absorb(self, records: Iterable[LogRecord]) -> Iterator[Refused | Change | None]:
        """Take in records of the topic in order; yields after each, and after each edition, what there is to say."""
        for stamp, batch in groupby(records, lambda record: record.timestamp):
            since = stamp + self._delay_ms
            for record in batch:
                yield self._take(record, since)
            yield from self._clashing()
            yield self._edition(since)

    def restart(self) -> Change | None:
        """Forget what the topic said: it is another one. The file's rules are in force, as if nothing had been said."""
        self._topic, self._since, self._refused, self._clashes = {}, {}, {}, {}
        return self._edition(self.editions.latest.since)

    def prepare(self) -> None:
        """Compile what is in force last, before the first order asks for it."""
        self.editions.latest.sets.prepare()

    def rules(self) -> list[Known]:
        """Return all rules, by name."""
        return [
            Known(name, each, "topic" if name in self._topic else "file", self._since.get(name))
            for name, each in sorted(self._in_force.items())
            if isinstance(each, Active)
        ]

    def topic_rule(self, name: str) -> Active | None:
        """Return what the topic holds under the key of a rule, a version on trial too many included."""
        found = self._topic.get(name)
        return found if isinstance(found, Active) else None

    def topic_names(self) -> list[str]:
        """Return the keys of the rules that the topic holds."""
        return [name for name, each in self._topic.items() if isinstance(each, Active)]

    def silences(self) -> list[Silence]:
        """Return all silences by id, those over included."""
        return [each for _, each in sorted(self._topic.items()) if isinstance(each, Silence)]

    def refused(self) -> list[Refused]:
        """Return the records that change nothing."""
        return [*self._refused.values(), *self._clashes.values()]

    def _take(self, record: LogRecord, since: int) -> Refused | None:
        try:
            name = (record.key or b"").decode()
        except UnicodeDecodeError:
            name = repr(record.key)
        self._refused.pop(name, None)
        if record.value is None:
            self._topic.pop(name, None)
            self._since.pop(name, None)
            return None
        try:
            self._topic[name] = decode(name, record.value)
        except InvalidRecord as error:
            refused = self._refused[name] = Refused(name, str(error))
            return refused
        self._since[name] = since
        return None

    def _clashing(self) -> Iterator[Refused]:
        """Yield the versions on trial beside one that is itself on trial, which were not so before."""
        before, self._clashes = self._clashes, {}
        for name in self._topic:
            rule_id = name.removesuffix(SHADOW)
            beside = self.topic_rule(rule_id) or self.file.get(rule_id)
            if rule_id != name and beside is not None and beside.rule.is_shadow:
                self._clashes[name] = Refused(name, f"{rule_id} itself is in SHADOW, one version on trial is enough")
        yield from (refused for name, refused in self._clashes.items() if name not in before)

    def _edition(self, since: int) -> Change | None:
        topic = {name: each for name, each in self._topic.items() if name not in self._clashes}
        before, self._in_force = self._in_force, {**self.file, **topic}
        change = _change(since, before, self._in_force)
        if not (change.added or change.changed or change.removed):
            return None
        # In an order that does not depend on what compaction has left of the topic.
        rules = [each for _, each in sorted(self._in_force.items()) if isinstance(each, Active)]
        silences = [each for each in self.silences() if each.until_ms > since]
        self.editions.add(edition(since, rules, silences, before=self.editions.latest))
        return change


def _change(since: int, before: dict[str, Active | Silence], after: dict[str, Active | Silence]) -> Change:
    return Change(
        since,
        added=[name for name in after if name not in before],
        changed=[name for name, each in after.items() if name in before and not _same(before[name], each)],
        removed=[name for name in before if name not in after],
    )


def _same(one: Active | Silence, other: Active | Silence) -> bool:
    if isinstance(one, Active) and isinstance(other, Active):
        return one.rule == other.rule
    return one == other
