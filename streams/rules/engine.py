"""The rule engine: gives the folds what `Rules` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.topics import ORDERS
from streams.rules import lifecycle
from streams.rules.active import Active, activate
from streams.rules.document import read_document
from streams.rules.edition import Editions, edition
from streams.rules.errors import InvalidRules
from streams.rules.explain import Explainer
from streams.rules.facts import Facts, MarketFacts, WalletFacts
from streams.rules.ruleset import is_parked
from streams.rules.subject import follows_statistics, holds, take, tip_of
from streams.stats.rulestate import IDLE, Memory, Tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.contract.record import OrderRecord
    from streams.records import Alert, Scope
    from streams.rules.interface import Arrival, Errors
    from streams.rules.lifecycle import Told
    from streams.rules.rule import Rule
    from streams.rules.subject import State
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState

PARKED = "the rule has no value here again and again, and is parked"
GONE = "the rule was changed, paused or removed"


class Engine:
    """The rules of both scopes; implements `streams.rules.interface.Rules`."""

    def __init__(self, editions: Editions, *, topic: str = ORDERS.name) -> None:
        """`topic` is where alerts say that their orders are."""
        self.editions = editions
        self.evaluations = 0
        """How many rules were evaluated at orders."""
        self._explainer = Explainer(topic)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the newest edition."""
        return self.editions.latest.rules

    def rule_id(self, number: int) -> str | None:
        """See `Rules`."""
        return next((rule.id for rule in self.rules if rule.number == number), None)

    def before_wallet(self, state: WalletState, wallet: str, clock: int, errors: Errors) -> list[Alert]:
        """See `Rules`."""
        if not state.rules:
            return []
        return self._settle("wallet", state, clock, errors, lambda at: WalletFacts(state, None, at, subject=wallet))

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """See `Rules`."""
        facts = WalletFacts(state, order, arrival.clock, subject=order.user, label=arrival.label)
        return self._arrive(state, tip_of(order, arrival), facts, errors)

    def before_market(self, state: MarketState, market: str, clock: int, errors: Errors) -> list[Alert]:
        """See `Rules`."""
        if not state.rules:
            return []
        return self._settle("market", state, clock, errors, lambda at: MarketFacts(state, None, at, subject=market))

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """See `Rules`."""
        facts = MarketFacts(state, order, arrival.clock, subject=order.condition_id or "", label=arrival.label)
        return self._arrive(state, tip_of(order, arrival), facts, errors)

    def due(self, scope: Scope, state: State, at: int) -> int | None:
        """Return when after `at` (ms) rules of a subject have to be looked at without an order; None: never."""
        active = [each for each in state.rules.values() if each.phase != IDLE]
        if not active:
            return None
        rules = self.editions.at(at).sets[scope]
        times = [self.editions.next_after(at)]
        for each in active:
            rule = rules.get(each.rule)
            times.append(at + 1 if rule is None else lifecycle.timer(each, rule))
            if rule is not None and follows_statistics(each, rule):
                times.append(state.next_change(at))
        return min((time for time in times if time is not None and time > at), default=None)

    def _settle(
        self, scope: Scope, state: State, clock: int, errors: Errors, facts_at: Callable[[int], Facts]
    ) -> list[Alert]:
        """Let everything happen that is due up to `clock`, at its own time and in order."""
        alerts: list[Alert] = []
        at = state.clock
        while (due := self.due(scope, state, at)) is not None and due <= clock:
            state.advance(due)
            alerts += self._look(state.rules, facts_at(due), errors)
            at = due
        return alerts

    def _look(self, memory: Memory, facts: Facts, errors: Errors) -> list[Alert]:
        """Look at all rules that are pending or firing, and forget those that wait for nothing any more."""
        current = self.editions.at(facts.clock)
        told: list[Told | None] = []
        for key, state in list(memory.items()):
            active = current.sets[facts.scope].get(state.rule)
            if active is None:
                told.append(lifecycle.resolve(state, None, facts.clock, GONE))
                del memory[key]
            elif state.phase != IDLE and is_parked(state.rule, errors):
                told.append(lifecycle.resolve(state, active, facts.clock, PARKED))
            elif state.phase != IDLE:
                told.append(lifecycle.look(state, active, holds=holds(state, active, facts, errors), at=facts.clock))
            elif facts.clock - state.fired >= active.rule.cooldown_ms:
                del memory[key]
        return [self._explainer.alert(each, facts, current.silences) for each in told if each is not None]

    def _arrive(self, state: State, tip: Tip, facts: Facts, errors: Errors) -> list[Alert]:
        """Take an order that is in the statistics by now."""
        alerts = self._look(state.rules, facts, errors) if state.rules else []
        current = self.editions.at(facts.clock)
        rules = current.sets[facts.scope]
        for active in rules.true(facts, errors):
            told = take(active, state, facts, tip, errors)
            alerts += [self._explainer.alert(each, facts, current.silences) for each in told]
        self.evaluations += rules.asked
        return alerts


def compile_rules(text: str, *, name: str = "rules.yaml") -> list[Active]:
    """
    Return the rules of a document (YAML text; `name` is for errors), ready to run.

    Raises:
        InvalidRules: with every fault of the document, by line.
    """
    written, faults = read_document(text)
    active = [activate(each, faults) for each in written]
    if faults:
        raise InvalidRules(name, faults)
    return [each for each in active if each is not None]


def load_rules(text: str, *, name: str = "rules.yaml", topic: str = ORDERS.name) -> Engine:
    """Return an engine that has the rules of a document in force at all times. Raises like `compile_rules`."""
    return Engine(Editions(edition(0, compile_rules(text, name=name))), topic=topic)
