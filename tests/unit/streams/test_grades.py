from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.fold import MarketFold, WalletFold
from streams.grader import MOST_HORIZONS, Horizon, parse_horizons
from streams.grades import AlertGrade, Tipped, decode_grade, encode_grade, grade_id, read_alerts, tipped_by, with_alerts
from streams.records import Alert, decode
from streams.rules.engine import load_rules
from streams.scores import Group, decode_score, group_of, total
from streams.stats.tally import Tally
from streams.topics import ALERT_GRADES
from tests.support.grading import Markets, Told, Value, by_market, expected
from tests.support.logs import MARKETS, START, logged, logs, order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.contract.record import OrderRecord
    from tests.support.oracle import Logged

RULES = load_rules("""
rules:
  - {id: any, scope: wallet, severity: info, message: x, cooldown: 0s, max_age: 2d, expr: order.notional >= 1.0}
  - {id: trial, scope: wallet, mode: SHADOW, severity: info, message: x, cooldown: 0s, max_age: 2d,
     expr: order.side == "SELL"}
  - {id: slow, scope: wallet, severity: info, message: x, cooldown: 0s, max_age: 2d, for: 5s,
     expr: wallet.w1h.orders >= 1}
  - {id: crowd, scope: market, severity: info, message: x, cooldown: 0s, max_age: 2d,
     expr: market.w1m.orders >= 1, escalate: market.w1m.orders}
""")
HORIZONS = parse_horizons("4s,10m,24h")
AFTER_MS = {horizon.name: horizon.after_ms for horizon in HORIZONS}
FAR = 60 * 86_400_000
T0 = START * 1_000


def in_markets_with_ends(log: list[Logged]) -> list[Logged]:
    """Return the log with slugs: of the first market, which ends 20 minutes after the log begins, and the second."""
    slugs = {MARKETS[0]: f"btc-updown-20m-{START}", MARKETS[1]: "who-wins"}
    return [
        entry._replace(
            order=msgspec.structs.replace(entry.order, market_slug=slugs.get(entry.order.condition_id or ""))
        )
        for entry in log
    ]


def clocks_of(log: list[Logged]) -> dict[str, int]:
    """Return the clock at the first appearance of each order, by event id."""
    clocks: dict[str, int] = {}
    clock = 0
    for entry in log:
        clock = max(clock, entry.append_ms)
        clocks.setdefault(entry.order.event_id, clock)
    return clocks


def tallies_of(grades: list[AlertGrade]) -> dict[Group, Tally]:
    """Return what grades add up to."""
    tallies: dict[Group, Tally] = {}
    for grade in grades:
        tallies.setdefault(group_of(grade), Tally()).add(grade.gain, grade.reason)
    return {group: tally + Tally() for group, tally in tallies.items()}


def totals_of(told: Told) -> dict[Group, Tally]:
    """Return what the newest records of `rule-scores.v1` say."""
    return total(map(decode_score, told.scores.values()))


def kept(scores: dict[str, Tally]) -> Iterator[tuple[Group, Tally]]:
    """Yield the sums that a partition keeps."""
    for name, tally in scores.items():
        rule, mode, rule_hash, horizon = name.split("|")
        yield Group(rule, mode, rule_hash, horizon), tally + Tally()  # type: ignore[arg-type]  # one of the two


def of_interest(grade: Value) -> Value:
    """Return the fields that the oracle computes."""
    names = ("due", "price_then", "price_now", "return", "price_source", "side", "state", "reason")
    return {name: grade[name] for name in names}


