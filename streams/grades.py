"""Grades of alerts: their records, and what of an alert travels with its order to the market. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from connector.contract import codec
from connector.contract.errors import InvalidRecord
from streams.stats.grading import Reason  # field of a struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.effects import Headers
    from streams.records import Alert
    from streams.stats.grading import Settled

GRADE_SCHEMA: Final = 1
_HEADER: Final = "alerts"


class PriceSource(msgspec.Struct, frozen=True, kw_only=True):
    """The order whose price counts."""

    event_id: str
    timestamp: int
    """Unix seconds; where the order's own was in the future, those of its arrival."""


class AlertGrade(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `alert-grades.v1`: what became of the price after an order tipped an alert."""

    schema: Literal[1] = GRADE_SCHEMA
    grade_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    """Hash of alert id and horizon: what is told again has the same id, and the first record counts."""
    alert_id: str
    rule: str
    rule_hash: str
    mode: Literal["ACTIVE", "SHADOW"]
    horizon: Annotated[str, msgspec.Meta(pattern=r"^(end|[1-9][0-9]{0,8}[smhd])$")]
    """`1h`, `24h`, ... after the alert, or `end`: the market's end."""
    condition_id: str
    token_id: str
    side: Literal["BUY", "SELL"]
    """Of the order that tipped the alert: its direction."""
    state: Literal["graded", "ungraded"]
    reason: Reason | None
    """Why it is ungraded."""
    price_then: float
    """USDC per share, of the order that tipped the alert."""
    price_now: float | None
    """USDC per share, of the last fill of the token before `due`."""
    gain: float | None = msgspec.field(name="return")
    """Per USDC of the order: (now - then) / then for BUY, (then - now) / then for SELL. No fees."""
    price_source: PriceSource | None
    as_of: int
    """The alert's; unix milliseconds, from the log's clock, like `due`."""
    due: int


_decoder = msgspec.json.Decoder(AlertGrade)


def encode_grade(grade: AlertGrade) -> bytes:
    """Return the record as compact JSON."""
    return codec.encode(grade)


def decode_grade(value: bytes) -> AlertGrade:
    """
    Read a value of `alert-grades.v1`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    return codec.decode(_decoder, value)


def grade_of(settled: Settled, market: str) -> AlertGrade:
    """Return the record of a grade in a market."""
    alert, due, fill, reason = settled
    return AlertGrade(
        grade_id=grade_id(alert.alert_id, due.horizon),
        alert_id=alert.alert_id,
        rule=alert.rule,
        rule_hash=alert.rule_hash,
        mode="SHADOW" if alert.shadow else "ACTIVE",
        horizon=due.horizon,
        condition_id=market,
        token_id=alert.token_id,
        side=alert.side,
        state="graded" if reason is None else "ungraded",
        reason=reason,
        price_then=alert.price,
        price_now=None if fill is None else fill.price,
        gain=_gain(alert.side, alert.price, fill.price) if fill is not None and reason is None else None,
        price_source=None if fill is None else PriceSource(event_id=fill.event_id, timestamp=fill.second),
        as_of=alert.as_of,
        due=due.at,
    )


def grade_id(alert_id: str, horizon: str) -> str:
    """Return the id of an alert's grade at a horizon."""
    return hashlib.sha256(f"{alert_id}|{horizon}".encode()).hexdigest()[:32]


def _gain(side: Literal["BUY", "SELL"], then: float, now: float) -> float:
    return (now - then if side == "BUY" else then - now) / then


class Tipped(msgspec.Struct, frozen=True, array_like=True):
    """An alert that an order tipped directly, as the header `alerts` of `orders-by-market.v1` has it."""

    alert_id: str
    rule: str
    rule_hash: str
    mode: Literal["ACTIVE", "SHADOW"]
    as_of: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


def tipped_by(event_id: str, alerts: Iterable[Alert]) -> list[Tipped]:
    """Return those alerts that this order made fire or escalate: its trade is theirs."""
    return [
        Tipped(alert.alert_id, alert.rule, alert.rule_hash, alert.mode, alert.as_of)
        for alert in alerts
        if alert.transition != "resolved" and alert.orders[0].event_id == event_id
    ]


_list_decoder = msgspec.json.Decoder(list[Tipped])


def with_alerts(headers: Headers, alerts: list[Tipped]) -> Headers:
    """Return headers that tell the market of these alerts, and of no others that the order may have come with."""
    others = [(name, value) for name, value in headers if name != _HEADER]
    return [*others, (_HEADER, msgspec.json.encode(alerts))] if alerts else others


def read_alerts(headers: Iterable[tuple[str, bytes | None]]) -> list[Tipped]:
    """
    Return the alerts that an order brings to its market.

    Raises:
        InvalidRecord: the header is not what `with_alerts` writes.
    """
    for name, value in headers:
        if name == _HEADER:
            try:
                return _list_decoder.decode(value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidRecord(f"alerts header: {error}") from error
    return []
