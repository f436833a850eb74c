"""Any interleaving of wishes, acks, losses, refusals, garbage, drops and silence keeps the session's promises."""

from __future__ import annotations

import json
from collections import deque
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.commands import Command, Deliver, Drop, Live, Lost, Send
from connector.dialects.dome import Dome
from connector.session import Limits, Session, State

OPEN = (State.SUBSCRIBING, State.LIVE)
SLOTS = 3
WALLETS = [f"w{n}" for n in range(7)]


class SessionMachine(RuleBasedStateMachine):
    """
    A session against a model of the server, which carries out requests in order, some time after they were sent.

    Its answers take time too, and may get lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(Dome(), Limits(), provider="dome")
        self.now = self.heard = 0.0
        self.ids = (f"sub_{number}" for number in count())
        self.wanted: dict[str, int] = {}
        self.live: set[str] = set()
        self.requests: deque[dict[str, Any]] = deque()
        self.answers: deque[dict[str, Any]] = deque()
        self.served: dict[str, tuple[str, ...]] = {}
        self.lossless = True

    def take(self, commands: list[Command]) -> list[Command]:
        """Let the server see what is sent, and the shell hear what is live and lost, in turns."""
        for command in commands:
            if isinstance(command, Send):
                assert self.session.state in OPEN
                self.requests.append(json.loads(command.frame))
            elif isinstance(command, Live):
                assert self.live.isdisjoint(command.wallets)
                self.live.update(command.wallets)
            elif isinstance(command, Lost):
                assert self.live.issuperset(command.wallets)
                self.live.difference_update(command.wallets)
        return commands

    def receive(self, **frame: object) -> list[Command]:
        """Let a frame of the server arrive."""
        return self.arrive(json.dumps(frame).encode())

    def arrive(self, raw: bytes) -> list[Command]:
        """Let any bytes arrive."""
        self.heard = self.now
        return self.take(self.session.received(raw, received_ns=1, now=self.now))

    def drop(self) -> None:
        """Lose the connection, and with it what was under way."""
        self.take(self.session.closed())
        self.requests.clear()
        self.answers.clear()
        self.served.clear()
        self.lossless = True

    @rule()
    @precondition(lambda self: self.session.state is State.CLOSED)
    def connect(self) -> None:
        """The first subscription is asked for; the others have to wait."""
        self.heard = self.now
        self.session.connecting()
        self.take(self.session.opened(self.now))
        assert [request["action"] for request in self.requests] == ["subscribe"] * bool(self.wanted)

    @rule()
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def disconnect(self) -> None:
        """The connection is lost, whatever is open."""
        self.drop()
        assert not self.live

    @rule(wanted=st.dictionaries(st.sampled_from(WALLETS), st.integers(0, SLOTS - 1)))
    def want(self, wanted: dict[str, int]) -> None:
        """Somebody wants other wallets; some may move from one subscription to another."""
        groups: list[list[str]] = [[] for _ in range(SLOTS)]
        for wallet, slot in wanted.items():
            groups[slot].append(wallet)
        self.wanted = wanted
        self.take(self.session.want({f"s{n}": tuple(group) for n, group in enumerate(groups)}, self.now))

    @rule(lost=st.booleans())
    @precondition(lambda self: self.requests)
    def carry_out(self, lost: bool) -> None:  # noqa: FBT001 - drawn
        """The server does as asked; nobody acknowledges an unsubscribe."""
        request = self.requests.popleft()
        if request["action"] == "unsubscribe":
            self.served.pop(request["subscription_id"], None)
            return
        subscription_id = request.get("subscription_id") or next(self.ids)
        self.served[subscription_id] = tuple(request["filters"]["users"])
        self.say({"type": "ack", "subscription_id": subscription_id}, lost=lost)

    @rule(lost=st.booleans(), named=st.booleans(), code=st.sampled_from(["INVALID_FILTERS", "RATE_LIMIT"]))
    @precondition(lambda self: self.requests and self.requests[0]["action"] != "unsubscribe")
    def refuse(self, lost: bool, named: bool, code: str) -> None:  # noqa: FBT001 - drawn
        """The server does not do as asked."""
        request = self.requests.popleft()
        answer = {"type": "error", "code": code, "message": "no"}
        if request["action"] == "update" and named:
            answer["subscription_id"] = request["subscription_id"]
        self.say(answer, lost=lost)

    def say(self, answer: dict[str, Any], *, lost: bool) -> None:
        """Send an answer, which may get lost."""
        if lost:
            self.lossless = False
        else:
            self.answers.append(answer)

    @rule(data=st.data())
    @precondition(lambda self: self.served and not self.answers and not self.requests)
    def end(self, data: st.DataObject) -> None:
        """The server ends a subscription of its own accord, and says so."""
        subscription_id = data.draw(st.sampled_from(sorted(self.served)))
        del self.served[subscription_id]
        self.receive(type="error", code="SUBSCRIPTION_NOT_FOUND", message="no", subscription_id=subscription_id)

    @rule()
    @precondition(lambda self: self.answers)
    def answer(self) -> None:
        """An answer arrives."""
        self.receive(**self.answers.popleft())

    @rule(price=st.floats(0, 1))
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def order(self, price: float) -> None:
        """Every order that arrives on any open connection is delivered, once, as it came."""
        subscription_id = next(iter(self.served), "sub_unknown")
        (delivery,) = self.receive(type="event", subscription_id=subscription_id, data={"price": price})
        assert isinstance(delivery, Deliver)
        assert delivery.data == {"price": price}

    @rule(raw=st.binary(max_size=8))
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def garbage(self, raw: bytes) -> None:
        """Any bytes arrive; they are a sign of life."""
        self.arrive(raw)

    @rule(seconds=st.sampled_from([0.1, 3.0, 9.9, 31.0, 61.0]))
    def advance(self, seconds: float) -> None:
        """Only an overdue ack or silence drops the connection."""
        self.now += seconds
        commands = self.take(self.session.tick(self.now))
        if any(isinstance(command, Drop) for command in commands):
            assert self.now >= self.heard + 30.0 or self.requests or self.answers or not self.lossless

    @rule()
    def close(self) -> None:
        """We close; the connection may live on for a while."""
        self.session.close("asked")

    @invariant()
    def what_is_live_is_served(self) -> None:
        """Whatever the server has or has not carried out yet, and whichever answers were lost."""
        assert self.live <= {wallet for wallets in self.served.values() for wallet in wallets}
        assert self.live == set(self.session.in_force())

    @invariant()
    def the_quota_is_kept(self) -> None:
        """There are never more subscriptions than names."""
        assert len(self.served) <= SLOTS

    @invariant()
    def live_means_nothing_is_open(self) -> None:
        """LIVE exactly while the server owes no answer."""
        if self.session.state in OPEN and self.lossless:
            open_requests = [request for request in self.requests if request["action"] != "unsubscribe"]
            assert (self.session.state is State.LIVE) == (not open_requests and not self.answers)

    def teardown(self) -> None:
        """Once the server does everything right, exactly what is wanted is served and live."""
        if self.session.state not in OPEN or not self.lossless:
            self.drop()
            self.connect()
        for _ in range(4):
            while self.requests or self.answers:
                while self.requests:
                    self.carry_out(lost=False)
                while self.answers:
                    self.answer()
            self.now += 61.0
            self.session.heard(self.now)
            self.take(self.session.tick(self.now))
        assert self.live == set(self.wanted)
        assert sorted(wallet for wallets in self.served.values() for wallet in wallets) == sorted(self.wanted)
        assert len(self.served) == len(set(self.wanted.values()))


TestInterleavings = SessionMachine.TestCase
