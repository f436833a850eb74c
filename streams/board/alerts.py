"""The alerts of the board: one line from firing to resolved, with its explanation and grades. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.board.changes import Table
from streams.board.rows import AlertRow, GradeRow, shortened

if TYPE_CHECKING:
    from streams.grades import AlertGrade
    from streams.records import Alert

MOST_ALERTS = 500
_TRANSITIONS = 8
"""Kept of one alert: the first, and the newest."""
_MOST_GRADED = 5_000
"""Alerts whose grades are kept, also before the alert itself is read."""
_RANK = {"firing": 0, "escalated": 1, "resolved": 2}


class Episode:
    """One alert: its transitions in order of their time, whatever the order in which they were read."""

    def __init__(self) -> None:
        self.transitions: list[Alert] = []

    def add(self, alert: Alert) -> bool:
        """Take in a transition; return whether it is news and not a repetition."""
        if any(known.alert_id == alert.alert_id for known in self.transitions):
            return False
        self.transitions.append(alert)
        self.transitions.sort(key=lambda each: (each.as_of, _RANK[each.transition]))
        if len(self.transitions) > _TRANSITIONS:
            del self.transitions[1]
        return True

    @property
    def last(self) -> Alert:
        """What was said last."""
        return self.transitions[-1]

    @property
    def told(self) -> Alert:
        """What was said last of why it fires: its end has another message."""
        return next((each for each in reversed(self.transitions) if each.transition != "resolved"), self.last)


class Alerts:
    """The newest alerts, `MOST_ALERTS` at once."""

    def __init__(self) -> None:
        self.table: Table[Episode] = Table(MOST_ALERTS)
        self._grades: dict[str, dict[str, GradeRow]] = {}
        self._episodes: dict[str, str] = {}
        """Id of an alert whose grades may come -> its episode."""

    def alert(self, alert: Alert) -> bool:
        """Take in an alert; return whether it is news."""
        episode = self.table.get(alert.episode) or Episode()
        if not episode.add(alert):
            return False
        self.table.put(alert.episode, episode)
        self._episodes[alert.alert_id] = alert.episode
        if len(self._episodes) > _MOST_GRADED:
            del self._episodes[next(iter(self._episodes))]
        return True

    def grade(self, grade: AlertGrade) -> None:
        """Take in a grade; of several with one id the first counts."""
        known = self._grades.setdefault(grade.alert_id, {})
        if len(self._grades) > _MOST_GRADED:
            del self._grades[next(iter(self._grades))]
        if grade.horizon not in known:
            known[grade.horizon] = GradeRow(
                horizon=grade.horizon,
                state=grade.state,
                reason=grade.reason,
                gain=grade.gain,
                then=grade.price_then,
                now=grade.price_now,
            )
            self.table.touch(self._episodes.get(grade.alert_id, ""))

    @property
    def firing(self) -> int:
        """Return how many go on."""
        return sum(_goes_on(episode) for episode in self.table.values())

    def row(self, episode: Episode, title: str | None) -> AlertRow:
        """Return what the list shows; `title` is that of its market."""
        last, told = episode.last, episode.told
        return AlertRow(
            episode=last.episode,
            state=last.transition,
            rule=last.rule,
            severity=told.severity,
            scope=last.scope,
            subject=last.subject,
            message=shortened(told.message) or "",
            reason=told.reason,
            wallet=last.subject if last.scope == "wallet" else None,
            market=told.trade.condition_id,
            title=title,
            silenced=bool(told.silenced_by),
            coverage=told.coverage,
            starts=last.starts_at,
            ends=last.ends_at,
            as_of=last.as_of,
            grades=[grade for each in episode.transitions for grade in self._grades.get(each.alert_id, {}).values()],
        )


def _goes_on(episode: Episode) -> bool:
    return episode.last.transition != "resolved" and episode.last.ends_at is None
