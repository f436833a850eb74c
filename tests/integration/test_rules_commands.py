"""`python -m streams rules apply|list|...` on the real broker."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from connector.kafka.reader import read_all
from streams.__main__ import _parser
from streams.rules.errors import InvalidRules
from streams.shards.shard import Shard
from tests.support.child import environment
from tests.support.rules_log import document

if TYPE_CHECKING:
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from connector.local.broker import LocalKafka


class Shell:
    """Runs commands against a deployment of its own, whose workers' file has the rules `base` and `other`."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._capture = capture
        self.settings = {
            "KAFKA": bootstrap,
            "TOPIC_PREFIX": prefix,
            "PARTITIONS": "4",
            "RULES": str(self.file("workers.yaml", {"id": "base"}, {"id": "other"})),
        }

    def file(self, name: str, *rules: dict[str, Any]) -> Path:
        """Write a document and return its path."""
        path = self.folder / name
        path.write_text(document(*rules))
        return path

    async def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Return exit code, output and errors of a command."""
        given = _parser(Shard).parse_args(["--env-file", "none", "rules", *map(str, arguments)])
        self._capture.readouterr()
        code = await asyncio.to_thread(given.run, given)
        return code, *self._capture.readouterr()

    async def modes(self) -> dict[str, str]:
        """Return mode and source of every rule by key, as `list --json` has them."""
        _, out, _ = await self("list", "--json")
        return {each["key"]: f"{each['mode']} {each['source']}" for each in json.loads(out)["rules"]}

    async def records(self) -> list[ConsumerRecord]:
        """Return what the topic holds."""
        return await read_all(self._bootstrap, f"{self._prefix}rules.v1")


@pytest.fixture
def shell(
    kafka: LocalKafka,
    topic_prefix: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """Return a way to run commands."""
    made = Shell(kafka.bootstrap, topic_prefix, tmp_path, capsys)
    for name, value in made.settings.items():
        monkeypatch.setenv(name, value)
    return made


async def test_a_file_is_applied_whole_and_only_what_differs(shell: Shell) -> None:
    """Hundreds of rules are one batch with one append time; a dry run writes nothing; a bad rule holds all back."""
    many = [{"id": f"r{number}", "expr": f"order.notional > {number}.0"} for number in range(300)]
    file = shell.file("many.yaml", *many)
    code, out, _ = await shell("apply", file, "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "would write 300 records")
    assert await shell.records() == []
    code, out, _ = await shell("apply", file)
    assert code == 0
    assert out.count("added ") == 300
    records = await shell.records()
    assert len(records) == 300
    assert len({record.timestamp for record in records}) == 1
    assert {record.partition for record in records} == {0}
    assert (await shell("apply", file))[1].endswith("nothing to change\n")
    many[7]["message"] = "new"
    code, out, _ = await shell("apply", shell.file("fewer.yaml", *many[:290]), "--prune")
    assert (out.count("unchanged"), out.count("changed    r7 "), out.count("removed")) == (289, 1, 10)
    bad = shell.file("bad.yaml", {"id": "good"}, {"id": "bad", "expr": "order.prize > 1.0"})
    with pytest.raises(InvalidRules, match=r"bad\.yaml.*did you mean order\.price"):
        await shell("apply", bad)
    assert len(await shell.records()) == 311


async def test_a_rule_goes_on_trial_is_promoted_paused_resumed_and_removed(shell: Shell) -> None:
    """The life of a rule by commands, and what the list says of it."""
    new = shell.file("new.yaml", {"id": "base", "message": "better"})
    await shell("apply", new, "--shadow")
    assert await shell.modes() == {
        "base": "ACTIVE file",
        "base@shadow": "SHADOW topic",
        "other": "ACTIVE file",
    }
    before = len(await shell.records())
    assert (await shell("promote", "base"))[1].startswith("promoted   base  ")
    assert len({record.timestamp for record in (await shell.records())[before:]}) == 1
    assert await shell.modes() == {"base": "ACTIVE topic", "other": "ACTIVE file"}
    await shell("pause", "other")
    assert (await shell.modes())["other"] == "PAUSED topic"
    await shell("resume", "other")
    assert (await shell.modes())["other"] == "ACTIVE file"
    assert (await shell("remove", "base"))[1].startswith("removed    base, the file's version is in force again")
    assert await shell.modes() == {"base": "ACTIVE file", "other": "ACTIVE file"}


async def test_silences_are_listed_with_their_end(shell: Shell) -> None:
    """For people, whoever wrote them."""
    code, out, _ = await shell("silence", "rule=base", "severity=info", "--for", "2h", "--comment", "known hedge")
    silence = out.split()[1]
    assert code == 0
    _, out, _ = await shell("list")
    assert all(word in out for word in (silence, "rule=base severity=info", "known hedge", "other", "ACTIVE", "file"))
    assert (await shell("unsilence", silence))[0] == 0
    assert silence not in (await shell("list"))[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("pause bse", "there is no rule bse: did you mean base?"),
        ("resume base", "base is not paused"),
        ("remove base", "base is a rule of the workers' file"),
        ("promote base", "base has no version in SHADOW"),
        ("unsilence x", "there is no silence x"),
        ("silence rule=othr --for 1h", "did you mean other?"),
    ],
)
async def test_what_does_not_fit_is_told_and_changes_nothing(shell: Shell, arguments: str, said: str) -> None:
    """Exit code 1, and the nearest known name."""
    code, out, err = await shell(*arguments.split())
    assert (code, out) == (1, "")
    assert said in err
    assert await shell.records() == []


PROCESSES: dict[str, tuple[dict[str, str], str, int, str]] = {
    "done": ({}, "list", 0, "base"),
    "bad rules": ({}, "apply bad.yaml", 2, "did you mean order.price"),
    "no text": ({}, "apply binary.yaml", 2, "no text in UTF-8"),
    "no file": ({}, "apply nowhere.yaml", 2, "nowhere.yaml"),
    "bad settings": ({"RULES_DELAY": "x"}, "list", 2, "RULES_DELAY"),
    "bad usage": ({}, "silence rule=base --for 2", 2, "whole number and a unit"),
    "no time": ({}, "silence rule=base --for 0s", 2, "of no time"),
    "no cluster": ({"KAFKA": "127.0.0.1:1"}, "list", 4, "no Kafka answers"),
}


@pytest.mark.parametrize("case", PROCESSES)
async def test_commands_are_processes_with_exit_codes(shell: Shell, case: str) -> None:
    """With one line for each fault instead of a trace."""
    changed, arguments, code, said = PROCESSES[case]
    shell.file("bad.yaml", {"id": "bad", "expr": "order.prize > 1.0"})
    (shell.folder / "binary.yaml").write_bytes(b"\xff\xfe")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "rules", *arguments.split()),
        env=environment(shell.settings | changed),
        cwd=shell.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert (process.returncode, said in out.decode()) == (code, True), out.decode()
    assert "Traceback" not in out.decode()
