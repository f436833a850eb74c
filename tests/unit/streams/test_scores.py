from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract import codec
from connector.contract.errors import InvalidRecord
from streams.rules.scorecard import score
from streams.scores import Group, RuleScore, decode_score, total
from streams.stats.tally import MICROS, Tally
from streams.topics import RULE_SCORES

GROUP = Group("r", "ACTIVE", "0" * 16, "1h")
GRADES = st.lists(st.tuples(st.none() | st.floats(-1, 9), st.sampled_from(("no-fill", "late"))), max_size=40)


def tally_of(grades: list[tuple[float | None, str]]) -> Tally:
    """Return the sums of returns, or of reasons why there is none."""
    tally = Tally()
    for gain, reason in grades:
        tally.add(gain, reason)
    return tally


def record(tally: Tally, partition: int) -> RuleScore:
    """Return what a partition publishes of a tally."""
    return RuleScore(
        rule=GROUP.rule,
        rule_hash=GROUP.rule_hash,
        mode=GROUP.mode,
        horizon=GROUP.horizon,
        partition=partition,
        as_of=0,
        as_of_offset=0,
        graded=tally.graded,
        ungraded=tally.ungraded,
        positive=tally.positive,
        total=tally.total,
        squares=tally.squares,
    )


@given(grades=GRADES, partitions=st.lists(st.integers(0, 3), min_size=1))
def test_partitions_add_up_to_the_score_of_all_grades(
    grades: list[tuple[float | None, str]], partitions: list[int]
) -> None:
    """However grades are spread over partitions, the sum of their records says exactly what one list would."""
    shares: dict[int, list[tuple[float | None, str]]] = {}
    for place, each in enumerate(grades):
        shares.setdefault(partitions[place % len(partitions)], []).append(each)
    records = [record(tally_of(share), partition) for partition, share in shares.items()]
    added = total(decode_score(codec.encode(each)) for each in records)
    assert score(GROUP, added.get(GROUP, Tally())) == score(GROUP, tally_of(grades))


@given(GRADES)
def test_sums_survive_their_encoding(grades: list[tuple[float | None, str]]) -> None:
    """What a partition remembers is what it goes on with after a restart."""
    tally = tally_of(grades)
    assert Tally.decode(tally.encode()) == tally


def test_no_return_is_too_large_for_a_sum() -> None:
    """Orders of strangers may have any price; a sum that does not fit would stop the worker at each remember."""
    tally = tally_of([(1e300, ""), (float("inf"), ""), (-1e300, "")])
    assert Tally.decode(tally.encode()).total == 10_000 * MICROS
    assert tally.graded == 3


def test_scores_are_kept_per_key() -> None:
    """The newest record of each partition is what counts."""
    assert RULE_SCORES.config() == {"cleanup.policy": "compact"}


def load(folder: str) -> Any:
    """Return the checked-in schema or examples of scores."""
    return json.loads(files("streams").joinpath(folder, "rule-scores.v1.json").read_text())


def test_every_example_follows_the_schema_and_is_what_the_codec_writes() -> None:
    """Examples are promises: valid, and unchanged by reading and writing."""
    schema = load("schemas")
    jsonschema.Draft202012Validator.check_schema(schema)
    for example in load("examples"):
        jsonschema.Draft202012Validator(schema).validate(example)
        assert json.loads(codec.encode(decode_score(json.dumps(example).encode()))) == example


def test_the_schema_names_exactly_the_fields_of_the_record() -> None:
    """A field added to the record without its schema, or the other way round, fails here."""
    schema = load("schemas")
    names = {field.encode_name for field in msgspec.structs.fields(RuleScore)}
    assert set(schema["properties"]) == set(schema["required"]) == names


@pytest.mark.parametrize("change", [{"schema": 2}, {"graded": "2"}, {"ungraded": None}])
def test_what_is_no_score_is_refused(change: dict[str, Any]) -> None:
    """Another version or a mistyped field is an InvalidRecord."""
    with pytest.raises(InvalidRecord):
        decode_score(json.dumps({**load("examples")[0], **change}).encode())
