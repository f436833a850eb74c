from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from connector.commands import Acknowledged, Bury, Deliver, Drop, Live, Lost, Ping, Refused, Send, TurnedAway
from connector.contract.provenance import Provenance
from connector.dialects.dome import Dome
from connector.session import Limits, Session, State

if TYPE_CHECKING:
    from connector.commands import Command

W1, W2, W3 = ("w1",), ("w2", "w3"), ("w4",)


def new_session() -> Session:
    """Return a session with the default times: ack 10 s, ping 10 s, idle 30 s, retry 60 s."""
    return Session(Dome(), Limits(), provider="dome", name="primary-0")


def opened(*names: str, now: float = 0.0) -> Session:
    """Return a session whose connection has just opened, with a subscription per name to a wallet of that name."""
    session = new_session()
    session.want({name: (f"w-{name}",) for name in names}, now)
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
    """Return a session with one acknowledged subscription, "a" to W1, id "sub_1"."""
    session = opened(now=now)
    session.want({"a": W1}, now)
    ack(session, "sub_1", now)
    assert session.state is State.LIVE
    return session


def test_opening_subscribes_to_everything_one_after_the_other() -> None:
    """Acks carry no name: with one request open at a time they need none. Live when all are acknowledged."""
    session = new_session()
    assert session.want({"a": W1}, 0.0) == []
    session.want({"b": W2}, 0.0)
    session.connecting()
    assert sent(session.opened(0.0)) == [("subscribe", ["w1"], None)]
    states = [session.state]
    acknowledged, live, *more = ack(session, "sub_1")
    assert (acknowledged, live) == (Acknowledged("a", "sub_1", W1), Live(W1, "sub_1"))
    assert sent(more) == [("subscribe", ["w2", "w3"], None)]
    states.append(session.state)
    assert ack(session, "sub_2") == [Acknowledged("b", "sub_2", W2), Live(W2, "sub_2")]
    states.append(session.state)
    assert states == [State.SUBSCRIBING, State.SUBSCRIBING, State.LIVE]


def test_without_subscriptions_an_open_connection_is_live() -> None:
    """There is nothing to wait for; a subscription added later is asked for at once."""
    session = opened()
    assert session.state is State.LIVE
    assert sent(session.want({"a": W1}, 1.0)) == [("subscribe", ["w1"], None)]


def test_orders_are_delivered_with_provenance() -> None:
    """The data untouched, the bytes kept, the subscription and the time of receipt noted."""
    session = live()
    raw = b'{"type":"event","subscription_id":"sub_1","data":{"price":0.5}}'
    provenance = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")
    assert session.received(raw, received_ns=5, now=1.0) == [
        Deliver(raw, {"price": 0.5}, ("primary-0", 1, "sub_1"), provenance)
    ]


def test_orders_before_the_ack_are_delivered() -> None:
    """A provider may send orders of a subscription before its ack."""
    session = opened("a")
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert ack(session, "sub_1") == [Acknowledged("a", "sub_1", ("w-a",)), Live(("w-a",), "sub_1")]


def test_orders_while_closing_are_delivered() -> None:
    """They had reached the socket."""
    session = live()
    assert session.close("stop") == [Drop("stop")]
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert session.close("again") == []


def test_a_missing_ack_drops_the_connection_by_name() -> None:
    """
    Two subscriptions wanted; the ack of the first does not come.

    0              10
    ask for a      a overdue: refused by name, reconnect; b was not asked for
    """
    session = opened("a", "b")
    assert session.deadline == 10.0
    assert session.tick(9.99) == []
    refused = Refused("a", "subscribe", "NO_ACK", "no ack within 10 s", ("w-a",))
    assert session.tick(10.0) == [refused, Drop("no ack of a within 10 s")]
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


def test_a_reconnect_asks_for_what_was_accepted_once() -> None:
    """Then for the rest, as an update: one that is refused does not cost what was in force."""
    session = live()
    assert sent(session.want({"a": W2}, 1.0)) == [("update", ["w2", "w3"], "sub_1")]
    assert ack(session, "sub_1", 1.0) == [Acknowledged("a", "sub_1", W2), Live(W2, "sub_1")]
    session.want({"a": ("w3", "w4")}, 2.0)
    assert session.closed() == [Lost(("w3",), "disconnect")]
    session.connecting()
    assert sent(session.opened(3.0)) == [("subscribe", ["w3"], None)]
    assert sent(ack(session, "sub_9", 4.0)) == [("update", ["w3", "w4"], "sub_9")]
    assert session.connection == 2


