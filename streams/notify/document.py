"""
Files of notifications (NOTIFY_CONFIG): who is told of which alerts, and how often.

    receivers:
      - name: desk                     # required, unique
        apprise: tgram://${TOKEN}/${CHAT}   # a URL for Apprise, or a list of them: https://appriseit.com/services
        send_resolved: true            # also tell when an alert is over; default false
        max_alerts: 20                 # named in a notification, 0 to 100, all others are counted; default 20
        retry_for: 1h                  # how long a receiver that fails is tried; default 1h
      - name: trading
        webhook: {url: https://trading.example/alerts, secret: file:/run/secrets/webhook}
      - name: nobody                   # without an address: what is routed there is counted, and told nobody
    route:                             # the root takes every alert
      receiver: desk                   # required
      group_by: [rule]                 # alerts with equal values are told together; default: all; [...] for each alone
      group_wait: 30s                  # from a new group's first alert to its notification
      group_interval: 5m               # at least, between notifications about one group
      repeat_interval: 4h              # at least, until what still fires is told again
      routes:                          # asked in order; the first that takes an alert is the last that is asked,
        - matchers: [severity = critical, 'rule =~ "whale.*"']   # all of them have to match
          receiver: trading
          continue: true               # unless it says so
    templates:
      link: https://board.example/#/{scope}/{subject}   # a line below each alert; default none
      alert: "{severity} {rule}: {message}"             # the first line of each alert
      title: "{repeat}{severity}: {count} {alerts}{group}"

Routes inherit what they do not say, as in Alertmanager. A matcher is NAME = VALUE, or with !=, or with =~ or !~ and a
regular expression for the whole; what an alert does not have is an empty text. Names are severity, rule, scope, mode,
transition, subject, wallet, market, side, outcome, source, coverage; labels of the rule; variables that the rule groups
by; and texts that the rule reads, such as order.label, the wallet's label on the watch-list.

${NAME} is a variable of the environment, file:/path the text of a file; both in addresses and secrets only.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import yaml

from streams.notify import templates
from streams.notify.config import Config
from streams.notify.routing_document import read_route
from streams.notify.secrets import Secret, Sources, resolve
from streams.notify.targets import MOST_NAMED, RETRY_FOR_MS, Target, Webhook
from streams.notify.templates import Templates
from streams.rules import nodes
from streams.rules.errors import InvalidDocument
from streams.rules.nodes import Reader, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Usable = Callable[[str], str]
    """Returns what is wrong with a URL for Apprise, without showing it; an empty text when nothing is."""

MOST_MAX_ALERTS = 100

_FILE: Mapping[str, nodes.Read] = {"receivers": nodes.items, "route": nodes.itself, "templates": nodes.itself}
_TEMPLATES: Mapping[str, nodes.Read] = {
    "title": lambda node: templates.check(nodes.text(node), templates.TITLE_NAMES),
    "alert": lambda node: templates.check(nodes.text(node), templates.ALERT_NAMES),
    "link": lambda node: templates.check(nodes.text(node), templates.ALERT_NAMES),
}
_WEBHOOK: Mapping[str, nodes.Read] = {"url": nodes.text, "secret": nodes.text}


class InvalidNotifications(InvalidDocument):
    """A file of notifications has faults."""


def read_config(text: str, sources: Sources, usable: Usable, *, name: str) -> Config:
    """
    Return what a file says, its secrets filled in; `name` is for errors.

    Raises:
        InvalidNotifications: with every fault of the file, by line, and no secret.
    """
    reader = Reader()
    root = reader.compose(text, expected="receivers and a route")
    if root is None:
        raise InvalidNotifications(name, reader.faults)
    fields = reader.mapping(root, "document", _FILE, required=("receivers", "route"))
    receivers = _Receivers(reader, sources, usable)
    for place, node in enumerate(fields.get("receivers", []), start=1):
        receivers.read(node, f"receiver {place}")
    route = read_route(reader, fields["route"], receivers.found) if "route" in fields else None
    looks = reader.mapping(fields["templates"], "templates", _TEMPLATES) if "templates" in fields else {}
    if reader.faults or route is None:
        raise InvalidNotifications(name, reader.faults)
    return Config(
        route=route, receivers=receivers.found, templates=Templates(**looks), secrets=frozenset(receivers.secrets)
    )


class _Receivers:
    """Reads receivers, and gathers their secrets."""

    def __init__(self, reader: Reader, sources: Sources, usable: Usable) -> None:
        self._reader = reader
        self._sources = sources
        self._usable = usable
        self._lines: dict[str, int] = {}
        self.found: dict[str, tuple[Target, ...]] = {}
        self.secrets: set[str] = set()

    def read(self, node: yaml.Node, place: str) -> None:
        """Read one."""
        known: dict[str, nodes.Read] = {
            "name": _name,
            "apprise": self._apprise,
            "webhook": nodes.itself,
            "send_resolved": _flag,
            "max_alerts": _most,
            "retry_for": nodes.time_ms,
        }
        written = nodes.fields_of(node).get("name")
        name = str(written.value) if written is not None else place
        fields = self._reader.mapping(node, name, known, required=("name",))
        if name in self.found:
            self._reader.fault(node, name, f"name is taken by the receiver on line {self._lines[name]}")
        self._lines.setdefault(name, line_of(node))
        addresses: list[tuple[str, Webhook | str]] = list(fields.get("apprise", ()))
        if "webhook" in fields:
            addresses += self._webhook(fields["webhook"], name)
        repeated = {written for written, _ in addresses if [each for each, _ in addresses].count(written) > 1}
        if repeated:
            self._reader.fault(node, name, "an address is given twice")
        self.found[name] = tuple(self._target(name, written, address, fields) for written, address in addresses)

    def _target(self, name: str, written: str, address: Webhook | str, fields: Mapping[str, Any]) -> Target:
        return Target(
            name=f"{name}/{hashlib.sha256(written.encode()).hexdigest()[:8]}",
            receiver=name,
            address=address,
            send_resolved=fields.get("send_resolved", False),
            most_named=fields.get("max_alerts", MOST_NAMED),
            retry_for_ms=fields.get("retry_for", RETRY_FOR_MS),
        )

    def _apprise(self, node: yaml.Node) -> list[tuple[str, Webhook | str]]:
        """Return URLs as they are written, and as they are."""
        urls = nodes.texts(node) if isinstance(node, yaml.SequenceNode) else (nodes.text(node),)
        found: list[tuple[str, Webhook | str]] = []
        for written in urls:
            url = self._secret(written).text
            if wrong := self._usable(url):
                raise ValueError(wrong)
            found.append((written, url))
        return found

    def _webhook(self, node: yaml.Node, name: str) -> list[tuple[str, Webhook | str]]:
        fields = self._reader.mapping(node, name, _WEBHOOK, required=("url", "secret"))
        values: dict[str, str] = {}
        for field, written in fields.items():
            try:
                values[field] = self._secret(written).text
            except ValueError as error:
                self._reader.fault(node, name, f"webhook: {field}: {error}")
        if not values.get("url", "http://").startswith(("http://", "https://")):
            self._reader.fault(node, name, "webhook: url: expected one that begins with https:// or http://")
        return [(fields["url"], Webhook(**values))] if len(values) == len(_WEBHOOK) else []

    def _secret(self, written: str) -> Secret:
        secret = resolve(written, self._sources)
        self.secrets |= secret.hidden
        return secret


def _name(node: yaml.Node) -> str:
    text = nodes.text(node)
    if len(text) > 64 or not text.replace("-", "a").replace("_", "a").isalnum() or not text.isascii():
        raise ValueError(f"expected letters, digits, dashes and underscores, at most 64, got {text!r}")
    return text


def _flag(node: yaml.Node) -> bool:
    return bool(nodes.one_of("true", "false")(node) == "true")


def _most(node: yaml.Node) -> int:
    text = nodes.text(node)
    if not text.isdecimal() or int(text) > MOST_MAX_ALERTS:
        raise ValueError(f"expected a whole number from 0 to {MOST_MAX_ALERTS}, got {text!r}")
    return int(text)
