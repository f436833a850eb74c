"""What a simulator is told: where to listen, what to play, and how to settle what is unknown of Dome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from connector.simulator.faults import Fault
from connector.simulator.tiers import Tier

if TYPE_CHECKING:
    from connector.simulator.dialect import Dialect


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Behaviours nobody outside Dome knows. The defaults are the likeliest; tests try the others."""

    ack_update: bool = True
    """Whether an update is acknowledged; the TypeScript SDK needs it."""
    ack_unsubscribe: bool = False
    """Whether an unsubscribe is acknowledged; no SDK waits for it."""
    greeting: str | None = None
    """A text frame sent as soon as a socket opens; None sends the dialect's own, if it has one."""
    socket_indexes: bool = True
    """Whether socket events carry `block_number` and `log_index`; REST rows always carry what there is."""
    recorded_indexes: bool = False
    """Whether replayed orders are given the `block_number`, `log_index` and `order_hash` they were recorded without."""
    combine: Literal["and", "or"] = "and"
    """How several kinds of filter in one subscription combine."""
    fold_case: bool = True
    """Whether filters compare addresses, ids and slugs regardless of letter case."""
    quota_per: Literal["key", "connection"] = "key"
    """Whether the tier's subscription limit is shared by all sockets of a key."""
    bad_key_status: int = 401
    """HTTP status of a handshake with an unknown key."""
    stop_code: int = 1001
    """Close code sent to every socket when the server stops."""
    ping_interval: float = 30.0
    """Seconds between pings; a socket silent for two of them is cut. 0 sends none."""
    buffer_bytes: int | None = None
    """Bytes of events queued for one socket before it is cut as a slow consumer; None: as the dialect has it."""
    drop_bytes: int | None = None
    """Bytes of events queued for one socket before new ones are dropped; None: as the dialect has it."""
    key_connections: int | None = None
    """Sockets that one key may open; None sets no limit."""
    idle_close: float = 120.0
    """Seconds without a subscription after which Predexon closes a socket with 4000; 0 never."""
    pending: bool = False
    """Whether Predexon sends pending events also to subscriptions that did not ask for them."""
    fee_refunds: bool = False
    """Whether Predexon sends a fee refund after every order."""
    rest_lag: float = 0.0
    """Seconds until an order that went out on the socket shows up in REST."""
    rest_requires_filter: bool = False
    """Whether REST refuses a query without user and market; the documentation contradicts itself."""
    rest_limits: bool = True
    """Whether REST enforces the tier's request rate."""
    retry_after: bool = True
    """Whether a 429 carries Retry-After."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """One simulator."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free port."""
    replay: Path | Literal["recorded"] | None = None
    """File of recorded orders, one JSON object a line; "recorded" is the one shipped. None replays nothing."""
    speed: float = 1.0
    """Recorded seconds played per second."""
    rebase: bool = True
    """Whether recorded times become the time of playing."""
    market: int | None = None
    """Seed of the generated market; None generates nothing."""
    rate: float = 50.0
    """Generated orders per second, on average."""
    burst: int = 100
    """Most generated orders released in one instant; 1 makes a steady flow, without busy blocks."""
    wallets: int = 1_000
    """Wallets of the generated market; a few of them trade most."""
    twins: float = 0.02
    """Probability that a fill of the generated market happens twice in its transaction, told apart by `log_index`."""
    keep_deliveries: int | None = None
    """Deliveries that the book keeps at least, for long runs; None keeps all."""
    paused: bool = False
    """Whether replay and market wait for `play`."""
    dialect: Literal["dome", "predexon"] = "dome"
    """What sockets at `/KEY` speak; those at `/v1/KEY` always speak Predexon's, and REST serves both."""
    faults: tuple[Fault, ...] = ()
    """Injected at the start."""
    switches: Switches = Switches()
    tiers: dict[str, Tier] = msgspec.field(default_factory=dict)
    """Tier by key, before the dialect's prefixes (`free-`, `dev-`, ...) are looked at."""
    default_tier: Tier | None = None
    """Of keys without such a prefix; None: as the dialect has it."""
    seed: int = 0
    """Of subscription ids."""

    def tier_of(self, key: str, dialect: Dialect) -> Tier | None:
        """Return the tier a key buys, or None for a key to refuse (empty, or `bad-...`)."""
        if not key or key.startswith("bad-"):
            return None
        if key in self.tiers:
            return self.tiers[key]
        by_prefix = (tier for prefix, tier in dialect.tiers.items() if key.startswith(prefix))
        return next(by_prefix, self.default_tier or dialect.default_tier)