@given(
    log=logs(users=3).map(in_markets_with_ends),
    lags=st.lists(st.sampled_from((0, 1, 300, 5_000, 4_000_000)), min_size=1, max_size=5),
    again=st.lists(st.booleans(), min_size=1, max_size=7),
    acts=st.lists(st.sampled_from(("", "", "tick", "remember", "remember, tick", "crash")), min_size=1, max_size=9),
    share=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_grades_are_those_of_brute_force_whatever_happens(
    log: list[Logged], lags: list[int], again: list[bool], acts: list[str], share: float
) -> None:
    """
    Orders out of order and forwarded twice, ticks at any time, crashes between any two records.

    Every alert that an order tips directly, and no other, has one grade at each horizon; what is told twice is equal.
    """
    told = Told()
    records = by_market(log, RULES, told, lags)
    for place, twice in zip(range(len(records) - 1, -1, -1), again * len(records), strict=False):
        if twice:  # the wallet's agent goes back, and forwards some orders again
            records[place + 1 : place + 1] = records[max(place - 2, 0) : place + 1]
    records = [record._replace(offset=offset) for offset, record in enumerate(records)]
    markets = Markets(RULES, HORIZONS, told)
    offset, crashes = 0, 0
    while offset < len(records):
        before = markets.live.clock
        act = acts[offset % len(acts)]
        if "remember" in act:
            markets.remember()
        if "tick" in act:
            markets.tick(before + round((records[offset].timestamp - before) * share))
        if act == "crash" and crashes < 5:
            crashes += 1
            offset = markets.crash()
            continue
        markets.absorb(records[offset])
        offset += 1
    clock = markets.live.clock
    for at in (clock, clock, clock + FAR, clock + FAR):  # deadlines are noted at the first look
        markets.tick(at)
    found: dict[tuple[str, str], Value] = {}
    for grade in told.grades:
        assert found.setdefault((grade["alert_id"], grade["horizon"]), grade) == grade
        VALIDATOR.validate(grade)
    if not crashes and not any(again):  # a repetition makes the agent forget what it has told ahead
        assert len(found) == len(told.grades)
    wanted = expected(records, told.alerts, clocks_of(log), AFTER_MS)
    assert {key: of_interest(grade) for key, grade in found.items()} == wanted
    by_clock = [decode_grade(json.dumps(grade).encode()) for grade in found.values() if grade["due"] <= clock]
    assert totals_of(told) == tallies_of(by_clock) == dict(kept(markets.live.scores))


def step_through(*orders: OrderRecord, horizons: str = "1h") -> list[Value]:
    """Return the grades of a market, of alerts of the rule `any` about its only wallet, up to a day later."""
    told = Told()
    markets = Markets(load_rules("rules: []"), parse_horizons(horizons), told)
    for record in by_market(logged(orders, delay_ms=1_500), RULES, told, [0]):
        markets.absorb(record)
        markets.tick(record.timestamp)
    markets.tick(markets.live.clock + 86_400_000)
    return [grade for grade in told.grades if grade["rule"] in {"any", "trial"}]


def test_a_grade_says_what_became_of_the_price() -> None:
    """
    Bought at 0.40; an hour after the alert it was 0.50: 25 % on the stake.

        0 s          3,590 s         3,601.5 s   4,000 s
        BUY 0.40     0.50            due         0.90
    """
    grades = step_through(
        order(1, price=0.4, market_slug="who-wins"),
        order(2, at=3_590, price=0.5, usdc=0.1),
        order(3, at=4_000, price=0.9, usdc=0.1),
    )
    (grade,) = grades
    assert grade == {
        "schema": 1,
        "grade_id": grade_id(grade["alert_id"], "1h"),
        "alert_id": grade["alert_id"],
        "rule": "any",
        "rule_hash": grade["rule_hash"],
        "mode": "ACTIVE",
        "horizon": "1h",
        "condition_id": MARKETS[0],
        "token_id": "1",
        "side": "BUY",
        "state": "graded",
        "reason": None,
        "price_then": 0.4,
        "price_now": 0.5,
        "return": pytest.approx(0.25),
        "price_source": {"event_id": order(2).event_id, "timestamp": START + 3_590},
        "as_of": T0 + 1_500,
        "due": T0 + 3_601_500,
    }


def test_who_sells_gains_when_the_price_falls() -> None:
    """Sold at 0.50, then 0.40: 20 % of what the sale brought; the rule in shadow is graded the same."""
    grades = step_through(
        order(1, price=0.5, side="SELL"),
        order(2, at=3_590, price=0.4, usdc=0.1),
    )
    assert {(grade["rule"], grade["mode"], grade["side"]) for grade in grades} == {
        ("any", "ACTIVE", "SELL"),
        ("trial", "SHADOW", "SELL"),
    }
    assert [grade["return"] for grade in grades] == [pytest.approx(0.2)] * 2


def test_at_the_market_s_end_the_last_price_before_it_counts() -> None:
    """The market of the slug ends after 15 minutes; what trades afterwards changes nothing."""
    slug = f"btc-updown-15m-{START}"
    grades = step_through(
        order(1, price=0.5, market_slug=slug),
        order(2, at=895, price=0.9, usdc=0.1, market_slug=slug),
        order(3, at=901, price=0.1, usdc=0.1, market_slug=slug),
        horizons="",
    )
    assert [(grade["horizon"], grade["price_now"], grade["due"]) for grade in grades] == [
        ("end", 0.9, T0 + 900_000),
    ]


@pytest.mark.parametrize("end_s", [0, 1, 30 * 86_400 + 900])
def test_an_end_that_has_passed_or_is_more_than_thirty_days_ahead_is_not_waited_for(end_s: int) -> None:
    """The alert is told 1.5 s after its order; a market's state is not kept for ever."""
    slug = f"btc-updown-15m-{START + end_s - 900}"
    assert step_through(order(1, market_slug=slug), horizons="") == []


def test_a_market_without_another_order_is_graded_once_although_its_agent_is_killed() -> None:
    """
    The clock of the partition passes the due time by orders of another market; that is remembered.

        market 1   alert
        market 2          .......... due ...... order, remember, kill, look
    """
    told = Told()
    markets = Markets(load_rules("rules: []"), parse_horizons("10s"), told)
    first, other = by_market(logged([order(1), order(2, at=60, usdc=0.1, condition_id=MARKETS[1])]), RULES, told, [0])
    markets.absorb(first)
    markets.tick(first.timestamp)
    markets.absorb(other)
    markets.tick(other.timestamp)
    assert [grade["reason"] for grade in told.grades] == [None]
    markets.remember()
    markets.crash()
    markets.tick(other.timestamp + 9_000)
    assert len(told.grades) == 1


def test_a_look_ahead_leaves_the_state_alone() -> None:
    """What the log's clock has not passed is told by a copy; the next order brings nothing twice."""
    told = Told()
    markets = Markets(load_rules("rules: []"), parse_horizons("10s"), told)
    first, second = by_market(logged([order(1), order(2, at=60, usdc=0.1)]), RULES, told, [0])
    markets.absorb(first)
    markets.tick(first.timestamp)
    before = markets.live.values[MARKETS[0]].encode()
    markets.tick(first.timestamp + 30_000)
    assert len(told.grades) == 1
    assert markets.live.values[MARKETS[0]].encode() == before
    markets.absorb(second)
    assert len(told.grades) == 1


def test_statistics_that_decay_do_not_copy_a_market_that_waits_for_grades() -> None:
    """Looking ahead costs a copy of the state; an alert waits for a day, and statistics change each second."""
    markets = Markets(load_rules("rules: []"), parse_horizons("1h"), Told())
    (first,) = by_market(logged([order(1)]), RULES, Told(), [0])
    markets.absorb(first)
    for second in range(1, 100):
        markets.tick(first.timestamp + second * 1_000)
    assert markets.live.ahead == {}


def test_only_what_an_order_makes_fire_or_escalate_has_its_trade() -> None:
    """An alert that ends, or that time made fire, may be told at an order that is not its own."""
    told = Told()
    by_market(logged([order(1)]), RULES, told, [0])
    (fired,) = (decode(Alert, json.dumps(alert).encode()) for alert in told.alerts)
    escalated, resolved = (msgspec.structs.replace(fired, transition=name) for name in ("escalated", "resolved"))
    event_id = order(1).event_id
    assert [tipped.alert_id for tipped in tipped_by(event_id, [fired, escalated, resolved])] == [fired.alert_id] * 2
    assert tipped_by(order(2).event_id, [fired, escalated]) == []


def test_strangers_cannot_make_alerts_up() -> None:
    """A header of that name on an order in `orders.v1` is not passed on; ours is."""
    ours = Tipped("a" * 32, "r", "0" * 16, "SHADOW", T0)
    headers = with_alerts([("alerts", b"[]"), ("source", b"ws"), ("alerts", b"{")], [ours])
    assert [name for name, _ in headers] == ["source", "alerts"]
    assert read_alerts(headers) == [ours]
    assert with_alerts([("alerts", b"x"), ("source", b"ws")], []) == [("source", b"ws")]
    assert read_alerts([("source", b"ws")]) == []


@pytest.mark.parametrize("value", [None, b"", b"{}", b'[["a"]]', b'[["a","r","h","PAUSED",1]]'])
def test_a_header_that_is_none_of_ours_is_refused(value: bytes | None) -> None:
    """It becomes a dead letter, as any record of the internal topic that nobody of ours can have written."""
    with pytest.raises(InvalidRecord, match="alerts header"):
        read_alerts([("alerts", value)])


def test_horizons_are_read_shortest_first() -> None:
    """They keep the name as which they were written; none is fine: then markets' ends are all."""
    assert parse_horizons(" 24h,90s , 1h") == (
        Horizon(90_000, "90s"),
        Horizon(3_600_000, "1h"),
        Horizon(86_400_000, "24h"),
    )
    assert parse_horizons(" ") == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1h,", "such as 1h,24h, got ''"),
        ("1.5h", "got '1.5h'"),
        ("0s", "got '0s'"),
        ("31d", "at most 30d"),
        ("1h,60m", "each time once"),
        (",".join(f"{number}s" for number in range(1, MOST_HORIZONS + 2)), "at most 8 times, got 9"),
    ],
)
def test_horizons_that_make_no_sense_are_refused_with_a_remedy(text: str, wrong: str) -> None:
    """Whoever sets GRADE_AFTER learns what to write."""
    with pytest.raises(ValueError, match=wrong.replace("'", ".")):
        parse_horizons(text)


