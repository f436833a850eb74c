"""The examples in other languages: `make consumers`, which needs Node and a JDK beside Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import orjson

from connector.local.jars import jars_of
from streams.contract.__main__ import FOLDER
from tests.support.consumers import follow_all

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka

EXAMPLES = FOLDER / "consumers"


def tool(name: str) -> str:
    """Return the path of a program; without it the test fails, and says what to install."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not on PATH: install Node 20 and a JDK 17, or newer ones"
    return path


async def test_the_node_consumer_misses_nothing_and_tells_nothing_twice(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """With what its lock file says, installed anew."""
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    install = [tool("npm"), "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=folder, check=True, timeout=110)  # noqa: ASYNC221, S603 - nothing else goes on
    await follow_all(kafka, topic_prefix, [tool("node"), str(folder / "orders.mjs")], tmp_path)


async def test_the_java_consumer_misses_nothing_and_tells_nothing_twice(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """With Kafka's own jars, compiled as it starts."""
    jars = os.pathsep.join(map(str, jars_of("kafka")))
    await follow_all(kafka, topic_prefix, [tool("java"), "-cp", jars, str(EXAMPLES / "Orders.java")], tmp_path)


def test_the_document_is_asyncapi(tmp_path: Path) -> None:
    """By AsyncAPI's own schema of version 3."""
    here = Path(__file__).parent
    for name in ("package.json", "package-lock.json"):
        shutil.copy(here / name, tmp_path)
    install = [tool("npm"), "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=tmp_path, check=True, timeout=110)  # noqa: S603 - ours
    schemas = tmp_path / "node_modules" / "@asyncapi" / "specs" / "schemas"
    jsonschema.validate(
        orjson.loads((FOLDER / "asyncapi.json").read_bytes()),
        orjson.loads((schemas / "3.0.0-without-$id.json").read_bytes()),
    )
