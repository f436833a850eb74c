"""What rivals are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import rules
from tests.bench.rivals import quix
from tests.bench.rivals.contestants import RAW, ready
from tests.bench.rivals.kafka_streams import rule_table

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fifty_rules_are_data_to_java(tmp_path: Path) -> None:
    """In the order of the file, durations in milliseconds."""
    lines = rule_table(rules.fifty(tmp_path / "fifty.yaml")).splitlines()
    assert len(lines) == 50
    assert lines[0].split("\t") == ["rule-0", "1m", "1000.0", "20", "300.0", "300000", "3600000"]
    assert lines[49].split("\t") == ["rule-49", "5m", "50000.0", "510", "2260.0", "300000", "3600000"]


def test_a_rule_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Nothing is left out silently."""
    with pytest.raises(ValueError, match="every-order"):
        rule_table(rules.every_order(tmp_path / "one.yaml"))


def test_who_cannot_run_here_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a sentence that says what to do; the others go on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(quix, "PYTHON", tmp_path / "python")
    contestants, left_out = ready([RAW, "ours", "kafka_streams", "quix"], tmp_path)
    assert list(contestants) == ["ours"]
    assert left_out == [
        "Kafka Streams is left out: javac is not on PATH, install a JDK 17 or newer",
        "Quix Streams is left out: `make rivals` installs it, which needs the network",
    ]
