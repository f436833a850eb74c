"""The commands that people run, as processes, on the real broker: demo, up, consume."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.timeout(180)
_UP = "--from-beginning"


def local(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `python -m connector.local` with its output in a pipe."""
    return subprocess.Popen(  # noqa: S603 (the command is ours)
        [sys.executable, "-m", "connector.local", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120", "PARTITIONS": "2", **environment},
    )


def figures(output: str) -> dict[str, str]:
    """Return the summary table."""
    rows = (line.split("\u2502") for line in output.splitlines())
    return {cells[1].strip(): cells[2].strip() for cells in rows if len(cells) == 4}


def children(pid: int) -> dict[int, str]:
    """Return the children of a process: id -> command line."""
    ids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each): Path(f"/proc/{each}/cmdline").read_text().replace("\0", " ") for each in ids}


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the output up to the line that holds `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"ended without {text!r}:\n{''.join(lines)}")


def test_the_demo_finds_everything_once(kafka: LocalKafka) -> None:
    """Exit 0: every order that the simulator executed for watched wallets is in the topic once, and counted."""
    with local("demo", "--kafka", kafka.bootstrap, DEMO_SECONDS="6") as process:
        output = process.communicate()[0]
    found = figures(output)
    assert process.returncode == 0, output
    assert int(found["orders in the topic"].replace(",", "")) > 50
    assert found["orders executed by the simulator for watched wallets"] == found["orders in the topic"]
    for figure in ("missing", "duplicates", "not in the book", "wallets whose statistics differ"):
        assert found[figure] == "0"
    assert int(found["alerts"].split()[0]) > 0
    for path in ("wire -> Kafka", "wire -> alert"):
        assert re.fullmatch(r"[\d.]+ ms / [\d.]+ ms", found[f"{path}, p50 / p99"])


def test_the_demo_loses_nothing_though_everything_fails(kafka: LocalKafka) -> None:
    """
    Exit 0 with connections that end or fall silent, messages that are lost or broken, and a REST that is late.

    What the sockets did not bring comes from REST, each order once, and every gap is closed at the end.
    """
    with local("demo", "--kafka", kafka.bootstrap, "--wallets", "60", DEMO_SECONDS="15", DEMO_FAULTS="1") as process:
        output = process.communicate()[0]
    found = figures(output)
    assert process.returncode == 0, output
    assert found["orders executed by the simulator for watched wallets"] == found["orders in the topic"]
    assert int(found["orders that the socket missed, from REST"]) > 0
    assert int(found["gaps closed, per wallet"]) > 60
    for figure in ("missing", "duplicates", "not in the book", "gaps still open", "wallets whose statistics differ"):
        assert found[figure] == "0", output


def test_the_demo_fails_when_orders_cannot_be_had(kafka: LocalKafka, tmp_path: Path) -> None:
    """Exit 1: orders that no socket brought and that REST withholds are missing, and named."""
    scenario = tmp_path / "withhold.yaml"
    scenario.write_text(
        "faults:\n  - {kind: lose_event, after: 20, times: 3}\n  - {kind: rest_withhold, times: null}\n"
    )
    arguments = ("demo", "--kafka", kafka.bootstrap, "--scenario", str(scenario), "--wallets", "20")
    with local(*arguments, DEMO_SECONDS="5", VERIFY_INTERVAL="3", SETTLE="1") as process:
        output = process.communicate()[0]
    found = figures(output)
    assert process.returncode == 1, output
    assert (found["missing"], found["duplicates"], found["gaps still open"]) == ("3", "0", "0"), output
    assert output.count("  missing ") == 3


def test_the_demo_fails_when_deliveries_are_published_twice(kafka: LocalKafka, tmp_path: Path) -> None:
    """Exit 1: with the connector's dedupe off, deliveries that the simulator repeats are found and named."""
    scenario = tmp_path / "repeat.yaml"
    scenario.write_text("faults:\n  - {kind: duplicate, times: 7}\n")
    arguments = ("demo", "--kafka", kafka.bootstrap, "--scenario", str(scenario))
    with local(*arguments, DEMO_SECONDS="4", DEDUPE="off") as process:
        output = process.communicate()[0]
    found = figures(output)
    assert process.returncode == 1, output
    assert (found["missing"], found["duplicates"]) == ("0", "7")
    assert "duplicate " in output


def test_a_dead_process_ends_everything_and_is_shown(kafka: LocalKafka, topic_prefix: str) -> None:
    """Exit 1: who died and its log; nothing else is left."""
    with local("up", "--kafka", kafka.bootstrap, TOPIC_PREFIX=topic_prefix) as process:
        read_until(process, _UP)
        family = children(process.pid)
        (connector,) = (pid for pid, command in family.items() if command.rstrip().endswith("-m connector"))
        os.kill(connector, signal.SIGKILL)
        output = process.communicate()[0]
    assert process.returncode == 1
    assert "connector ended with code -9; its log" in output
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def test_ctrl_c_stops_everything_in_order(kafka: LocalKafka, topic_prefix: str) -> None:
    """Exit 0, within seconds, and no process is left; the existing cluster goes on."""
    with local("up", "--kafka", kafka.bootstrap, TOPIC_PREFIX=topic_prefix) as process:
        read_until(process, _UP)
        family = children(process.pid)
        assert len(family) == 3
        process.send_signal(signal.SIGINT)
        began = time.perf_counter()
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert time.perf_counter() - began < 15
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
    assert kafka.process.returncode is None


def test_a_signal_while_starting_stops_what_was_started(kafka: LocalKafka, topic_prefix: str) -> None:
    """Exit 0: the first processes are stopped again."""
    with local("up", "--kafka", kafka.bootstrap, TOPIC_PREFIX=topic_prefix) as process:
        read_until(process, "simulator ready")
        family = children(process.pid)
        process.terminate()
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def test_kafkas_own_console_consumer_reads_alerts(kafka: LocalKafka, topic_prefix: str) -> None:
    """Java's consumer shows one readable JSON object per line."""
    with local("up", "--kafka", kafka.bootstrap, TOPIC_PREFIX=topic_prefix) as process:
        read_until(process, _UP)
        options = ("--kafka", kafka.bootstrap, "--from-beginning", "--max-messages", "3")
        read = subprocess.run(  # noqa: S603 (the command is ours)
            [sys.executable, "-m", "connector.local", "consume", f"{topic_prefix}alerts.v1", *options],
            capture_output=True,
            text=True,
            check=True,
            timeout=90,
        )
        process.terminate()
        process.communicate()
    alerts = [msgspec.json.decode(line) for line in read.stdout.splitlines()]
    assert len(alerts) == 3
    assert all(alert["message"] and alert["reason"] and alert["orders"] for alert in alerts)


def test_no_cluster_there_is_a_clear_error() -> None:
    """Exit 1: one line that names the address and what to check, no trace."""
    with local("up", "--kafka", "127.0.0.1:1") as process:
        output = process.communicate()[0]
    assert process.returncode == 1
    assert "no Kafka answers at 127.0.0.1:1" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("up", "--wallets", "501"), "expected 1 to 500"),
        (("demo", "--seconds", "0"), "expected seconds above 0"),
        (("up", "--colour"), "unrecognized arguments: --colour"),
        ((), "required: command"),
    ],
)
def test_wrong_usage_is_explained(arguments: tuple[str, ...], problem: str) -> None:
    """Exit 2, before anything starts."""
    with local(*arguments) as process:
        output = process.communicate()[0]
    assert process.returncode == 2
    assert problem in output
