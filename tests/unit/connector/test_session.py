from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from connector.commands import Acknowledged, Bury, Deliver, Drop, Ping, Refused, Send
from connector.contract.provenance import Provenance
from connector.dialects.dome import Dome
from connector.session import Limits, Session, State

if TYPE_CHECKING:
    from connector.commands import Command

W1, W2, W3 = ("w1",), ("w2", "w3"), ("w4",)


def new_session() -> Session:
    """Return a session with the default times: ack 10 s, ping 10 s, idle 30 s, retry 60 s."""
    return Session(Dome(), Limits(), provider="dome")


def opened(*names: str, now: float = 0.0) -> Session:
    """Return a session whose connection has just opened, with a subscription per name to wallets W1."""
    session = new_session()
    for name in names:
        session.subscribe(name, W1, now)
    session.connecting()
    session.opened(now)
    return session


def feed(session: Session, now: float = 0.0, **frame: object) -> list[Command]:
    """Let a frame arrive."""
    return session.received(json.dumps(frame).encode(), received_ns=5, now=now)


def ack(session: Session, subscription_id: str, now: float = 0.0) -> list[Command]:
    """Let an ack arrive."""
    return feed(session, now, type="ack", subscription_id=subscription_id)


def sent(commands: list[Command]) -> list[tuple[str, object, object]]:
    """Return action, wallets and subscription id of each frame sent."""
    frames = [json.loads(command.frame) for command in commands if isinstance(command, Send)]
    return [(f["action"], f.get("filters", {}).get("users"), f.get("subscription_id")) for f in frames]


def live(now: float = 0.0) -> Session:
    """Return a session with one acknowledged subscription, "a", id "sub_1"."""
    session = opened("a", now=now)
    ack(session, "sub_1", now)
    assert session.state is State.LIVE
    return session


def test_opening_subscribes_to_everything() -> None:
    """One frame per subscription, in order; live when all are acknowledged."""
    session = new_session()
    assert session.subscribe("a", W1, 0.0) == []
    session.subscribe("b", W2, 0.0)
    session.connecting()
    commands = session.opened(0.0)
    assert sent(commands) == [("subscribe", ["w1"], None), ("subscribe", ["w2", "w3"], None)]
    states = [session.state]
    assert ack(session, "sub_1") == [Acknowledged("a", "sub_1", W1)]
    states.append(session.state)
    assert ack(session, "sub_2") == [Acknowledged("b", "sub_2", W2)]
    states.append(session.state)
    assert states == [State.SUBSCRIBING, State.SUBSCRIBING, State.LIVE]


def test_without_subscriptions_an_open_connection_is_live() -> None:
    """There is nothing to wait for; a subscription added later is asked for at once."""
    session = opened()
    assert session.state is State.LIVE
    assert sent(session.subscribe("a", W1, 1.0)) == [("subscribe", ["w1"], None)]


def test_orders_are_delivered_with_provenance() -> None:
    """The data untouched, the bytes kept, the subscription and the time of receipt noted."""
    session = live()
    raw = b'{"type":"event","subscription_id":"sub_1","data":{"price":0.5}}'
    provenance = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")
    assert session.received(raw, received_ns=5, now=1.0) == [Deliver(raw, {"price": 0.5}, (1, "sub_1"), provenance)]


def test_orders_before_the_ack_are_delivered() -> None:
    """A provider may send orders of a subscription before its ack."""
    session = opened("a")
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert ack(session, "sub_1") == [Acknowledged("a", "sub_1", W1)]


def test_orders_while_closing_are_delivered() -> None:
    """They had reached the socket."""
    session = live()
    assert session.close("stop") == [Drop("stop")]
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert session.close("again") == []


