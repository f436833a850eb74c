"""What alerts assume of Kubernetes' manifests: names of jobs, names of instances, limits of memory."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support import monitoring

BASE = monitoring.ROOT / "k8s" / "base"
PROGRAMS = ("connector", "streams", "notify", "board")
_JOB = re.compile(r'job="([^"]+)"')
_UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}
_POD_LABEL = "__meta_kubernetes_pod_label_"


def resources(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a kind in the base."""
    files = [yaml.safe_load_all(path.read_text("utf-8")) for path in sorted(BASE.glob("*.yaml"))]
    return [each for file in files for each in file if each and each.get("kind") == kind]


def pods() -> dict[str, dict[str, Any]]:
    """Return the pod templates of the workloads, by the workloads' names."""
    workloads = resources("Deployment") + resources("StatefulSet")
    return {each["metadata"]["name"]: each["spec"]["template"] for each in workloads}


def relabelled(pod: dict[str, Any], target: str) -> str:
    """Return what the PodMonitor makes of a pod for a label, as Prometheus relabels; nothing if it has no such rule."""
    (monitor,) = resources("PodMonitor")
    labels = {_POD_LABEL + re.sub(r"\W", "_", name): value for name, value in pod["metadata"]["labels"].items()}
    labels["__meta_kubernetes_pod_name"] = "the-pod"
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        for rule in endpoint.get("relabelings", ()):
            if rule["targetLabel"] == target:
                source = ";".join(labels.get(name, "") for name in rule.get("sourceLabels", ()))
                found = re.fullmatch(rule.get("regex", "(.*)"), source)
                return found.expand(re.sub(r"\$\{?(\d)\}?", r"\\\1", rule.get("replacement", "$1"))) if found else ""
    return ""


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_pod_monitor_names_jobs_as_the_alerts_do(program: str) -> None:
    """Else `up == 0` of a program that is down is nobody's."""
    down = monitoring.alerts()[f"Walletstream{program.capitalize()}Down"]
    (pattern,) = _JOB.findall(down["expr"])
    jobs = {name: relabelled(pod, "job") for name, pod in pods().items()}
    assert [name for name, job in jobs.items() if re.fullmatch(pattern, job)] == [program], jobs


def test_an_instance_is_a_pod() -> None:
    """By default it is an address, which nobody knows and which changes at every restart."""
    assert {relabelled(pod, "instance") for pod in pods().values()} == {"the-pod"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_alerts_know_the_limits_of_memory(program: str) -> None:
    """They are not among the metrics, so they are written down twice."""
    recorded = [rule for rule in monitoring.rules() if rule.get("record") == "walletstream:memory_limit_bytes"]
    (known,) = [rule["expr"] for rule in recorded if rule["labels"]["job"] == f"walletstream-{program}"]
    (container,) = pods()[program]["spec"]["containers"]
    limit = container["resources"]["limits"]["memory"]
    assert known == f"vector({int(limit[:-2]) * _UNITS[limit[-2:]]})"
