from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings

from connector.contract.errors import InvalidRecord
from streams.fold import MarketFold, WalletFold
from streams.records import Alert, MarketStats, WalletStats, decode, encode, origin_headers, read_origin
from streams.rules.engine import load_rules
from tests.support.logs import MARKETS, WALLET, logs

if TYPE_CHECKING:
    from tests.support.oracle import Logged

KINDS: dict[str, type[WalletStats | MarketStats | Alert]] = {
    "wallet-stats.v1": WalletStats,
    "market-stats.v1": MarketStats,
    "alerts.v1": Alert,
}


def load(folder: str, topic: str) -> Any:
    """Return a checked-in schema or list of examples."""
    return json.loads(files("streams").joinpath(folder, f"{topic}.json").read_text())


def validator(topic: str) -> jsonschema.Draft202012Validator:
    """Return a topic's schema, itself checked."""
    schema = load("schemas", topic)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {topic: validator(topic) for topic in KINDS}
EAGER = load_rules(
    "rules:\n"
    "  - {id: w, scope: wallet, severity: info, message: x, cooldown: 0s, max_age: 2d, expr: wallet.w24h.orders > 1}\n"
    "  - {id: m, scope: market, severity: info, message: x, cooldown: 0s, max_age: 2d, expr: order.price >= 0.0}\n"
)


@pytest.mark.parametrize("topic", KINDS)
def test_every_example_follows_its_schema_and_is_what_the_codec_writes(topic: str) -> None:
    """Examples are promises: valid, and unchanged by reading and writing."""
    examples = load("examples", topic)
    assert examples
    for example in examples:
        VALIDATORS[topic].validate(example)
        assert json.loads(encode(decode(KINDS[topic], json.dumps(example).encode()))) == example


@pytest.mark.parametrize(("topic", "kind"), KINDS.items())
def test_schemas_name_exactly_the_fields_of_the_records(topic: str, kind: type[msgspec.Struct]) -> None:
    """A field added to a record without its schema, or the other way round, fails here."""
    schema = load("schemas", topic)
    assert (
        set(schema["properties"]) == set(schema["required"]) == {field.name for field in msgspec.structs.fields(kind)}
    )


@given(log=logs(users=3))
@settings(max_examples=20, deadline=None)
def test_whatever_is_folded_follows_the_schemas(log: list[Logged]) -> None:
    """Statistics and alerts of any log are what their schemas say, and read back equal."""
    wallet, market, clock = None, None, 0
    for entry in log:
        clock = max(clock, entry.append_ms)
        arrival = {"clock": clock, "source": "ws"}
        step = WalletFold(EAGER).step(wallet, entry.order, partition=0, offset=entry.offset, **arrival)  # type: ignore[arg-type]
        wallet = step.state
        alerts = list(step.alerts)
        if entry.order.condition_id is not None:
            on = MarketFold(EAGER).step(market, entry.order, origin=(0, entry.offset), **arrival)  # type: ignore[arg-type]
            market = on.state
            alerts += on.alerts
        for alert in alerts:
            check("alerts.v1", alert)
    assert wallet is not None
    check("wallet-stats.v1", WalletFold().stats(WALLET, wallet, at=clock, as_of_offset=0, partition=0))
    if market is not None:
        check("market-stats.v1", MarketFold().stats(MARKETS[0], market, at=clock, as_of_offset=0, partition=0))


def check(topic: str, record: WalletStats | MarketStats | Alert) -> None:
    """Assert that the record follows the schema and survives the codec."""
    value = encode(record)
    VALIDATORS[topic].validate(json.loads(value))
    assert decode(KINDS[topic], value) == record


@pytest.mark.parametrize("change", [{"schema": 2}, {"wallet": 7}, {"windows": None}, {"as_of": "1"}])
def test_what_is_not_the_schema_is_refused(change: dict[str, Any]) -> None:
    """Another version or a mistyped field is an InvalidRecord, not a surprise further on."""
    example = load("examples", "wallet-stats.v1")[0]
    with pytest.raises(InvalidRecord):
        decode(WalletStats, json.dumps({**example, **change}).encode())
    with pytest.raises(InvalidRecord):
        decode(WalletStats, b"\xff{")


def test_the_origin_of_a_forwarded_order_survives_its_headers() -> None:
    """A market knows where in orders.v1 its orders came from."""
    headers: list[tuple[str, bytes | None]] = [("source", b"ws"), *origin_headers(3, 70_000_000_000)]
    assert read_origin(headers) == (3, 70_000_000_000)


@pytest.mark.parametrize(
    "headers", [[], [("origin_partition", b"1")], [("origin_partition", b"x"), ("origin_offset", b"1")]]
)
def test_a_missing_origin_is_refused(headers: list[tuple[str, bytes | None]]) -> None:
    """A record of someone else's in our topic is poison, not partition 0."""
    with pytest.raises(InvalidRecord, match="origin headers"):
        read_origin(headers)