def test_what_changed_while_there_was_no_connection_is_asked_for_at_once() -> None:
    """Nothing that was in force is wanted any more, and a subscription nobody wants is not asked for."""
    session = live()
    session.want({"b": W2}, 0.0)
    ack(session, "sub_2")
    session.closed()
    session.want({"a": W3, "b": ()}, 1.0)
    session.connecting()
    assert sent(session.opened(2.0)) == [("subscribe", ["w4"], None)]


def test_of_several_updates_in_a_row_only_the_last_follows() -> None:
    """One request per subscription is open at a time, so acks stay in order."""
    session = live()
    session.want({"a": W2}, 1.0)
    assert session.want({"a": ("w8",)}, 1.0) == []
    assert session.want({"a": W3}, 1.0) == []
    commands = ack(session, "sub_1", 2.0)
    assert commands[0] == Acknowledged("a", "sub_1", W2)
    assert sent(commands) == [("update", ["w4"], "sub_1")]


def test_a_refused_subscription_is_named_and_asked_for_again() -> None:
    """The others are not held up; after 60 s it is tried again."""
    session = opened("a", "b")
    commands = feed(session, 1.0, type="error", code="ITEMS_PER_SUB_LIMIT", message="too many")
    assert commands[0] == Refused("a", "subscribe", "ITEMS_PER_SUB_LIMIT", "too many", ("w-a",))
    assert sent(commands) == [("subscribe", ["w-b"], None)]
    assert Live(("w-b",), "sub_2") in ack(session, "sub_2", 2.0)
    assert session.state is State.LIVE
    session.heard(60.0)
    assert session.tick(60.9) == []
    assert sent(session.tick(61.0)) == [("subscribe", ["w-a"], None)]


def test_a_refused_subscription_is_asked_for_with_the_latest_wish() -> None:
    """At once, since it is another request than the one refused."""
    session = opened("a")
    session.want({"a": W3}, 0.5)
    commands = feed(session, 1.0, type="error", code="X", message="no")
    assert sent(commands) == [("subscribe", ["w4"], None)]


def test_a_request_turned_away_for_now_is_made_again_soon() -> None:
    """RATE_LIMIT: after 5 s instead of 60 s, and never at once, even if the wish has changed since."""
    session = opened("a")
    session.want({"a": W3}, 0.5)
    (refused,) = feed(session, 1.0, type="error", code="RATE_LIMIT", message="slow down")
    assert isinstance(refused, Refused)
    assert session.tick(5.9) == []
    assert sent(session.tick(6.0)) == [("subscribe", ["w4"], None)]


def test_a_refused_update_leaves_in_force_what_was() -> None:
    """What it was to bring is named, and asked for again after 60 s; in between nobody knows, so W1 comes and goes."""
    session = live()
    assert Lost(W1, "resubscribed") in session.want({"a": ("w2",)}, 1.0)
    commands = feed(session, 2.0, type="error", code="X", message="no", subscription_id="sub_1")
    assert commands == [Refused("a", "update", "X", "no", ("w2",)), Live(W1, "sub_1")]
    assert session.in_force() == W1
    session.heard(61.0)
    assert sent(session.tick(62.0)) == [("update", ["w2"], "sub_1")]


def test_a_refused_update_costs_nothing_of_what_it_kept() -> None:
    """w1 is in force before, during and after."""
    session = live()
    assert sent(session.want({"a": ("w1", "w2")}, 1.0)) == [("update", ["w1", "w2"], "sub_1")]
    assert feed(session, 2.0, type="error", code="X", message="no") == [Refused("a", "update", "X", "no", ("w2",))]


def test_a_refused_update_is_followed_by_the_newer_one() -> None:
    """W2 is refused while W3 already waits: W3 is asked for, not forgotten."""
    session = live()
    session.want({"a": W2}, 1.0)
    assert session.want({"a": W3}, 2.0) == []
    refused, *more = feed(session, 3.0, type="error", code="X", message="no")
    assert isinstance(refused, Refused)
    assert refused.wallets == W2
    assert sent(more) == [("update", ["w4"], "sub_1")]


