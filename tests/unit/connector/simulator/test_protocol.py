"""The server's side of one socket."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson
import pytest

from connector.simulator.book import Book, Executed
from connector.simulator.dialect import Dome
from connector.simulator.protocol import Accepted, Rejected, ServerSession
from connector.simulator.settings import Switches
from connector.simulator.tiers import DEV, FREE, Quota, Tier


def session_of(tier: Tier = DEV, quota: Quota | None = None) -> ServerSession:
    """Return a session whose subscription ids count up."""
    ids = count(1)
    return ServerSession(
        dialect=Dome(), quota=quota or Quota(tier), switches=Switches(), new_id=lambda: f"sub_{next(ids)}"
    )


def subscribe(*users: str, **changes: Any) -> bytes:
    """Return a subscribe frame for the wallets."""
    frame = {"action": "subscribe", "platform": "polymarket", "version": 1, "type": "orders"}
    return orjson.dumps(frame | {"filters": {"users": list(users)}} | changes)


def order(user: str) -> Executed:
    """Return an order of the wallet."""
    return Book().add({"user": user, "timestamp": 1_700_000_000}, executed_ns=0, rest_ns=0)


def accepted(answer: Accepted | Rejected) -> Accepted:
    """Return the answer, which must not be a refusal."""
    assert isinstance(answer, Accepted), answer
    return answer


def refusal(answer: Accepted | Rejected) -> str:
    """Return the code of the answer, which must be a refusal."""
    assert isinstance(answer, Rejected), answer
    return answer.code


def test_nothing_matches_before_the_subscription_is_activated() -> None:
    """Events cannot precede the ack, because the subscription takes effect with it."""
    session = session_of()
    answer = accepted(session.receive(subscribe("0xa")))
    assert session.matching(order("0xa")) == []
    session.activate(answer)
    assert session.matching(order("0xa")) == ["sub_1"]
    assert session.matching(order("0xb")) == []


def test_one_order_goes_to_every_matching_subscription() -> None:
    """The envelope is per subscription, so overlapping subscriptions each get the order."""
    session = session_of()
    for users in (("0xa", "0xb"), ("0xa",), ("*",)):
        session.activate(accepted(session.receive(subscribe(*users))))
    assert sorted(session.matching(order("0xa"))) == ["sub_1", "sub_2", "sub_3"]
    assert sorted(session.matching(order("0xc"))) == ["sub_3"]


def test_an_update_replaces_filters_and_kind_and_keeps_the_id() -> None:
    """The old filters end when the new ones begin."""
    session = session_of()
    session.activate(accepted(session.receive(subscribe("0xa"))))
    update = subscribe(action="update", subscription_id="sub_1", filters={"market_slugs": ["*"], "users": ["0xb"]})
    answer = accepted(session.receive(update))
    assert session.matching(order("0xa")) == ["sub_1"]
    session.activate(answer)
    assert answer.subscription == "sub_1"
    assert session.matching(order("0xa")) == []
    assert session.matching(order("0xb")) == ["sub_1"]


def test_unsubscribe_ends_events_at_once() -> None:
    """It needs nothing but the id; a second one finds nothing."""
    session = session_of()
    session.activate(accepted(session.receive(subscribe("0xa"))))
    frame = orjson.dumps({"action": "unsubscribe", "version": 1, "subscription_id": "sub_1"})
    accepted(session.receive(frame))
    assert session.matching(order("0xa")) == []
    assert refusal(session.receive(frame)) == "SUBSCRIPTION_NOT_FOUND"


def test_an_ack_that_comes_after_the_unsubscribe_revives_nothing() -> None:
    """A delayed activation of a cancelled subscription has no effect."""
    session = session_of()
    late = accepted(session.receive(subscribe("0xa")))
    session.receive(orjson.dumps({"action": "unsubscribe", "version": 1, "subscription_id": late.subscription}))
    session.activate(late)
    assert session.matching(order("0xa")) == []


def test_sessions_of_a_key_share_its_quota_and_give_it_back() -> None:
    """The free plan's two subscriptions are two for all sockets; a closed one frees its own."""
    quota = Quota(FREE)
    first, second = session_of(quota=quota), session_of(quota=quota)
    accepted(first.receive(subscribe("0xa")))
    accepted(second.receive(subscribe("0xb")))
    assert refusal(second.receive(subscribe("0xc"))) == "SUBSCRIPTION_LIMIT"
    first.close()
    accepted(second.receive(subscribe("0xc")))


def test_a_revoked_subscription_frees_its_place() -> None:
    """An injected error in place of the ack leaves nothing subscribed."""
    quota = Quota(FREE)
    session = session_of(quota=quota)
    session.revoke(accepted(session.receive(subscribe("0xa"))))
    assert session.subscriptions == []
    assert quota.used == 0


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"{nonsense", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"action":"dance"}', "UNKNOWN_ACTION"),
        (b'{"action":["subscribe"]}', "UNKNOWN_ACTION"),
        (subscribe("0xa", platform="kalshi"), "PARSE_ERROR"),
        (subscribe("0xa", version=2), "PARSE_ERROR"),
        (subscribe("0xa", type="prices"), "PARSE_ERROR"),
        (subscribe("0xa", filters={}), "INVALID_FILTERS"),
        (subscribe(*"abcdef"), "ITEMS_PER_SUB_LIMIT"),
        (subscribe("*"), "WILDCARD_NOT_ALLOWED"),
        (subscribe("0xa", action="update"), "SUBSCRIPTION_NOT_FOUND"),
    ],
)
def test_wrong_requests_are_refused_by_code(frame: bytes, code: str) -> None:
    """Each has its own code, and leaves nothing subscribed."""
    session = session_of(FREE)
    assert refusal(session.receive(frame)) == code
    assert session.subscriptions == []
