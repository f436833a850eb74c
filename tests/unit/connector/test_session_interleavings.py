"""Any interleaving of acks, orders, refusals, garbage, drops, silence and commands keeps the session's promises."""

from __future__ import annotations

import json
from collections import deque
from itertools import count
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.commands import Acknowledged, Command, Deliver, Drop, Refused, Send
from connector.dialects.dome import Dome
from connector.session import Limits, Session, State

ACK, IDLE = 10.0, 30.0
OPEN = (State.SUBSCRIBING, State.LIVE)


class Request(NamedTuple):
    """A request the server has yet to answer."""

    wallets: tuple[str, ...]
    id: str | None
    at: float


class SessionMachine(RuleBasedStateMachine):
    """A session against a model of server and wishes. Wallets are never reused, so they identify a request."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(Dome(), Limits(ack_timeout=ACK, idle_timeout=IDLE), provider="dome")
        self.now = 0.0
        self.heard = 0.0
        self.fresh = (f"w{number}" for number in count())
        self.ids = (f"sub_{number}" for number in count())
        self.names = (f"n{number}" for number in count())
        self.owner: dict[tuple[str, ...], str] = {}
        self.in_force: dict[str, tuple[str, ...]] = {}
        self.wanted: dict[str, tuple[str, ...]] = {}
        self.waiting: set[str] = set()
        self.requests: deque[Request] = deque()
        self.served: dict[str, tuple[str, ...]] = {}

    def take(self, commands: list[Command]) -> list[Command]:
        """Let the server see what is sent."""
        for command in commands:
            if isinstance(command, Send):
                assert self.session.state in OPEN
                self.serve(json.loads(command.frame))
        return commands

    def serve(self, frame: dict[str, Any]) -> None:
        """Take a frame as the server does."""
        if frame["action"] == "unsubscribe":
            del self.served[frame["subscription_id"]]
            return
        wallets = tuple(frame["filters"]["users"])
        self.waiting.discard(self.owner[wallets])
        self.requests.append(Request(wallets, frame.get("subscription_id"), self.now))

    def receive(self, **frame: object) -> list[Command]:
        """Let a frame of the server arrive."""
        self.heard = self.now
        return self.take(self.session.received(json.dumps(frame).encode(), received_ns=1, now=self.now))

    def wallets(self, name: str) -> tuple[str, ...]:
        """Return wallets nobody had before."""
        wallets = (next(self.fresh),)
        self.owner[wallets] = name
        return wallets

    @rule()
    @precondition(lambda self: self.session.state is State.CLOSED)
    def connect(self) -> None:
        """Exactly the payload in force is asked for, once each."""
        self.requests.clear()
        self.served.clear()
        self.waiting.clear()
        self.heard = self.now
        self.session.connecting()
        self.take(self.session.opened(self.now))
        assert [request.wallets for request in self.requests] == list(self.in_force.values())
        assert all(request.id is None for request in self.requests)

    @rule()
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def disconnect(self) -> None:
        """The connection is lost, whatever is open."""
        self.session.closed()

    @rule()
    @precondition(lambda self: self.session.state is not State.CLOSED and self.requests)
    def acknowledge(self) -> None:
        """The ack of a request brings its wallets into force, unless its subscription was ended."""
        request = self.requests.popleft()
        subscription_id = request.id or next(self.ids)
        self.served[subscription_id] = request.wallets
        name = self.owner[request.wallets]
        commands = self.receive(type="ack", subscription_id=subscription_id)
        if name in self.wanted:
            self.in_force[name] = request.wallets
            assert commands[0] == Acknowledged(name, subscription_id, request.wallets)

    @rule(naming=st.booleans())
    @precondition(lambda self: self.session.state is not State.CLOSED and self.requests)
    def refuse(self, naming: bool) -> None:  # noqa: FBT001 - drawn
        """A refusal is reported under the name of the right subscription."""
        request = self.requests.popleft()
        name = self.owner[request.wallets]
        named = {"subscription_id": request.id} if naming and request.id else {}
        commands = self.receive(type="error", code="X", message="no", **named)
        if name in self.wanted:
            assert isinstance(commands[0], Refused)
            assert (commands[0].name, commands[0].wallets) == (name, request.wallets)
            if not request.id:
                self.waiting.add(name)
            elif self.wanted[name] == request.wallets:
                self.wanted[name] = self.in_force[name]

    @rule(known=st.booleans(), price=st.floats(0, 1))
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def order(self, known: bool, price: float) -> None:  # noqa: FBT001 - drawn
        """Every order that arrives on any open connection is delivered, once, as it came."""
        subscription_id = next(iter(self.served), None) if known else "sub_unknown"
        commands = self.receive(type="event", subscription_id=subscription_id, data={"price": price})
        assert [command.data for command in commands if isinstance(command, Deliver)] == [{"price": price}]
        assert len(commands) == 1

    @rule(raw=st.binary(max_size=8))
    @precondition(lambda self: self.session.state is not State.CLOSED)
    def garbage(self, raw: bytes) -> None:
        """Any bytes arrive; they are a sign of life."""
        self.heard = self.now
        self.take(self.session.received(raw, received_ns=1, now=self.now))

    @rule(seconds=st.sampled_from([0.1, 3.0, 9.9, 31.0]))
    def advance(self, seconds: float) -> None:
        """An overdue ack or silence drops the connection; nothing else does."""
        self.now += seconds
        was_open = self.session.state in OPEN
        overdue = was_open and any(request.at + ACK <= self.now for request in self.requests)
        silent = was_open and self.heard + IDLE <= self.now
        commands = self.take(self.session.tick(self.now))
        assert any(isinstance(command, Drop) for command in commands) == (overdue or silent)

    @rule()
    def subscribe(self) -> None:
        """Somebody wants more wallets."""
        name = next(self.names)
        wallets = self.wallets(name)
        self.in_force[name] = self.wanted[name] = wallets
        self.take(self.session.subscribe(name, wallets, self.now))

    @rule(data=st.data())
    @precondition(lambda self: self.wanted)
    def update(self, data: st.DataObject) -> None:
        """Somebody wants other wallets."""
        name = data.draw(st.sampled_from(sorted(self.wanted)))
        self.wanted[name] = self.wallets(name)
        self.take(self.session.update(name, self.wanted[name], self.now))

    @rule(data=st.data())
    @precondition(lambda self: self.wanted)
    def unsubscribe(self, data: st.DataObject) -> None:
        """Somebody wants no more of a subscription."""
        name = data.draw(st.sampled_from(sorted(self.wanted)))
        del self.wanted[name], self.in_force[name]
        self.waiting.discard(name)
        self.take(self.session.unsubscribe(name, self.now))

    @rule()
    def close(self) -> None:
        """We close; the connection may live on for a while."""
        self.session.close("asked")

    @invariant()
    def payload_in_force_is_initial_or_acknowledged(self) -> None:
        """What a reconnect would ask for is what the model says."""
        assert self.session.payload_in_force == self.in_force

    @invariant()
    def live_means_nothing_is_open(self) -> None:
        """LIVE exactly while the server owes no answer."""
        if self.session.state in OPEN:
            assert (self.session.state is State.LIVE) == (not self.requests)

    def teardown(self) -> None:
        """With every answer given, the server serves exactly what is wanted."""
        if self.session.state in OPEN:
            while self.requests:
                self.acknowledge()
            expected = {wallets for name, wallets in self.wanted.items() if name not in self.waiting}
            assert set(self.served.values()) == expected


TestInterleavings = SessionMachine.TestCase