def test_a_missing_ack_drops_the_connection_by_name() -> None:
    """
    Two subscriptions asked for at 0, one acknowledged at 4.

    0         4                  10
    ask a,b   ack a              b overdue: refused by name, reconnect
    """
    session = opened("a", "b")
    ack(session, "sub_1", 4.0)
    assert session.deadline == 10.0
    assert session.tick(9.99) == []
    refused = Refused("b", "subscribe", "NO_ACK", "no ack within 10 s", W1)
    assert session.tick(10.0) == [refused, Drop("no ack of b within 10 s")]
    assert session.state is State.CLOSING
    assert session.deadline == math.inf


def test_silence_is_answered_by_a_ping_then_by_a_reconnect() -> None:
    """
    Heard at 0, pong at 12, then nothing.

    0      10     12     22     32     42
    frame  ping   pong   ping   ping   30 s of silence: reconnect
    """
    session = live(0.0)
    assert session.deadline == 10.0
    assert session.tick(10.0) == [Ping()]
    session.heard(12.0)
    assert session.tick(21.9) == []
    assert session.tick(22.0) == [Ping()]
    assert session.tick(32.0) == [Ping()]
    assert session.deadline == 42.0
    assert session.tick(42.0) == [Drop("no frame and no pong for 30 s")]


def test_time_we_did_not_read_is_not_held_against_the_provider() -> None:
    """
    Kafka was away from 1 to 101; frames waited in the socket.

    0      1 ........... 101            110
    ask    stalled 100 s  reading again  ack due at 10 + 100
    """
    session = opened("a")
    session.stalled(100.0, 101.0)
    assert session.tick(109.9) == []
    assert session.deadline == 110.0
    assert session.tick(110.0)[-1] == Drop("no ack of a within 10 s")


def test_a_reconnect_asks_for_the_payload_in_force() -> None:
    """Initial wallets plus acknowledged updates; an update without ack comes after, as an update."""
    session = live()
    assert sent(session.update("a", W2, 1.0)) == [("update", ["w2", "w3"], "sub_1")]
    assert ack(session, "sub_1", 1.0) == [Acknowledged("a", "sub_1", W2)]
    session.update("a", W3, 2.0)
    session.closed()
    assert session.payload_in_force == {"a": W2}
    session.connecting()
    assert sent(session.opened(3.0)) == [("subscribe", ["w2", "w3"], None)]
    assert sent(ack(session, "sub_9", 4.0)) == [("update", ["w4"], "sub_9")]
    assert session.connection == 2


def test_of_several_updates_in_a_row_only_the_last_follows() -> None:
    """One request per subscription is open at a time, so acks stay in order."""
    session = live()
    session.update("a", W2, 1.0)
    assert session.update("a", ("w8",), 1.0) == []
    assert session.update("a", W3, 1.0) == []
    commands = ack(session, "sub_1", 2.0)
    assert commands[0] == Acknowledged("a", "sub_1", W2)
    assert sent(commands) == [("update", ["w4"], "sub_1")]


def test_a_refused_subscription_is_named_and_asked_for_again() -> None:
    """The others are not held up; after 60 s it is tried again."""
    session = opened("a", "b")
    commands = feed(session, 1.0, type="error", code="ITEMS_PER_SUB_LIMIT", message="too many")
    assert commands == [Refused("a", "subscribe", "ITEMS_PER_SUB_LIMIT", "too many", W1)]
    assert ack(session, "sub_2", 2.0) == [Acknowledged("b", "sub_2", W1)]
    assert session.state is State.LIVE
    session.heard(60.0)
    assert session.tick(60.9) == []
    assert sent(session.tick(61.0)) == [("subscribe", ["w1"], None)]


def test_a_refused_update_leaves_in_force_what_was() -> None:
    """It is named, given up, and not repeated."""
    session = live()
    session.update("a", W2, 1.0)
    commands = feed(session, 2.0, type="error", code="X", message="no", subscription_id="sub_1")
    assert commands == [Refused("a", "update", "X", "no", W2)]
    assert session.payload_in_force == {"a": W1}


