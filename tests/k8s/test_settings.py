"""Every container's environment is what its process reads: loaded by the settings classes themselves."""

from __future__ import annotations

import base64
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from connector.contract.topics import CONNECTOR_TOPICS
from connector.process.environment import load
from streams.topics import STREAMS_TOPICS
from tests.support.child import environment as without_ours
from tests.support.manifests import OVERLAYS, Document, containers, environment, named, of_kind, rendered
from tests.support.rights import authority, certificates

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_settings import BaseSettings

pytestmark = [pytest.mark.k8s, pytest.mark.parametrize("overlay", OVERLAYS)]

READS: dict[str, tuple[str, ...]] = {
    "connector": ("connector.settings:Settings",),
    "streams": ("streams.settings:Settings",),
    "board": ("streams.board.settings:Settings",),
    "notify": ("streams.notify.settings:NotifySettings",),
    "toolbox": ("connector.kafka.settings:KafkaSettings", "streams.settings:Settings"),
    "simulator": (),
}
"""Module and name of the settings that a component reads."""
MOUNTS = "/etc/walletstream"
EXTERNAL = {("provider", "api-key"): "a-key,another-key", ("board", "token"): "0123456789abcdef"}
"""Of the right form; production has its own."""


def kinds(component: str) -> list[type[BaseSettings]]:
    """Return the settings classes of a component."""
    places = (place.split(":") for place in READS[component])
    return [getattr(import_module(module), name) for module, name in places]


def given(overlay: str, container: Document) -> dict[str, str]:
    """Return the environment of a container of the first pod."""
    documents = rendered(overlay)
    config = {each["metadata"]["name"]: each["data"] for each in of_kind(documents, "ConfigMap")}
    secrets = EXTERNAL | {
        (each["metadata"]["name"], key): base64.b64decode(value).decode()
        for each in of_kind(documents, "Secret")
        for key, value in each["data"].items()
    }
    for name, key in list(secrets):  # kustomize adds a hash to the names of those that it makes
        secrets[name.rpartition("-")[0] or name, key] = secrets[name, key]
    return environment(container, config, secrets, pod=f"{container['name']}-0", index=0)


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what is mounted under `MOUNTS`."""
    folder = tmp_path_factory.mktemp("mounted")
    authority(folder)
    certificates(folder, "kafka")
    for name in ("rules/rules.yaml", "notify/notify.yaml"):
        path = folder / name
        path.parent.mkdir()
        path.write_text("rules: []\n")
    return folder


def test_every_variable_is_a_setting_of_the_process(overlay: str) -> None:
    """What a process does not know it ignores without a word; here it is a fault."""
    everybody: set[str] = set()
    shared: set[str] = set()
    for workload, container in containers(rendered(overlay)):
        known = {name.upper() for kind in kinds(workload["metadata"]["name"]) for name in kind.model_fields}
        everybody |= known
        own = {variable["name"] for variable in container.get("env", [])}
        shared |= given(overlay, container).keys() - own
        assert own <= known, workload["metadata"]["name"]
    assert shared <= everybody


def test_every_process_takes_its_settings(
    overlay: str, mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With certificates, keys and files of the form that the cluster has; a fault would end the process with code 2."""
    monkeypatch.chdir(tmp_path)
    for workload, container in containers(rendered(overlay)):
        env = {name: value.replace(MOUNTS, str(mounted)) for name, value in given(overlay, container).items()}
        for kind in kinds(workload["metadata"]["name"]):
            with monkeypatch.context() as patch:
                for name in set(kind.model_fields) - {each.lower() for each in without_ours({})}:
                    patch.delenv(name.upper(), raising=False)
                for name, value in env.items():
                    patch.setenv(name, value)
                told: Any = load(kind).client()  # type: ignore[attr-defined]
            assert told["security_protocol"] == "SSL"


def test_there_are_as_many_replicas_as_the_keys_are_shared_among(overlay: str) -> None:
    """A replica too many would find no key; one too few would leave a key, and its wallets' room, unused."""
    connector = named(rendered(overlay), "StatefulSet", "connector")
    (container,) = connector["spec"]["template"]["spec"]["containers"]
    env = given(overlay, container)
    assert connector["spec"]["replicas"] == int(env["REPLICAS"]) == len(env["API_KEY"].split(","))
    assert env["REPLICA"] == "0"
    assert env["REPLICA_NAME"] == env["GROUP_INSTANCE_ID"] == "connector-0"


def test_topics_have_as_many_partitions_as_processes_are_told(overlay: str) -> None:
    """A difference is refused at every start."""
    (_, container) = next(iter(containers(rendered(overlay))))
    told = int(given(overlay, container)["PARTITIONS"])
    assert {
        each["metadata"]["name"]: each["spec"]["partitions"] for each in of_kind(rendered(overlay), "KafkaTopic")
    } == {spec.name: spec.partitions or told for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS)}


def test_topics_survive_what_the_cluster_can_lose(overlay: str) -> None:
    """With three brokers one may be away, and what was acknowledged is on two; with one there is no choice."""
    for topic in of_kind(rendered(overlay), "KafkaTopic"):
        durable = topic["spec"]["replicas"], int(topic["spec"]["config"]["min.insync.replicas"])
        assert durable == ((1, 1) if overlay == "dev" else (3, 2))
