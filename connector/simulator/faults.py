"""Faults as data: what goes wrong, to whom, when, how often."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "drop",
    "half_open",
    "frame",
    "error",
    "garble",
    "truncate",
    "duplicate",
    "reorder",
    "delay_event",
    "lose_event",
    "empty_metadata",
    "no_indexes",
    "delay_ack",
    "lose_ack",
    "early_event",
    "refuse",
    "rest_status",
    "rest_slow",
    "rest_partial",
    "rest_truncate",
    "rest_late",
    "rest_withhold",
    "rest_repeat",
    "expire_cursor",
    "slow_connection",
]
Trigger = Literal["now", "event", "ack", "handshake", "rest", "page", "execute"]

TRIGGERS: dict[Kind, tuple[Trigger, ...]] = {
    "drop": ("now", "event", "ack"),
    "half_open": ("now", "event", "ack"),
    "frame": ("now", "event", "ack"),
    "error": ("ack", "now"),
    "garble": ("event",),
    "truncate": ("event",),
    "duplicate": ("event",),
    "reorder": ("event",),
    "delay_event": ("event",),
    "lose_event": ("event",),
    "empty_metadata": ("event",),
    "no_indexes": ("event",),
    "delay_ack": ("ack",),
    "lose_ack": ("ack",),
    "early_event": ("ack",),
    "refuse": ("handshake",),
    "rest_status": ("rest",),
    "rest_slow": ("rest",),
    "rest_partial": ("rest",),
    "rest_truncate": ("rest",),
    "rest_late": ("execute",),
    "rest_withhold": ("execute",),
    "rest_repeat": ("page",),
    "expire_cursor": ("page",),
    "slow_connection": ("handshake", "now"),
}
"""When each kind may strike; the first is its default."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One fault, possibly striking many times.

    drop: cut the connection, abruptly or with close code `code`; at an `event`, before that event.
    half_open: fall silent, pongs included; cut after `delay` seconds if that is not 0.
    frame: send `frame` as it is. error: an error frame, in place of the ack or out of the blue.
    garble, truncate: the event as invalid JSON. duplicate: the event twice.
    reorder: the event after the next one (or after `delay` seconds without one).
    delay_event: the event `delay` seconds late. lose_event: the event not at all.
    empty_metadata: the event without title, slugs and ids of the market. no_indexes: without block and log index.
    delay_ack: the ack, and with it the subscription, `delay` seconds late. lose_ack: subscribed, never acked.
    early_event: subscribed at once, the ack after the first event (or after `delay` seconds without one).
    refuse: the handshake answered with `status`.
    rest_status: a request answered with `status`. rest_slow: `delay` seconds late. rest_partial: half a page
    that says there is more. rest_truncate: the body cut in half. rest_late: an order's row `delay` seconds late.
    rest_withhold: an order's row never. rest_repeat: a page that begins with the last rows of the one before.
    expire_cursor: a `pagination_key` answered with 400.
    slow_connection: from then on every event of the connection `delay` seconds late, and up to several times
    `jitter` later, in order.
    """

    kind: Kind
    when: Trigger | None = None
    """What it waits for: the clock, an event, an ack, ...; None takes the kind's own."""
    wallet: str | None = None
    """Only events, acks, requests or orders of this wallet."""
    connection: int | None = None
    """Only this connection, counted from 1."""
    key: str | None = None
    """Only connections and requests with this API key."""
    at: float = 0.0
    """Seconds from its injection until it is armed."""
    every: float = 1.0
    """Seconds between two strikes of a fault that waits for the clock, or from a connection it had to wait for."""
    after: int = 0
    """Occasions to let pass first."""
    times: int | None = 1
    """Strikes; null has no end."""
    probability: float = 1.0
    """Of striking at each occasion."""
    seed: int = 0
    """Of that probability."""
    delay: float | None = None
    """Seconds; what for, the kind says. None is 1, and for half_open 0."""
    jitter: float = 0.0
    """Of a slow_connection: mean seconds of an exponentially distributed extra delay, drawn for each event."""
    code: int | None = None
    """Close code of a drop; null aborts the TCP connection."""
    status: int = 503
    """HTTP status; 429 carries Retry-After if the switch says so."""
    frame: str = ""
    """Text of a `frame`."""
    error: str = "INTERNAL_ERROR"
    """Code of an `error`."""

    def __post_init__(self) -> None:
        allowed = TRIGGERS[self.kind]
        if self.when is not None and self.when not in allowed:
            raise ValueError(f"when: a {self.kind} fault waits for {' or '.join(allowed)}, not for {self.when}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability: expected a number in [0, 1], got {self.probability}")
        for name in ("at", "seconds", "after", "jitter"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if self.trigger == "now" and self.every <= 0:
            raise ValueError(f"every: expected more than 0 seconds, got {self.every}")

    @property
    def seconds(self) -> float:
        """The delay, or the kind's own."""
        if self.delay is None:
            return 0.0 if self.kind == "half_open" else 1.0
        return self.delay

    @property
    def trigger(self) -> Trigger:
        """What the fault waits for."""
        return self.when or TRIGGERS[self.kind][0]
