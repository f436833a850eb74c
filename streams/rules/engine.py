"""The rule engine: loads a document, and gives the folds what `Rules` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.topics import ORDERS
from streams.rules.active import Active, activate
from streams.rules.document import read_document
from streams.rules.errors import InvalidRules
from streams.rules.explain import explain
from streams.rules.facts import MarketFacts, WalletFacts
from streams.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from connector.contract.record import OrderRecord
    from streams.records import Alert
    from streams.rules.interface import Arrival
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState


class Engine:
    """The rules of both scopes; implements `streams.rules.interface.Rules`."""

    def __init__(self, rules: Sequence[Active], *, topic: str = ORDERS.name) -> None:
        """Take rules with unique ids; `topic` is where alerts say that their orders are."""
        self.rules = tuple(active.rule for active in rules)
        self._topic = topic
        self._wallet = RuleSet("wallet", [active for active in rules if active.rule.scope == "wallet"])
        self._market = RuleSet("market", [active for active in rules if active.rule.scope == "market"])

    @property
    def errors(self) -> Counter[str]:
        """Evaluations without a value (a division by zero), by rule id."""
        return self._wallet.errors + self._market.errors

    def before_wallet(self, state: WalletState, order: OrderRecord, clock: int) -> None:
        """See `Rules`."""
        if state.rules:
            self._wallet.before(state.rules, WalletFacts(state, order, clock))

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival) -> list[Alert]:
        """See `Rules`."""
        facts = WalletFacts(state, order, arrival.clock)
        fired = self._wallet.after(state.rules, facts)
        return [explain(active, order.user, facts, arrival, self._topic) for active in fired]

    def before_market(self, state: MarketState, order: OrderRecord, clock: int) -> None:
        """See `Rules`."""
        if state.rules:
            self._market.before(state.rules, MarketFacts(state, order, clock))

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival) -> list[Alert]:
        """See `Rules`."""
        facts = MarketFacts(state, order, arrival.clock)
        fired = self._market.after(state.rules, facts)
        return [explain(active, order.condition_id or "", facts, arrival, self._topic) for active in fired]


def load_rules(text: str, *, name: str = "rules.yaml", topic: str = ORDERS.name) -> Engine:
    """
    Return the engine for a rules document (YAML text; `name` is for errors).

    Raises:
        InvalidRules: with every fault of the document, by line.
    """
    written, faults = read_document(text)
    active = [activate(each, faults) for each in written]
    if faults:
        raise InvalidRules(name, faults)
    return Engine([each for each in active if each is not None], topic=topic)
