"""Kafka Streams as a contestant: compiles its Java, and starts it with the rules as data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.local.broker import logging_option
from connector.local.errors import LocalError
from connector.local.jars import jars_of
from connector.local.java import find_java
from streams.rules.engine import compile_rules
from tests.bench.rivals.contest import LeftOut
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from streams.rules.rule import Rule
    from tests.bench.rivals.contest import Contest

_JAVA = Path(__file__).parent / "java"
_SOURCES = _JAVA / "wallets"
_LOCK = _JAVA / "kafka-streams.lock"
_RELEASE = "17"
_OPTIONS = ("-XX:+UseSerialGC", "-Xms1536m", "-Xmx1536m", "-Xmn768m", "--enable-native-access=ALL-UNNAMED")
_CLAUSES = re.compile(
    r"wallet\.w(\w+)\.volume > ([\d.]+) && wallet\.w\1\.orders > (\d+) && order\.notional > ([\d.]+)", re.ASCII
)
_MESSAGE = "{order.side} for {order.notional:.2f} USDC"

Guarantee = Literal["at_least_once", "exactly_once_v2"]
Store = Literal["live", "memory", "rocksdb"]
"""
Where states are between commits: objects in a cache of ours, which is what is fastest, or bytes in Streams' own cache,
before a store in memory or on disk.
"""


@dataclass(frozen=True)
class KafkaStreams:
    """A contestant: one process with one stream thread."""

    java: Path
    class_path: str
    guarantee: Guarantee = "at_least_once"
    store: Store = "live"

    def __call__(self, contest: Contest) -> WorkerProcess:
        """Return its process for a run."""
        table = contest.folder / f"{contest.prefix}rules.tsv"
        table.write_text(rule_table(contest.rules))
        main = ["-cp", self.class_path, "wallets.Main", contest.kafka, contest.group, contest.orders_topic]
        state = str(contest.folder / f"{contest.prefix}state")
        flush_ms = str(round(contest.flush_s * 1_000))
        given = [contest.prefix, str(table), state, flush_ms, self.guarantee, self.store]
        options = [*_OPTIONS, logging_option(contest.folder)]
        return WorkerProcess([str(self.java), *options, *main, *given], name="kafka-streams", folder=contest.folder)


def kafka_streams(folder: Path, *, guarantee: Guarantee = "at_least_once", store: Store = "live") -> KafkaStreams:
    """
    Fetch the jars, compile into `folder`, and return the contestant; blocks.

    Raises:
        LeftOut: there is no JDK, or the jars cannot be fetched.
    """
    compiler = shutil.which("javac")
    if compiler is None:
        raise LeftOut(f"Kafka Streams is left out: javac is not on PATH, install a JDK {_RELEASE} or newer")
    try:
        jars = dict.fromkeys([*jars_of("kafka"), *jars_of(_LOCK)])
        java = find_java()
    except LocalError as error:
        raise LeftOut(f"Kafka Streams is left out: {error}") from error
    class_path = os.pathsep.join(map(str, jars))
    classes = folder / "classes"
    sources = [str(path) for path in sorted(_SOURCES.glob("*.java"))]
    command = [compiler, "--release", _RELEASE, "-cp", class_path, "-d", str(classes), *sources]
    subprocess.run(command, check=True)  # noqa: S603 - ours
    return KafkaStreams(java, os.pathsep.join([str(classes), class_path]), guarantee, store)


def rule_table(rules: Path) -> str:
    """
    Return the rules of a file as `wallets.Rule` reads them.

    Raises:
        ValueError: a rule is none of the kind that the Java knows.
    """
    compiled = compile_rules(rules.read_text(encoding="utf-8"), name=str(rules))
    return "".join(_row(active.rule) for active in compiled)


def _row(rule: Rule) -> str:
    clauses = _CLAUSES.fullmatch(rule.expr)
    if clauses is None or rule.message != _MESSAGE:
        raise ValueError(f"{rule.id}: expected three clauses on volume, orders and size, got {rule.expr!r}")
    return "\t".join([rule.id, *clauses.groups(), str(rule.cooldown_ms), str(rule.max_age_ms)]) + "\n"
