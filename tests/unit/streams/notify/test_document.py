"""Files of notifications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.notify import document
from streams.notify.apprising import usable
from streams.notify.document import InvalidNotifications, read_config
from streams.notify.routes import Timing, walk
from streams.notify.secrets import Sources
from streams.notify.targets import Webhook

EXAMPLE = Path(document.__file__).parent / "example.yaml"
ENVIRONMENT = {
    "TELEGRAM_BOT_TOKEN": "123456789:abcdefg_hijklmnop",
    "TELEGRAM_CHAT_ID": "12345",
    "SLACK_TOKENS": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "DISCORD_WEBHOOK": "4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "SMTP_USER": "user",
    "SMTP_PASSWORD": "a pass word",
    "TOKEN": "hidden-token",
}

GOOD = """\
receivers:
  - name: desk
    apprise: json://127.0.0.1/${TOKEN}
  - name: hook
    webhook:
      url: https://example.com/in
      secret: file:/secret
    send_resolved: true
    max_alerts: 5
    retry_for: 10m
route:
  receiver: desk
  group_by: [rule]
  group_wait: 1s
  routes:
    - matchers: ['severity = critical', 'rule =~ "a|b"']
      receiver: hook
      group_interval: 1m30s
      continue: true
"""


def read(text: str, name: str = "my.yaml") -> Any:
    """Read a document whose secret file says `hush-hush`."""

    def opened(path: str) -> str:
        if path.endswith("/missing"):
            raise FileNotFoundError(path)
        return "hush-hush\n"

    return read_config(text, Sources(ENVIRONMENT, opened), usable, name=name)


def test_a_document_is_read_with_what_routes_inherit() -> None:
    """Children say only what is other than their parent's; secrets are filled in, and known as such."""
    config = read(GOOD)
    root, child = walk(config.route)
    assert (root.timing, child.timing) == (Timing(1_000, 300_000), Timing(1_000, 90_000))
    assert (child.receiver, child.group_by, child.go_on, len(child.matchers)) == ("hook", ("rule",), True, 2)
    (desk,), (hook,) = config.receivers["desk"], config.receivers["hook"]
    assert desk.address == "json://127.0.0.1/hidden-token"
    assert hook.address == Webhook("https://example.com/in", "hush-hush")
    assert (hook.send_resolved, hook.most_named, hook.retry_for_ms) == (True, 5, 600_000)
    assert {"hidden-token", "hush-hush"} <= config.secrets


def test_no_secret_is_in_what_is_printed_of_a_configuration() -> None:
    """Whoever logs it by mistake shows names only."""
    config = read(GOOD)
    shown = repr(config) + repr(list(config.all_targets())) + repr(config.receivers["hook"][0].address)
    assert not any(secret in shown for secret in ("hidden-token", "hush-hush"))


def test_the_name_of_a_target_follows_its_written_address_only() -> None:
    """A new token is the same target; another address is another."""
    names = [
        next(read(text).all_targets()).name
        for text in (GOOD, GOOD.replace("name: hook", "name: hook2").replace("receiver: hook", "receiver: hook2"))
    ]
    assert names[0] == names[1]
    assert next(read(GOOD.replace("127.0.0.1", "127.0.0.2")).all_targets()).name != names[0]


@pytest.mark.parametrize(
    ("change", "line", "text"),
    [
        (("${TOKEN}", "${TOKN}"), 3, "desk: apprise: TOKN not set in the environment"),
        (("json://127.0.0.1/${TOKEN}", "tgrm://${TOKEN}"), 3, "apprise: is no URL that Apprise understands"),
        (("json://127.0.0.1/${TOKEN}", "tgram://${TOKEN}"), 3, "the URL after tgram:// is not as Apprise wants it"),
        (("file:/secret", "file:/missing"), 6, "hook: webhook: secret: the file /missing cannot be read"),
        (("https://example.com/in", "example.com"), 6, "hook: webhook: url: expected one that begins with https://"),
        (("send_resolved: true", "send_resolved: maybe"), 8, "hook: send_resolved: expected true | false"),
        (("max_alerts: 5", "max_alerts: 500"), 9, "max_alerts: expected a whole number from 0 to 100"),
        (("name: hook", "name: desk"), 4, "desk: name is taken by the receiver on line 2"),
        (("receiver: hook", "receiver: hok"), 17, "route 1: receiver: there is none called hok: did you mean hook?"),
        (("group_wait: 1s", "group_wait: 1"), 14, "route: group_wait: expected whole numbers and units"),
        (("group_by: [rule]", "group_by: [rule]\n  repeat_interval: 0s"), 14, "expected more than 0s"),
        (("  receiver: desk", "  group_by: [scope]"), 12, "receiver is missing: the root says who is told"),
        (("  receiver: desk", "  receiver: desk\n  matchers: [rule = a]"), 12, "the root takes every alert"),
        (("severity = critical", "severity = urgent"), 16, "severity is never 'urgent'"),
        (("a|b", "a|("), 16, "rule: no regular expression"),
        (("severity = critical", "severity"), 16, "expected NAME = VALUE"),
        (("group_wait", "group_weit"), 14, "route: unknown key group_weit: did you mean group_wait"),
        (("route:", "templates: {link: 'x/{subjct}'}\nroute:"), 11, "unknown placeholder {subjct}: did you mean"),
        (("route:", "rout:"), 11, "document: unknown key rout: did you mean route?"),
    ],
)
def test_a_fault_names_its_line_and_remedy_and_no_secret(change: tuple[str, str], line: int, text: str) -> None:
    """Where it is, and what to do."""
    with pytest.raises(InvalidNotifications) as invalid:
        read(GOOD.replace(*change, 1))
    assert line in [fault.line for fault in invalid.value.faults], str(invalid.value)
    assert text in str(invalid.value)
    assert not any(secret in str(invalid.value) for secret in ("hidden-token", "hush-hush"))


@pytest.mark.parametrize("document", ["", "[]", "receivers: [", "receivers: 3\nroute: 4", "route: {receiver: x}"])
def test_what_is_no_such_document_says_so(document: str) -> None:
    """As faults, not as traces."""
    with pytest.raises(InvalidNotifications, match=r"my\.yaml:\d+: "):
        read(document)


def test_the_example_is_right() -> None:
    """It is what people begin with."""
    config = read(EXAMPLE.read_text())
    assert list(config.receivers) == ["desk", "analysts", "on-call", "trading", "nobody"]
    assert [len(targets) for targets in config.receivers.values()] == [1, 2, 1, 1, 0]
