"""What docker-compose.yml says, held against the code: no engine is needed for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from connector.process.environment import load
from connector.settings import Settings as ConnectorSettings
from connector.simulator.__main__ import parse_arguments
from streams.board.settings import Settings as BoardSettings
from streams.notify.document import read_config
from streams.notify.secrets import Sources
from streams.notify.settings import NotifySettings
from streams.notify.sink import make_parser as sink_parser
from streams.notify.targets import Webhook
from streams.settings import Settings as WorkerSettings

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
ENVIRONMENT = {"API_KEY": "k" * 36, "KAFKA": "broker:9092", "BOARD_TOKEN": "t" * 32}
"""Of whoever calls, for the services that need it."""

SETTINGS: dict[str, type[BaseSettings]] = {
    "connector": ConnectorSettings,
    "connector doctor": ConnectorSettings,
    "streams worker": WorkerSettings,
    "streams board": BoardSettings,
    "streams notify": NotifySettings,
}


def interpolated(text: str) -> str:
    """Fill in variables as Compose does: `${NAME:-default}`."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: ENVIRONMENT.get(found[1]) or found[2], text)


DOCUMENT: dict[str, Any] = yaml.safe_load(interpolated(COMPOSE.read_text()))
OURS = {name: each for name, each in DOCUMENT["services"].items() if each["image"].startswith("walletstream")}


def command_of(service: dict[str, Any]) -> str:
    """Return the program and its command, without options."""
    return " ".join(word for word in service["command"][:2] if not word.startswith("-"))


def test_it_is_what_compose_reads() -> None:
    """By the schema of the Compose specification."""
    spec = find_spec("check_jsonschema")  # for its schemas: its command needs a newer click than Faust allows
    assert spec is not None
    assert spec.origin is not None
    schema = Path(spec.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(DOCUMENT, json.loads(schema.read_text()))


def test_the_dockerfile_has_no_fault() -> None:
    """By hadolint."""
    checked = subprocess.run(  # noqa: S603 - ours
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_has_settings_that_its_program_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable is a setting, and every value is good."""
    service = OURS[name]
    environment = {key: str(value) for key, value in service.get("environment", {}).items()}
    for key in os.environ:
        monkeypatch.delenv(key)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    kind = SETTINGS.get(command_of(service))
    if kind is None:
        assert service["command"][0] in {"connector.simulator", "streams.notify.sink"}, "who is this?"
        return
    assert {key.lower() for key in environment} - FREE <= kind.model_fields.keys()
    load(kind)


FREE = {"sink_secret"}
"""Variables that a file of the service names, not a setting."""


def test_the_notifier_tells_the_sink() -> None:
    """Its file is right, its secret the sink's, and its address where the sink listens."""
    notify, sink = OURS["notify"], OURS["sink"]
    (path,) = (volume.partition(":")[0] for volume in notify["volumes"])
    environment = {"SINK_SECRET": notify["environment"]["SINK_SECRET"]}
    config = read_config((ROOT / path).read_text(), Sources(environment, lambda _: ""), lambda _: "", name=path)
    (target,) = config.receivers["sink"]
    given = sink_parser().parse_args(sink["command"][1:])
    assert target.address == Webhook(f"http://sink:{given.port}/", sink["environment"]["SINK_SECRET"])
    assert f":{given.port}/" in sink["healthcheck"]["test"][-1]


def test_the_simulator_takes_its_arguments() -> None:
    """And listens where the connectors and the health check ask."""
    config = parse_arguments(OURS["simulator"]["command"][1:])
    assert (config.host, config.port) == ("0.0.0.0", 8000)  # noqa: S104 - in a container


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_runs_with_the_least_it_needs(name: str) -> None:
    """No root file system to write to, no capability, a bound on memory, and time for its end."""
    service = OURS[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["stop_grace_period"] == "30s"


def test_whom_a_service_waits_for_and_what_it_mounts_is_there() -> None:
    """Names of services and files; ports are open to this machine only."""
    for service in DOCUMENT["services"].values():
        assert set(service.get("depends_on", ())) <= DOCUMENT["services"].keys()
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in DOCUMENT["volumes"], volume
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_replicas_share_out_the_keys() -> None:
    """Each connector has a number of its own, and so a key of its own."""
    connectors = [OURS[name]["environment"] for name in ("connector-0", "connector-1")]
    keys = [ConnectorSettings.model_validate({k.lower(): v for k, v in each.items()}).keys for each in connectors]
    assert keys == [("dev-0",), ("dev-1",)]
