"""The command line's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.simulator.__main__ import main, parse_arguments
from connector.simulator.faults import TRIGGERS, Fault
from connector.simulator.settings import Switches

if TYPE_CHECKING:
    from pathlib import Path


def test_without_arguments_it_plays_recording_and_market() -> None:
    """The demo's default: recorded orders as if they happened now, mixed with a market."""
    config = parse_arguments([])
    assert (config.replay, config.market, config.rebase, config.port) == ("recorded", 1, True, 0)


def test_help_tells_every_switch_and_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """The manual is made from what the code defines, so it cannot lag behind."""
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    manual = capsys.readouterr().out
    assert [name for name in (*Switches.__struct_fields__, *TRIGGERS) if name not in manual] == []


def test_one_source_alone_is_possible() -> None:
    """Naming one source leaves the other out."""
    assert parse_arguments(["--market", "7"]).replay is None
    assert parse_arguments(["--replay", "recorded", "--rebase", "never"]).market is None


def test_a_scenario_gives_faults_and_switches_and_set_overrides_it(tmp_path: Path) -> None:
    """What the command line says wins over the file."""
    path = tmp_path / "scenario.yaml"
    path.write_text("switches: {rest_lag: 1, ack_update: false}\nfaults: [{kind: drop}]")
    config = parse_arguments(["--scenario", str(path), "--set", "rest_lag=3"])
    assert config.faults == (Fault(kind="drop"),)
    assert (config.switches.rest_lag, config.switches.ack_update) == (3.0, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "rest_lag"], "expected SWITCH=VALUE"),
        (["--set", "rest_lag=soon"], "rest_lag"),
        (["--scenario", "/nonexistent.yaml"], "/nonexistent.yaml"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_reason(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: one line that names what is wrong."""
    assert main([*arguments, "--paused"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
