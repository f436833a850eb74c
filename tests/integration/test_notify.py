"""`python -m streams notify` as a process, on the real broker, with receivers on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from connector.local.broker import LocalKafka
from connector.local.ports import port_of, reserve
from tests.support.alerts import alert, hexed, over
from tests.support.listener import Listener, listening
from tests.support.notifier import SECRET, Deployment

if TYPE_CHECKING:
    from pathlib import Path


ROUTES = """
receivers:
  - name: chat
    apprise: json://127.0.0.1:{port}/chat
  - name: program
    webhook: {{url: "http://127.0.0.1:{port}/program", secret: "${{WEBHOOK_SECRET}}"}}
    send_resolved: true
    retry_for: {retry_for}
  - name: nobody
route:
  receiver: chat
  group_by: [rule]
  group_wait: {wait}
  group_interval: 1s
  routes:
    - {{matchers: [severity = critical], receiver: program}}
    - {{matchers: [team = none], receiver: nobody}}
"""


async def test_alerts_are_routed_grouped_and_signed(deployment: Deployment, listener: Listener) -> None:
    """To whom it concerns, one message for a group; silenced, unrouted and repeated ones to nobody, and all settled."""
    deployment.configure(ROUTES.format(port=listener.port, wait="1s", retry_for="1h"))
    alerts = [
        *(alert(f"chat {number}") for number in range(3)),
        *(alert(f"grave {number}", severity="critical") for number in range(2)),
        alert("hidden", silenced_by=["s1"]),
        alert("nowhere", labels={"team": "none"}),
    ]
    async with deployment.notifier() as notifier:
        await deployment.publish(*alerts, alerts[0], b"no alert")
        await listener.until(lambda each: len(each.accepted) == 2)
        chat = next(each for each in listener.got if each.path == "/chat")
        program = next(each for each in listener.got if each.path == "/program")
        assert chat.body["title"] == "info: 3 alerts (rule r)"
        assert all(f"message chat {number}" in chat.body["message"] for number in range(3))
        assert {each["alert_id"] for each in program.body["alerts"]} == {each.alert_id for each in alerts[3:5]}
        assert program.body["counts"] == {
            "total": 2, "firing": 2, "escalated": 0, "resolved": 0, "critical": 2, "warning": 0, "info": 0
        }  # fmt: skip
        signed = f"{program.key}.{program.headers['webhook-timestamp']}.".encode() + program.raw
        digest = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
        assert program.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        await deployment.until_committed(9)
        assert await notifier.outcomes() == {
            "queued": 5, "silenced": 1, "unrouted": 1, "unwanted": 0, "repeated": 1, "dead": 1
        }  # fmt: skip
        assert (await notifier.status.ask("/livez")).status == 200
        assert await notifier.stop() == 0
    (letter,) = await deployment.dead()
    assert (letter.reason, base64.b64decode(letter.raw or "")) == ("bad-record", b"no alert")
    assert SECRET not in deployment.log.read_text()


async def test_what_fails_is_tried_again_and_what_is_refused_is_buried(
    deployment: Deployment, listener: Listener
) -> None:
    """Server errors and a port nobody listens on are waited for, with one key; a client error is a dead letter."""
    with reserve() as port:
        away = port_of(port)
        config = ROUTES.format(port=listener.port, wait="0s", retry_for="1h")
        deployment.configure(config.replace(f"{listener.port}/chat", f"{away}/chat"))
        listener.decide = lambda number: 500 if number < 2 else 404 if number == 3 else 200
        async with deployment.notifier() as notifier:
            await deployment.publish(alert("grave", severity="critical"), alert("lost"))
            await listener.until(lambda each: len(each.accepted) == 1)
            assert [each.status for each in listener.got] == [500, 500, 200]
            assert len({each.key for each in listener.got}) == 1
            await deployment.publish(alert("refused", severity="critical"))
            await listener.until(lambda each: len(each.got) == 4)
            port.close()
            async with listening(away) as later:
                await later.until(lambda each: each.accepted)
                assert "message lost" in later.got[0].body["message"]
            await deployment.until_committed(3)
            assert (await notifier.outcomes())["dead"] == 1
            metrics = await notifier.status.metrics()
            sent = {
                outcome: metrics.total("walletstream_notify_notifications_total", receiver="program", outcome=outcome)
                for outcome in ("sent", "retried", "dead")
            }
            assert sent == {"sent": 1, "retried": 2, "dead": 1}
    (letter,) = await deployment.dead()
    assert letter.notification is not None
    assert (letter.reason, letter.notification.receiver) == ("refused", "program")
    assert [each.message for each in letter.notification.alerts] == ["message refused"]


async def test_who_does_not_come_back_in_time_is_given_up(deployment: Deployment, listener: Listener) -> None:
    """The letter holds what nobody was told, and the offsets go on."""
    deployment.configure(ROUTES.format(port=listener.port, wait="0s", retry_for="1s"))
    listener.decide = lambda _: 503
    async with deployment.notifier():
        await deployment.publish(alert("grave", severity="critical"))
        await deployment.until_committed(1)
    (letter,) = await deployment.dead()
    assert (letter.reason, letter.detail.split(" (")[0]) == ("gave-up", "HTTP 503")


async def test_a_kill_loses_nothing_and_repeats_with_the_same_key(deployment: Deployment, listener: Listener) -> None:
    """
    Killed between the message and its answer: the next one sends it again, word for word, and then what came since.

    publish 2 ──> sent, no answer ──> kill ──> publish 1 more ──> start ──> the 2 again, the same key ──> the 1
    """
    deployment.configure(ROUTES.format(port=listener.port, wait="0s", retry_for="1h"))
    listener.held.clear()
    async with deployment.notifier() as notifier:
        await deployment.publish(alert("one", severity="critical", fingerprint=hexed("x", 16)))
        await listener.until(lambda each: len(each.got) == 1)
        assert await deployment.committed() == 0
        await notifier.kill()
    listener.held.set()
    await deployment.publish(alert("two", severity="critical", fingerprint=hexed("x", 16)))
    async with deployment.notifier():
        await listener.until(lambda each: len(each.got) == 3)
        await deployment.until_committed(2)
    first, again, then = listener.got
    assert (first.key, first.raw) == (again.key, again.raw)
    assert [each["message"] for each in then.body["alerts"]] == ["message two"]
    assert await deployment.dead() == []


async def test_what_still_fires_outlives_a_restart_and_is_repeated_until_it_is_over(
    deployment: Deployment, listener: Listener
) -> None:
    """The memory of a group is in Kafka; when the alert is over, nothing of it is left."""
    config = ROUTES.format(port=listener.port, wait="0s", retry_for="1h")
    deployment.configure(config.replace("group_interval: 1s", "group_interval: 1s\n  repeat_interval: 1s"))
    async with deployment.notifier() as notifier:
        await deployment.publish(alert("long", severity="critical", ends_at=None))
        await listener.until(lambda each: len(each.got) == 2)
        await deployment.until_committed(1)
        assert await notifier.stop() == 0
    before = len(listener.got)
    async with deployment.notifier():
        await listener.until(lambda each: len(each.got) > before)
        await deployment.publish(over("long", severity="critical"))
        await listener.until(lambda each: each.got[-1].body["counts"]["resolved"] == 1)
        await deployment.until_committed(2)
        await listener.until(lambda each: each.got[-1].body["kind"] == "new")
        await deployment.until_forgotten()
    kinds = [each.body["kind"] for each in listener.got]
    assert kinds == ["new", *["repeat"] * (len(kinds) - 2), "new"]
    assert len({each.key for each in listener.got}) == len(kinds)


async def test_sigterm_ends_a_notifier_whose_broker_is_away(tmp_path: Path, listener: Listener) -> None:
    """It stays alive while Kafka is away, since a restart would not help; told to stop it ends."""
    async with LocalKafka() as kafka, Deployment(kafka.bootstrap, "", tmp_path) as deployment:
        deployment.configure(ROUTES.format(port=listener.port, wait="0s", retry_for="1h"))
        listener.held.clear()
        async with deployment.notifier() as notifier:
            await deployment.publish(alert("sent", severity="critical"))
            await listener.until(lambda each: each.got)
            await kafka.kill()
            listener.held.set()
            assert (await notifier.status.ask("/livez")).status == 200
            assert await notifier.stop() == 0
        assert "Traceback" not in deployment.log.read_text()