def test_grades_are_kept_for_ninety_days_and_those_of_a_rule_lie_together() -> None:
    """A consumer of one partition has all grades of a rule; no grade replaces another."""
    assert ALERT_GRADES.config() == {"cleanup.policy": "delete", "retention.ms": str(90 * 86_400_000)}
    assert ALERT_GRADES.key == "rule"


def load(folder: str) -> Any:
    """Return the checked-in schema or examples of grades."""
    return json.loads(files("streams").joinpath(folder, "alert-grades.v1.json").read_text())


VALIDATOR = jsonschema.Draft202012Validator(load("schemas"))


def test_every_example_follows_the_schema_and_is_what_the_codec_writes() -> None:
    """Examples are promises: valid, and unchanged by reading and writing."""
    jsonschema.Draft202012Validator.check_schema(load("schemas"))
    examples = load("examples")
    assert {example["reason"] for example in examples} >= {None, "no-fill", "late"}
    for example in examples:
        VALIDATOR.validate(example)
        assert json.loads(encode_grade(decode_grade(json.dumps(example).encode()))) == example
        assert example["grade_id"] == grade_id(example["alert_id"], example["horizon"])


def test_the_schema_names_exactly_the_fields_of_the_record() -> None:
    """A field added to the record without its schema, or the other way round, fails here."""
    schema = load("schemas")
    names = {field.encode_name for field in msgspec.structs.fields(AlertGrade)}
    assert set(schema["properties"]) == set(schema["required"]) == names


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"state": "good"}, {"return": "much"}, {"reason": "rain"}, {"horizon": "soon"}, {"grade_id": "7"}],
)
def test_what_is_no_grade_is_refused(change: dict[str, Any]) -> None:
    """Another version or a mistyped field is an InvalidRecord, and the schema refuses it too."""
    example = {**load("examples")[0], **change}
    assert not VALIDATOR.is_valid(example)
    with pytest.raises(InvalidRecord):
        decode_grade(json.dumps(example).encode())


