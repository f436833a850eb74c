"""Manifests of `k8s`, read as they are or as kustomize makes them, and what a process in a pod is told by them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

K8S = Path(__file__).parents[2] / "k8s"
OVERLAYS = ("dev", "production")
POD_NAME, POD_INDEX = "metadata.name", "metadata.labels['apps.kubernetes.io/pod-index']"

Document = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Document, ...]:
    """Return what `kubectl apply -k` would send."""
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    output = subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # of our own making
    return tuple(yaml.safe_load_all(output.stdout))


@cache
def written(*names: str) -> tuple[Document, ...]:
    """Return the documents of a file in `k8s`."""
    return tuple(yaml.safe_load_all(K8S.joinpath(*names).read_text("utf-8")))


def of_kind(documents: Iterable[Document], *kinds: str) -> list[Document]:
    """Return the documents of these kinds."""
    return [document for document in documents if document["kind"] in kinds]


def named(documents: Iterable[Document], kind: str, name: str) -> Document:
    """Return one document."""
    (found,) = (each for each in of_kind(documents, kind) if each["metadata"]["name"] == name)
    return found


def workloads(documents: Iterable[Document]) -> list[Document]:
    """Return whatever makes pods."""
    return of_kind(documents, "StatefulSet", "Deployment")


def containers(documents: Iterable[Document]) -> Iterator[tuple[Document, Document]]:
    """Return each container with the workload that it is in."""
    for workload in workloads(documents):
        pod = workload["spec"]["template"]["spec"]
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            yield workload, container


def settings_file() -> dict[str, str]:
    """Return the settings that all processes share, before overlays change them."""
    lines = (K8S / "base" / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def environment(
    container: Document, config: dict[str, dict[str, str]], secrets: dict[tuple[str, str], str], *, pod: str, index: int
) -> dict[str, str]:
    """
    Return the environment that the kubelet gives a container.

    Args:
        container: of a pod's spec.
        config: data of ConfigMaps by name.
        secrets: values by name and key.
        pod: its name.
        index: its number in a StatefulSet.
    """
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= config[source["configMapRef"]["name"]]
    for variable in container.get("env", []):
        found[variable["name"]] = _value(variable, secrets, {POD_NAME: pod, POD_INDEX: str(index)})
    return found


def _value(variable: Document, secrets: dict[tuple[str, str], str], fields: dict[str, str]) -> str:
    if "value" in variable:
        return str(variable["value"])
    match variable["valueFrom"]:
        case {"secretKeyRef": {"name": name, "key": key}}:
            return secrets[name, key]
        case {"fieldRef": {"fieldPath": path}}:
            return fields[path]
        case other:
            raise AssertionError(f"{variable['name']} comes from {other}")
