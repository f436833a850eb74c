"""What the console shows, as state that grows by records of the topics. Pure: no clock, no terminal."""

from __future__ import annotations

from collections import Counter, deque
from heapq import nlargest
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from connector.local.completeness import Completeness
from connector.local.seen import quantile

if TYPE_CHECKING:
    from connector.local.seen import Seen

Topic = Literal["orders.v1", "orders-dead.v1", "coverage.v1", "gaps.v1", "wallet-stats.v1", "alerts.v1"]
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
"""What the view reads, without the deployment's prefix."""

CURRENT: Final[tuple[Topic, ...]] = ("wallet-stats.v1", "coverage.v1")
"""Those that hold the present state of things: to be read from their starts, however old."""

RATE_SECONDS = 10
_SAMPLES = 2_000
_ALERTS = 12
_ALERT_IDS = 10_000


class Window(msgspec.Struct, frozen=True):
    """One window of a wallet's statistics; money in micro-USDC."""

    orders: int
    volume: int
    net_flow: int
    markets: int


class Wallet(msgspec.Struct, frozen=True):
    """The newest statistics of a wallet."""

    wallet: str
    as_of_offset: int
    windows: dict[str, Window]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be read of an alert to count it."""

    alert_id: str
    rule: str
    transition: str = "firing"
    silenced_by: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether it is news for people: not the end of an alert, nor one they silenced."""
        return self.transition != "resolved" and not self.silenced_by


class Alert(Notice, frozen=True, kw_only=True):
    """What people read of an alert."""

    severity: str
    subject: str
    message: str
    reason: str
    as_of: int
    """Unix milliseconds."""


_wallet = msgspec.json.Decoder(Wallet)
_alert = msgspec.json.Decoder(Alert)


class View:
    """The state behind the console; `absorb` records, read the properties."""

    def __init__(self) -> None:
        self.orders = 0
        self.dead = 0
        self.completeness = Completeness()
        self.alerts = 0
        """Alerts that fired or escalated, each id once."""
        self.by_rule: Counter[str] = Counter()
        self.latest: deque[Alert] = deque(maxlen=_ALERTS)
        """The newest alerts, newest first."""
        self.wallets: dict[str, Wallet] = {}
        self.to_kafka_ms: deque[float] = deque(maxlen=_SAMPLES)
        self.to_alert_ms: deque[float] = deque(maxlen=_SAMPLES)
        self._arrivals: Counter[int] = Counter()
        self._alert_ids: dict[str, None] = {}

    def absorb(self, topic: Topic, seen: Seen) -> None:
        """Take in one record; what is no longer or not yet understood is passed over, the view only shows."""
        try:
            match topic:
                case "orders.v1":
                    self._order(seen)
                case "orders-dead.v1":
                    self.dead += 1
                case "coverage.v1":
                    self.completeness.absorb_coverage(seen)
                case "gaps.v1":
                    self.completeness.absorb_gap(seen)
                case "wallet-stats.v1":
                    self._statistics(_wallet.decode(seen.value or b""))
                case "alerts.v1":
                    self._alert(_alert.decode(seen.value or b""), seen)
        except msgspec.DecodeError:
            return

    def _order(self, seen: Seen) -> None:
        self.orders += 1
        second = seen.timestamp_ms // 1000
        if second not in self._arrivals:
            for old in [each for each in self._arrivals if each < second - 2 * RATE_SECONDS]:
                del self._arrivals[old]
        self._arrivals[second] += 1
        if (latency := seen.since_wire_ms()) is not None:
            self.to_kafka_ms.append(latency)

    def _statistics(self, record: Wallet) -> None:
        known = self.wallets.get(record.wallet)
        if known is None or record.as_of_offset >= known.as_of_offset:
            self.wallets[record.wallet] = record

    def _alert(self, alert: Alert, seen: Seen) -> None:
        if not alert.is_news or alert.alert_id in self._alert_ids:
            return  # a worker that took over repeats what it cannot know was sent
        self._alert_ids[alert.alert_id] = None
        if len(self._alert_ids) > _ALERT_IDS:
            del self._alert_ids[next(iter(self._alert_ids))]
        self.alerts += 1
        self.by_rule[alert.rule] += 1
        self.latest.appendleft(alert)
        if (latency := seen.since_wire_ms(ALERT_TIME)) is not None:
            self.to_alert_ms.append(latency)

    def orders_per_second(self, now_ms: int) -> float:
        """Return the mean rate of arrival over the last full seconds before `now_ms` (unix)."""
        now = now_ms // 1000
        return sum(self._arrivals[second] for second in range(now - RATE_SECONDS, now)) / RATE_SECONDS

    def top_wallets(self, count: int, window: str = "1h") -> list[tuple[Wallet, Window]]:
        """Return the wallets of the highest volume in a window, the highest first."""
        active = ((wallet, wallet.windows[window]) for wallet in self.wallets.values() if window in wallet.windows)
        return nlargest(count, (pair for pair in active if pair[1].orders), key=lambda pair: pair[1].volume)

    def latencies(self) -> dict[str, tuple[float | None, float | None]]:
        """Return p50 and p99 in milliseconds, by path."""
        paths = {"wire -> Kafka": list(self.to_kafka_ms), "wire -> alert": list(self.to_alert_ms)}
        return {name: (quantile(values, 0.5), quantile(values, 0.99)) for name, values in paths.items()}


ALERT_TIME: Final = "published_ns"
"""The header that says when an alert was handed to Kafka."""