def test_an_error_about_an_ended_subscription_refuses_no_other() -> None:
    """It is kept as a dead letter; the subscribe that is open stays open."""
    session = live()
    session.want({"a": ()}, 1.0)
    session.want({"b": W2}, 1.0)
    (letter,) = feed(session, 2.0, type="error", code="SUBSCRIPTION_NOT_FOUND", message="no", subscription_id="sub_1")
    assert isinstance(letter, Bury)
    assert ack(session, "sub_2", 3.0) == [Acknowledged("b", "sub_2", W2), Live(W2, "sub_2")]


def test_an_error_about_an_unknown_subscription_refuses_no_other() -> None:
    """The subscribe of "a" stays open."""
    session = opened("a")
    (letter,) = feed(session, 2.0, type="error", code="SUBSCRIPTION_NOT_FOUND", message="no", subscription_id="sub_1")
    assert isinstance(letter, Bury)
    assert Live(("w-a",), "sub_2") in ack(session, "sub_2", 3.0)


def test_an_unsubscribe_waits_for_the_open_request() -> None:
    """What was asked for is answered first, then ended; late acks and orders of it are harmless."""
    session = opened("a")
    assert session.want({"a": ()}, 1.0) == []
    assert sent(ack(session, "sub_1", 2.0)) == [("unsubscribe", None, "sub_1")]
    assert ack(session, "sub_1", 3.0) == []
    assert isinstance(feed(session, type="event", subscription_id="sub_1", data={})[0], Deliver)
    assert session.in_force() == ()
    assert not session.needed


def test_an_unsubscribe_of_a_quiet_subscription_is_sent_at_once() -> None:
    """And one that is not asked for yet leaves no trace."""
    session = live()
    assert sent(session.want({"a": ()}, 1.0)) == [("unsubscribe", None, "sub_1")]
    closed = new_session()
    closed.want({"a": W1}, 0.0)
    assert closed.want({"a": ()}, 0.0) == []
    closed.connecting()
    assert closed.opened(0.0) == []


@pytest.mark.parametrize("answer", ["ack", "error"])
def test_an_unsubscribe_during_an_update(answer: str) -> None:
    """Accepted or refused, the subscription ends, and no refusal is charged to another one."""
    session = live()
    session.want({"a": W2}, 1.0)
    session.want({"a": ()}, 1.0)
    assert sent(feed(session, 2.0, type=answer, subscription_id="sub_1")) == [("unsubscribe", None, "sub_1")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "bad-json"),
        (b"[]", "not-an-object"),
        (b'{"type":"greeting"}', "unknown-type"),
        (b'{"type":"ack","subscription_id":"sub_7"}', "unexpected-ack"),
        (b'{"type":"error","code":"X","message":"out of the blue"}', "provider-error"),
        (b'{"type":"error","subscription_id":"sub_1","code":"RATE_LIMIT"}', "provider-error"),
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


def test_an_unknown_ack_does_not_answer_an_update() -> None:
    """It would bring an id that the update does not have."""
    session = live()
    session.want({"a": ("w1", "w2")}, 1.0)
    (letter,) = ack(session, "sub_7", 2.0)
    assert isinstance(letter, Bury)
    assert letter.reason == "unexpected-ack"
    assert ack(session, "sub_1", 3.0)[1] == Live(("w2",), "sub_1")


def test_an_ack_repeated_is_harmless() -> None:
    """A known id without an open request answers nothing."""
    assert ack(live(), "sub_1") == []


def test_a_subscription_that_the_provider_ended_is_asked_for_again() -> None:
    """
    At once; but when it ends again soon, only after 60 s.

    0        1                  2                   61
    sub_1    ended: subscribe   sub_2 ended: wait   subscribe
    """
    session = live()
    ended = feed(session, 1.0, type="error", code="X", message="gone", subscription_id="sub_1")
    assert ended[0] == Refused("a", "subscription", "X", "gone", W1)
    assert Lost(W1, "refused") in ended
    assert sent(ended) == [("unsubscribe", None, "sub_1"), ("subscribe", ["w1"], None)]
    ack(session, "sub_2", 2.0)
    again = feed(session, 2.0, type="error", code="SUBSCRIPTION_NOT_FOUND", message="gone", subscription_id="sub_2")
    assert sent(again) == []
    session.heard(60.0)
    assert sent(session.tick(62.0)) == [("subscribe", ["w1"], None)]


