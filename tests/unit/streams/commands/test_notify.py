"""`python -m streams notify --check` and `--dry-run`, which send nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from streams.__main__ import main
from streams.records import encode
from tests.support.alerts import AT, alert

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
receivers:
  - {name: desk, apprise: "json://127.0.0.1/${SECRET_PATH}"}
  - {name: nobody}
route:
  receiver: desk
  group_by: [rule]
  routes: [{matchers: [severity = info, rule != r], receiver: nobody}]
"""


class Shell:
    """Runs the command in this process."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.file = folder / "notify.yaml"
        self.alerts = folder / "alerts.jsonl"
        self.file.write_text(CONFIG)
        self._capture = capture
        self._patch = patch
        patch.setenv("SECRET_PATH", "hidden-path")
        patch.setenv("NOTIFY_CONFIG", str(self.file))

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Return exit code, output and errors."""
        self._patch.setattr(sys, "argv", ["streams", "--env-file", "none", "notify", *map(str, arguments)])
        return main(), *self._capture.readouterr()


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a way to run it."""
    return Shell(tmp_path, capsys, monkeypatch)


def test_a_check_shows_the_routes_as_they_were_understood(shell: Shell) -> None:
    """Names and times, no secret."""
    code, out, _ = shell("--check", shell.file)
    assert (code, out.splitlines()) == (
        0,
        [
            "receiver desk: 1 address",
            "receiver nobody: 0 addresses",
            "every alert -> desk (by rule; after 30s, every 5m)",
            '  severity = "info", rule != "r" -> nobody (by rule; after 30s, every 5m)',
        ],
    )


def test_a_check_names_every_fault(shell: Shell) -> None:
    """By line, with exit code 2; so do a file that is none, and settings that are missing."""
    shell.file.write_text(CONFIG.replace("receiver: desk\n", "receiver: dsk\n").replace("${SECRET_PATH}", "${NONE}"))
    code, _, errors = shell("--check", shell.file)
    assert code == 2
    assert "notify.yaml:2: desk: apprise: NONE not set" in errors
    assert "notify.yaml:5: route: receiver: there is none called dsk: did you mean desk?" in errors
    shell.file.write_bytes(b"\xff\xfe")
    assert (shell("--check", shell.file)[0], shell("--check", "nowhere.yaml")[0]) == (2, 2)


def test_a_setting_that_is_missing_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to set it to."""
    monkeypatch.delenv("NOTIFY_CONFIG")
    code, _, errors = shell()
    assert (code, "NOTIFY_CONFIG (not set)" in errors) == (2, True)


def test_a_dry_run_prints_what_would_be_sent_and_when(shell: Shell) -> None:
    """At the alerts' own times, with what becomes of each alert."""
    given = [alert("a"), alert("b", as_of=AT + 20_000), alert("c", as_of=AT + 60_000), alert("d", rule="s")]
    shell.alerts.write_bytes(b"".join(encode(each) + b"\n" for each in given))
    code, out, _ = shell("--dry-run", "--alerts", shell.alerts)
    heads = [line.split()[1] for line in out.splitlines() if line.startswith("--- ")]
    assert (code, heads) == (0, ["2026-01-04T20:00:30.000Z", "2026-01-04T20:05:30.000Z"])
    assert "info: 2 alerts (rule r)" in out
    assert out.endswith("4 alerts: 3 queued, 1 unrouted\n")
    assert "hidden-path" not in out


def test_a_dry_run_of_what_is_no_alert_names_the_line(shell: Shell) -> None:
    """As a fault of the file."""
    shell.alerts.write_bytes(encode(alert()) + b"\nnothing\n")
    code, _, errors = shell("--dry-run", "--alerts", shell.alerts)
    assert (code, "alerts.jsonl:2: alert: " in errors) == (2, True)


def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    """Without Python's number for the error."""
    code, out, err = shell("--check", "absent.yaml")
    assert (code, out, err) == (2, "", "absent.yaml: No such file or directory\n")