def test_an_order_without_a_market_has_nobody_to_grade_its_alert() -> None:
    """It counts for its wallet, alerts there, and is not forwarded: no price will ever be known."""
    told = Told()
    assert by_market(logged([order(1, condition_id=None)]), RULES, told, [0]) == []
    assert [alert["rule"] for alert in told.alerts] == ["any"]


def test_what_was_seen_is_graded_once_only() -> None:
    """The same order from the same origin again neither waits again nor tells anything."""
    fold = MarketFold(horizons=parse_horizons("1h"))
    tipped = [Tipped("a" * 32, "r", "0" * 16, "ACTIVE", T0)]
    step = fold.step(None, order(1), origin=(0, 1), clock=T0, source="ws", tipped=tipped)
    again = fold.step(step.state, order(1), origin=(0, 1), clock=T0 + 9_000_000, source="ws", tipped=tipped)
    assert (again.grades, len(again.state.grading.alerts)) == ([], 1)
    assert fold.due(again.state, T0 + 86_399_000) == T0 + 3_600_000
    assert WalletFold().step(None, order(1), partition=0, offset=1, clock=T0, source="ws").forward


def test_what_a_tick_told_ahead_is_settled_when_the_clock_gets_there() -> None:
    """
    Time alone brings the grade; later an order of another market takes the log's clock over the due time.

        market 1   alert      due
        market 2                         order, look, remember, kill, look
        ticks                      told                          nothing
    """
    told = Told()
    markets = Markets(load_rules("rules: []"), parse_horizons("10s"), told)
    first, other = by_market(logged([order(1), order(2, at=60, usdc=0.1, condition_id=MARKETS[1])]), RULES, told, [0])
    markets.absorb(first)
    markets.tick(first.timestamp)
    markets.tick(first.timestamp + 30_000)
    assert (len(told.grades), told.scores) == (1, {})
    markets.absorb(other)
    markets.tick(other.timestamp)
    assert [score.graded for score in map(decode_score, told.scores.values())] == [1]
    markets.remember()
    markets.crash()
    markets.tick(other.timestamp + 9_000)
    assert len(told.grades) == 1
