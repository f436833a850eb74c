"""
Folds the orders behind an alert again, with its rule alone, and looks at what the rule reads at that moment.

Feed the records of the alert's partition, from the beginning of what is retained, until `done`; then ask for `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.replay import Replay
from streams.rules.active import Active
from streams.rules.edition import Editions, edition
from streams.rules.engine import Engine
from streams.rules.facts import MarketFacts, WalletFacts
from streams.stats.market import MarketState
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.effects import LogRecord, Topics
    from streams.records import Alert, Scalar
    from streams.rules.facts import Facts
    from streams.rules.interface import Arrival, Errors


class Look(NamedTuple):
    """What the rule reads at one moment."""

    values: dict[str, Scalar]
    holds: Scalar
    """Value of the condition; None: it has none, or speaks of an order and there is none."""


class Refolded(NamedTuple):
    """What folding again came to."""

    alert: Alert | None
    """The alert of the same id."""
    look: Look | None
    """What the rule reads at the alert's moment; None: its order, or its subject, did not come by."""
    others: list[Alert]
    """All alerts of the rule about the same subject and group, in order."""
    orders: int
    """Orders folded."""
    began_at: int | None
    """Append time of the first record, unix milliseconds."""


class Refold:
    """A replay of one partition, up to one alert."""

    def __init__(self, alert: Alert, active: Active, topics: Topics) -> None:
        self._alert = alert
        self._active = _in_mode(active, alert)
        self._probe = _Probe(self._active, alert, topics.orders)
        self._others: list[Alert] = []
        self._found: Alert | None = None
        self._replay = Replay(self._probe, topics, self._take, in_time=False)
        self._clock = 0

    @property
    def done(self) -> bool:
        """Whether the time of the alert has passed."""
        return self._clock > self._alert.as_of

    def feed(self, record: LogRecord) -> None:
        """Fold the next record, unless it lies after the alert."""
        self._clock = max(self._clock, record.timestamp)
        if not self.done:
            self._replay.feed(record)

    def result(self) -> Refolded:
        """Let time go on to the alert, and return what came of it."""
        self._replay.finish(self._alert.as_of)
        totals = self._replay.totals
        look = self._probe.seen if _at_order(self._alert, self._active) else self._probe.at_time(self._alert.as_of)
        orders = totals.orders if self._alert.scope == "wallet" else totals.by_market
        return Refolded(self._found, look, self._others, orders, totals.first)

    def _take(self, alert: Alert) -> None:
        if alert.alert_id == self._alert.alert_id:
            self._found = alert
        if alert.fingerprint == self._alert.fingerprint:
            self._others.append(alert)


def _at_order(alert: Alert, active: Active) -> bool:
    """Return whether the alert came with its first order, not with time."""
    return alert.transition == "escalated" or (alert.transition == "firing" and not active.rule.for_ms)


def _in_mode(active: Active, alert: Alert) -> Active:
    """Return the rule in the mode it had: states know it by another number in shadow, and while paused not at all."""
    rule = replace(active.rule, mode=alert.mode)
    return Active(rule, active.condition, active.template, until=active.until, escalate=active.escalate)


class _Probe:
    """One rule, and what it reads at one order or at one time; see `streams.rules.interface.Rules`."""

    def __init__(self, active: Active, alert: Alert, topic: str) -> None:
        engine = Engine(Editions(edition(0, [active])), topic=topic)
        self.before_wallet, self.before_market, self.due = engine.before_wallet, engine.before_market, engine.due
        self.rule_id = engine.rule_id
        self._engine = engine
        self._active = active
        self._scope = alert.scope
        self._subject = alert.subject
        self._tip = alert.orders[0].event_id
        self._state: WalletState | MarketState | None = None
        self.seen: Look | None = None

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """Note the wallet's state, and what the rule reads at the order that tipped the alert."""
        if self._scope == "wallet" and order.user == self._subject:
            self._state = state
            if order.event_id == self._tip:
                self.seen = self._look(
                    WalletFacts(state, order, arrival.clock, subject=order.user, label=arrival.label)
                )
        return self._engine.after_wallet(state, order, arrival, errors)

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """Do the same for a market."""
        if self._scope == "market" and order.condition_id == self._subject:
            self._state = state
            if order.event_id == self._tip:
                facts = MarketFacts(state, order, arrival.clock, subject=self._subject, label=arrival.label)
                self.seen = self._look(facts)
        return self._engine.after_market(state, order, arrival, errors)

    def at_time(self, at: int) -> Look | None:
        """Return what the rule reads at a time (ms), between orders."""
        state = self._state
        if isinstance(state, WalletState):
            wallet = WalletState.decode(state.encode())
            wallet.advance(at)
            return self._look(WalletFacts(wallet, None, at, subject=self._subject))
        if isinstance(state, MarketState):
            market = MarketState.decode(state.encode())
            market.advance(at)
            return self._look(MarketFacts(market, None, at, subject=self._subject))
        return None

    def _look(self, facts: Facts) -> Look:
        active = self._active
        conditions = [each for each in (active.condition, active.until, active.escalate) if each is not None]
        read = [variable for condition in conditions for variable in condition.variables]
        variables = {variable.name: variable for variable in (*read, *active.template.variables)}
        values = {
            name: variable.read(facts)
            for name, variable in variables.items()
            if facts.order is not None or not variable.of_order
        }
        if facts.order is None and active.of_order:
            return Look(dict(values), None)
        try:
            return Look(dict(values), active.condition.evaluate(values))
        except ArithmeticError:
            return Look(dict(values), None)