def test_an_update_of_a_subscription_that_is_gone_becomes_a_subscribe() -> None:
    """Nothing of it is in force any more."""
    session = live()
    session.want({"a": ("w1", "w2")}, 1.0)
    commands = feed(session, 2.0, type="error", code="SUBSCRIPTION_NOT_FOUND", message="?", subscription_id="sub_1")
    assert Lost(W1, "refused") in commands
    assert sent(commands) == [("subscribe", ["w1"], None)]
    assert sent(ack(session, "sub_2", 3.0)) == [("update", ["w1", "w2"], "sub_2")]


def test_a_key_turned_away_closes_the_connection() -> None:
    """The shell decides what follows."""
    commands = feed(live(), 1.0, type="error", code="AUTH_FAILED", message="bad key")
    assert commands == [TurnedAway("AUTH_FAILED", "bad key"), Drop("AUTH_FAILED: bad key")]


def test_a_wallet_that_moves_is_delivered_throughout() -> None:
    """
    w1 and w2 in "a"; w2 moves to "b", w3 comes to "a" for it: three might be too many for "a".

    1               2                         3
    subscribe b     ack b: update a (w1 w3)   ack a
    """
    session = live()
    session.want({"a": ("w1", "w2")}, 0.0)
    ack(session, "sub_1")
    commands = session.want({"a": ("w1", "w3"), "b": ("w2",)}, 1.0)
    told = [*commands, *ack(session, "sub_2", 2.0), *ack(session, "sub_1", 3.0)]
    assert sent(told) == [("subscribe", ["w2"], None), ("update", ["w1", "w3"], "sub_1")]
    assert [command for command in told if isinstance(command, Live | Lost)] == [Live(("w3",), "sub_1")]
    assert sorted(session.in_force()) == ["w1", "w2", "w3"]


def test_what_frees_room_is_asked_for_first() -> None:
    """A provider that limits the wallets of all subscriptions together would refuse the other order."""
    session = opened("a", "b")
    ack(session, "sub_1")
    ack(session, "sub_2")
    commands = session.want({"a": ("w-a", "w1"), "b": ()}, 1.0)
    assert [action for action, _, _ in sent(commands)] == ["unsubscribe", "update"]


def test_an_update_without_ack_is_replaced_by_a_new_connection() -> None:
    """A provider that never acknowledges updates gets each wish with a subscribe, and is not reconnected for ever."""
    session = live()
    session.want({"a": ("w1", "w2")}, 1.0)
    refused, drop = session.tick(11.0)
    assert refused == Refused("a", "update", "NO_ACK", "no ack within 10 s", ("w2",))
    assert drop == Drop("no ack of a within 10 s")
    session.closed()
    session.connecting()
    assert sent(session.opened(12.0)) == [("subscribe", ["w1", "w2"], None)]
    assert ack(session, "sub_2", 12.0)[1] == Live(("w1", "w2"), "sub_2")
    assert session.deadline == 22.0, "nothing but the next ping"


def test_a_dialect_without_acks_of_updates_counts_them_as_in_force() -> None:
    """As documented, an update takes effect at once; an ack that comes all the same is harmless."""

    class Silent(Dome):
        acks_updates = False

    session = Session(Silent(), Limits(), provider="dome")
    session.want({"a": W1}, 0.0)
    session.connecting()
    session.opened(0.0)
    ack(session, "sub_1")
    _, *told = session.want({"a": W2}, 1.0)
    assert told == [Lost(W1, "resubscribed"), Live(W2, "sub_1")]
    assert session.state is State.LIVE
    assert ack(session, "sub_1", 2.0) == []


def test_a_bad_frame_names_the_wallets_it_may_concern() -> None:
    """Those of the subscription it names, if we know that; otherwise all that are in force."""
    session = live()
    session.want({"b": W2}, 0.0)
    ack(session, "sub_2")
    concerned = []
    for frame in ({"subscription_id": "sub_2"}, {"subscription_id": "sub_x"}, {"subscription_id": 1}, {}):
        (bury,) = feed(session, type="?", **frame)
        assert isinstance(bury, Bury)
        concerned.append(bury.wallets)
    assert concerned == [W2, W1 + W2, W1 + W2, W1 + W2]


def test_silence_and_disconnects_are_told_apart() -> None:
    """A half-open connection was dead before it was noticed."""
    session = live()
    session.tick(30.0)
    assert session.closed() == [Lost(W1, "silence")]
    session.connecting()
    session.opened(31.0)
    ack(session, "sub_1", 31.0)
    assert session.closed() == [Lost(W1, "disconnect")]


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
