"""The lock file: which jars make up the local Kafka, and their SHA-256."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(r"([\w.-]+):([\w.-]+):([\w.-]+) ([0-9a-f]{64})", re.ASCII)


class Jar(NamedTuple):
    """One locked artifact."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """Maven's name for it."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def filename(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> list[Jar]:
    """
    Read a lock file; empty lines and lines that start with # are skipped.

    Raises:
        ValueError: a line is not `group:artifact:version sha256`, or two jars share a file name.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"lock file line {number}: expected group:artifact:version sha256, got {line!r}")
        jars.append(Jar(*match.groups()))
    if len({jar.filename for jar in jars}) != len(jars):
        raise ValueError("lock file: two jars have the same file name")
    return jars