def test_a_refused_update_is_followed_by_the_newer_one() -> None:
    """W2 is refused while W3 already waits: W3 is asked for, not forgotten."""
    session = live()
    session.update("a", W2, 1.0)
    assert session.update("a", W3, 2.0) == []
    refused, *more = feed(session, 3.0, type="error", code="X", message="no")
    assert isinstance(refused, Refused)
    assert refused.wallets == W2
    assert sent(more) == [("update", ["w4"], "sub_1")]


def test_an_error_about_an_ended_subscription_refuses_no_other() -> None:
    """It is kept as a dead letter; the subscribe that is open stays open."""
    session = live()
    session.unsubscribe("a", 1.0)
    session.subscribe("b", W2, 1.0)
    (letter,) = feed(session, 2.0, type="error", code="SUBSCRIPTION_NOT_FOUND", message="no", subscription_id="sub_1")
    assert isinstance(letter, Bury)
    assert ack(session, "sub_2", 3.0) == [Acknowledged("b", "sub_2", W2)]


def test_an_unsubscribe_waits_for_the_open_request() -> None:
    """What was asked for is answered first, then ended; late acks and orders of it are harmless."""
    session = opened("a")
    assert session.unsubscribe("a", 1.0) == []
    assert sent(ack(session, "sub_1", 2.0)) == [("unsubscribe", None, "sub_1")]
    assert ack(session, "sub_1", 3.0) == []
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert session.payload_in_force == {}


def test_an_unsubscribe_of_a_quiet_subscription_is_sent_at_once() -> None:
    """And one that is not asked for yet leaves no trace."""
    session = live()
    assert sent(session.unsubscribe("a", 1.0)) == [("unsubscribe", None, "sub_1")]
    closed = new_session()
    closed.subscribe("a", W1, 0.0)
    assert closed.unsubscribe("a", 0.0) == []
    closed.connecting()
    assert closed.opened(0.0) == []


@pytest.mark.parametrize("answer", ["ack", "error"])
def test_an_unsubscribe_during_an_update(answer: str) -> None:
    """Accepted or refused, the subscription ends, and no refusal is charged to another one."""
    session = live()
    session.update("a", W2, 1.0)
    session.unsubscribe("a", 1.0)
    assert sent(feed(session, 2.0, type=answer, subscription_id="sub_1")) == [("unsubscribe", None, "sub_1")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "bad-json"),
        (b"[]", "not-an-object"),
        (b'{"type":"greeting"}', "unknown-type"),
        (b'{"type":"ack","subscription_id":"sub_7"}', "unexpected-ack"),
        (b'{"type":"error","code":"X","message":"out of the blue"}', "provider-error"),
        (b'{"type":"error","subscription_id":"sub_1"}', "provider-error"),
        (b'{"type":"event"}', "bad-frame"),
    ],
)
def test_what_means_nothing_is_kept_and_never_fatal(raw: bytes, reason: str) -> None:
    """The bytes and the reason are buried, and the session goes on."""
    session = live()
    (bury,) = session.received(raw, received_ns=5, now=1.0)
    assert isinstance(bury, Bury)
    assert (bury.raw, bury.reason) == (raw, reason)
    assert session.state is State.LIVE


def test_an_ack_repeated_is_harmless() -> None:
    """A known id without an open request answers nothing."""
    assert ack(live(), "sub_1") == []


def test_a_name_is_used_once() -> None:
    """A second subscription of the same name is a mistake of the caller."""
    with pytest.raises(ValueError, match="subscription a exists"):
        opened("a").subscribe("a", W2, 0.0)


def test_impossible_transitions_are_refused() -> None:
    """A shell that opens twice is wrong."""
    session = live()
    with pytest.raises(AssertionError, match="session is LIVE, expected CLOSED"):
        session.connecting()


def test_a_failed_attempt_leaves_the_session_closed() -> None:
    """Connecting that comes to nothing may be followed by another attempt."""
    session = new_session()
    session.connecting()
    session.closed()
    session.connecting()
    assert session.state is State.CONNECTING
    assert session.close("stop") == []
