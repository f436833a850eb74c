"""The logs of our processes as people read them, and the connector's state as its log tells it. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.texts import plain

_KNOWN = ("event", "level", "timestamp", "exception")
_object = msgspec.json.Decoder(dict[str, Any])


class ConnectorState:
    """What the connector last said of its connection; `absorb` the lines of its log, read `text`."""

    def __init__(self) -> None:
        self.started = False
        """Whether its topics exist and it has begun to connect."""
        self._beginning = "starting"
        self._sockets: dict[str, str] = {}
        self._refused: dict[tuple[str, str], str] = {}
        self._left_out = ""
        self._stalled = ""

    @property
    def text(self) -> str:
        """One line for people."""
        states = set(self._sockets.values())
        sockets = states if len(states) == 1 else [f"{name} {text}" for name, text in self._sockets.items()]
        parts = (*(sockets or [self._beginning]), *self._refused.values(), self._left_out, self._stalled)
        return "; ".join(filter(None, parts))

    def absorb(self, line: str) -> None:
        """Take in one line; what says nothing of the state, or is no JSON object, is passed over."""
        match _event(line):
            case {"event": "connector.started", "provider": provider}:
                self.started = True
                self._beginning = f"no connection to {provider}, it needs a wallet to watch"
            case {"event": "feed.live", "socket": socket}:
                self._sockets[socket] = "live"
            case {"event": "feed.disconnected", "socket": socket, "reason": reason, "retry_in": delay}:
                self._refused = {key: text for key, text in self._refused.items() if key[0] != socket}
                self._sockets[socket] = plain(f"disconnected: {reason}; next attempt {delay:.1f} s later")
            case {
                "event": "subscription.refused",
                "socket": socket,
                "subscription": name,
                "code": code,
                "count": count,
            }:
                self._refused[socket, name] = plain(f"{name} refused ({code}), {count} wallets")
            case {"event": "wallets.no_room", "wallets": wallets}:
                self._left_out = f"no room for {len(wallets)} wallets"
            case {"event": "kafka.stalled", "unacknowledged": count}:
                self._stalled = f"Kafka does not answer, {count} orders wait"
            case {"event": "kafka.recovered"}:
                self._stalled = ""


def readable(log: str) -> str:
    """Return a log with its JSON lines as `level event name=value`, traces on lines of their own; safe to show."""
    return "\n".join(map(_readable, log.splitlines()))


def _readable(line: str) -> str:
    event = _event(line)
    if "event" not in event:
        return plain(line)
    fields = [f"{name}={value}" for name, value in event.items() if name not in _KNOWN]
    text = plain(" ".join([str(event.get("level", "")), str(event["event"]), *fields]))
    trace = map(plain, str(event.get("exception", "")).splitlines())
    return "\n".join([text, *trace])


def _event(line: str) -> dict[str, Any]:
    try:
        return _object.decode(line)
    except msgspec.DecodeError:
        return {}
