"""What people read, and what programs get."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from streams.notify.batch import Batch, Place, gravest_first
from streams.notify.message import Message, message
from streams.notify.outcome import of_apprise, of_status, wait_s
from streams.notify.payload import payload
from streams.notify.records import Notification, named
from streams.notify.signature import headers
from streams.notify.templates import Templates, check
from streams.notify.texts import harmless
from tests.support.alerts import alert


def notification(*names: str, most: int = 20, kind: Any = "new", **fields: Any) -> Notification:
    """Return a notification of alerts with these names."""
    batch = Batch(most)
    for offset, name in enumerate(names):
        batch.add(named(alert(name, **fields)), Place(0, offset))
    return Notification(
        key="0" * 32,
        receiver="desk",
        kind=kind,
        group={"rule": "r"},
        counts=batch.counts,
        alerts=gravest_first(batch.named),
        offsets=batch.offsets,
        at=0,
    )


def test_an_alert_is_told_in_a_few_lines() -> None:
    """What, why, when, about whom, and where more is to be seen."""
    told = message(
        notification("a", reason="order.notional > 100.0 (order.notional = 200)", subject="0x1"),
        Templates(link="https://board/#/{scope}/{subject}?q={message}"),
        most=4_000,
    )
    assert told.title == "info: 1 alert (rule r)"
    assert told.body.splitlines() == [
        "info r: message a",
        "  why: order.notional > 100.0 (order.notional = 200)",
        "  2026-01-04 20:00:00 UTC, wallet 0x1",
        "  https://board/#/wallet/0x1?q=message%20a",
    ]


def test_what_is_not_named_is_counted() -> None:
    """All that is counted and named together is all there is; the gravest are named."""
    batch = Batch(2)
    for number in range(315):
        severity = "critical" if number in {200, 300} else "warning" if number % 2 else "info"
        batch.add(named(alert(str(number), severity=severity)), Place(0, number))
    assert [each.message for each in batch.named] == ["message 200", "message 300"]
    many = notification(*map(str, range(315)), most=2)
    assert message(many, Templates(), most=4_000).body.splitlines()[-1] == "and 313 more (313 info)"
    assert message(notification("a", "b", most=0), Templates(), most=4_000).body == "2 alerts (2 info)"


@pytest.mark.parametrize("most", [200, 500, 1_000, 4_000])
def test_a_body_keeps_to_what_the_service_takes(most: int) -> None:
    """Whatever is in it; what is left out is counted."""
    body = message(notification(*map(str, range(20)), message="m" * 900), Templates(), most=most).body
    assert len(body) <= most
    named_there = body.count("info r: m")
    rest = 20 - named_there
    assert named_there >= 1
    assert rest == 0 or f"and {rest} more ({rest} info)" in body


def test_the_title_says_the_gravest_and_that_it_goes_on() -> None:
    """In one line."""
    told = message(notification("a", "b", severity="critical", kind="repeat"), Templates(), most=500)
    assert told.title == "still firing: critical: 2 alerts (rule r)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@everyone win", "@\u200beveryone win"),
        ("<!channel> <@U1>", "<\u200b!channel> <@\u200bU1>"),
        ("[free](http://evil.example)", "[free]\u200b(http:\u200b//evil.\u200bexample)"),
        ("two\r\nSubject: x\u202e", "two Subject: x"),
        ("wallet.w1m.orders >= 20 (4.5)", "wallet.w1m.orders >= 20 (4.5)"),
        ("go to evil.com", "go to evil.\u200bcom"),
    ],
)
def test_strangers_texts_call_nobody_and_link_nowhere(text: str, expected: str) -> None:
    """Titles of markets are written by anybody."""
    assert harmless(text).replace("<\u200b@\u200b", "<@\u200b") == expected


@pytest.mark.parametrize("text", ["{nothing}", "{rule!r}", "{rule:>9}", "{rule", "{}", "{rule.__class__}"])
def test_templates_are_names_in_braces_only(text: str) -> None:
    """Anything else is a fault of the file."""
    with pytest.raises(ValueError, match=r"placeholder|format|brace|expected"):
        check(text, ("rule",))


def test_webhooks_get_the_same_bytes_each_time_signed_after_the_standard() -> None:
    """HMAC-SHA256 of id, time and body, with a secret as text or in base64."""
    told = notification("a")
    body = payload(told, Message("t", "b"))
    assert body == payload(told, Message("t", "b"))
    read = json.loads(body)
    assert (read["title"], read["alerts"][0]["message"], read["offsets"]) == ("t", "message a", {"0": [0, 0]})
    encoded = "whsec_" + base64.b64encode(b"bytes").decode()
    for secret, raw in (("text", b"text"), (encoded, b"bytes"), ("whsec_!", b"whsec_!")):
        made = headers(secret, told.key, body, 1_767_556_800)
        digest = hmac.digest(raw, told.key.encode() + b".1767556800." + body, hashlib.sha256)
        assert made["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert made["Idempotency-Key"] == made["webhook-id"] == told.key


@pytest.mark.parametrize(
    ("status", "result"),
    [
        *((status, "sent") for status in (200, 204)),
        *((status, "refused") for status in (301, 400, 404)),
        *((status, "retry") for status in (408, 429, 500, 503)),
    ],
)
def test_what_a_status_means(status: int, result: str) -> None:
    """What stays as it is is dead, what passes is tried again."""
    assert of_status(status).result == result
    if status >= 300:
        assert of_apprise(f"Failed to send JSON POST notification: no, error={status}.").result == result


def test_waiting_doubles_and_heeds_the_receiver() -> None:
    """Between half and all of 1, 2, 4 ... 60 seconds, or what Retry-After says, if that is more."""
    waits = [wait_s(failures, of_status(500), 0.0) for failures in (1, 2, 3, 30)]
    assert waits == [0.5, 1.0, 2.0, 30.0]
    assert wait_s(1, of_status(429, "17"), 1.0) == 17.0
    assert wait_s(1, of_status(429, "Wed, 21 Oct 2026 07:28:00 GMT"), 1.0) == 1.0
    assert wait_s(1, of_status(429, "999999"), 1.0) == 300.0
    assert of_apprise("connection broke").result == "retry"
