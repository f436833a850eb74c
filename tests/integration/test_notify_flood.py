"""Ten thousand alerts at once, and receivers that are slow, on the real broker."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from connector.local.ports import port_of, reserve
from tests.support.alerts import alert, hexed
from tests.support.listener import Listener, listening

if TYPE_CHECKING:
    from email.message import Message as Mail

    from tests.support.notifier import Deployment

FLOOD = 10_000
SUBJECTS = 100
MIB = 1 << 20
GROWTH_MIB = 64
"""What the groups with their named alerts may take, and the client's buffers; the alerts alone are 20 MB of JSON."""

ROUTES = """
receivers:
  - name: by-rule
    webhook: {{url: "http://127.0.0.1:{port}/by-rule", secret: x}}
  - name: by-subject
    webhook: {{url: "http://127.0.0.1:{port}/by-subject", secret: x}}
route:
  receiver: by-rule
  group_by: [rule]
  group_wait: 1s
  group_interval: 1s
  routes:
    - {{matchers: [scope = wallet], receiver: by-rule, continue: true}}
    - {{matchers: [scope = wallet], receiver: by-subject, group_by: [subject]}}
"""


def counted(listener: Listener, path: str) -> int:
    """Return how many alerts were told there, named or counted, each key once."""
    return sum({each.key: each.body["counts"]["total"] for each in listener.accepted if each.path == path}.values())


def _told(alerts: int, listener: Listener) -> bool:
    return counted(listener, "/by-rule") == alerts


async def test_a_flood_arrives_grouped_and_counted_in_bounded_memory(
    deployment: Deployment, listener: Listener
) -> None:
    """Nobody gets ten thousand messages, and no alert is missing from what they say."""
    deployment.configure(ROUTES.format(port=listener.port))
    flood = [
        alert(str(number), rule=f"r{number % 10}", subject="0x" + hexed(str(number % SUBJECTS), 40))
        for number in range(FLOOD)
    ]
    async with deployment.notifier() as notifier:
        process = psutil.Process(notifier.process.pid)
        before = process.memory_info().rss
        await deployment.publish(*flood)
        await listener.until(lambda each: counted(each, "/by-rule") == counted(each, "/by-subject") == FLOOD)
        grown = (process.memory_info().rss - before) / MIB
        await deployment.until_committed(FLOOD)
        assert (await notifier.outcomes())["queued"] == FLOOD
    by_rule = [each.body for each in listener.got if each.path == "/by-rule"]
    by_subject = [each.body for each in listener.got if each.path == "/by-subject"]
    sys.stdout.write(f"{FLOOD:,} alerts: {len(by_rule)} and {len(by_subject)} notifications, {grown:.1f} MiB more\n")
    assert len(by_rule) < FLOOD / 50
    assert SUBJECTS <= len(by_subject) < FLOOD / 10
    named = Counter(one["alert_id"] for each in by_rule for one in each["alerts"])
    assert set(named.values()) == {1}
    assert named.keys() < {each.alert_id for each in flood}
    assert grown < GROWTH_MIB


async def test_who_is_slow_makes_nobody_wait(deployment: Deployment, listener: Listener) -> None:
    """One receiver does not answer; the other hears of everything meanwhile, and the first once it is back."""
    config = ROUTES.format(port=listener.port).replace("group_wait: 1s", "group_wait: 0s")
    async with listening() as slow:
        deployment.configure(config.replace(f"{listener.port}/by-subject", f"{slow.port}/by-subject"))
        slow.held.clear()
        async with deployment.notifier():
            await deployment.publish(alert("first"))
            await slow.until(lambda each: each.got)
            for number in range(3):
                await deployment.publish(alert(str(number)))
                await listener.until(partial(_told, number + 2))
            assert len(slow.got) == 1
            slow.held.set()
            await slow.until(lambda each: counted(each, "/by-subject") == 4)
            await deployment.until_committed(4)


class _Inbox(Message):
    """Keeps mails, and refuses the first ones."""

    def __init__(self, refuse: int) -> None:
        super().__init__()
        self.mails: list[Mail] = []
        self._refuse = refuse

    async def handle_MAIL(self, server: object, session: object, envelope: object, *_: object) -> str:  # noqa: N802
        """Refuse for a while."""
        self._refuse -= 1
        if self._refuse >= 0:
            return "451 try again"
        envelope.mail_from = str(_[0])  # type: ignore[attr-defined]
        return "250 OK"

    def handle_message(self, message: Mail) -> None:
        """Keep a mail."""
        self.mails.append(message)


async def test_mail_is_sent_and_sent_again(deployment: Deployment) -> None:
    """By Apprise, to a real mail server that wants to be asked twice; titles of strangers stay one line."""
    inbox = _Inbox(refuse=1)
    with reserve() as held:
        port = port_of(held)
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        deployment.configure(
            f"""
receivers:
  - name: mail
    apprise: mailto://127.0.0.1:{port}?from=us@example.com&to=you@example.com&format=text
route: {{receiver: mail, group_by: [rule], group_wait: 0s}}
"""
        )
        async with deployment.notifier() as notifier:
            await deployment.publish(alert("a", message="hello\r\nBcc: all@example.com", severity="critical"))
            await deployment.until_committed(1)
            metrics = await notifier.status.metrics()
            counts = [
                metrics.total("walletstream_notify_notifications_total", receiver="mail", outcome=outcome)
                for outcome in ("sent", "retried", "dead")
            ]
    finally:
        await asyncio.to_thread(server.stop)
    (mail,) = inbox.mails
    assert counts == [1, 1, 0]
    assert mail["subject"] == "critical: 1 alert (rule r)"
    assert mail["bcc"] is None
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "hello Bcc: all@\u200bexample" in body.decode()
