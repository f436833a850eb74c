"""Who may talk to whom, as the NetworkPolicies add up."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.support.manifests import OVERLAYS, Document, of_kind, rendered, workloads

pytestmark = [pytest.mark.k8s, pytest.mark.parametrize("overlay", OVERLAYS)]

OURS = {"connector", "streams", "notify", "board", "toolbox"}
KAFKA, PROVIDER, DNS = 9093, 443, 53


def selects(selector: Document, labels: Document) -> bool:
    """Return whether a label selector selects."""
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(
        {"In": labels.get(each["key"]) in each.get("values", []), "Exists": each["key"] in labels}[each["operator"]]
        for each in selector.get("matchExpressions", [])
    )


def policies(overlay: str, labels: Document, direction: str) -> list[Document]:
    """Return the policies of a direction that a pod is under."""
    return [
        policy
        for policy in of_kind(rendered(overlay), "NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
    ]


def allowed(overlay: str, direction: str) -> dict[str, set[Any]]:
    """Return by component the ports that it may reach, or be reached at."""
    found: dict[str, set[Any]] = {}
    for workload in workloads(rendered(overlay)):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        rules = [
            rule
            for policy in policies(overlay, labels, direction)
            for rule in policy["spec"].get(direction.lower(), [])
        ]
        assert all(rule.get("ports") and rule.get("to" if direction == "Egress" else "from") for rule in rules)
        found[labels["app.kubernetes.io/component"]] = {port["port"] for rule in rules for port in rule["ports"]}
    return found


def test_every_pod_is_shut_in_both_directions(overlay: str) -> None:
    """Whatever its labels: who is under no policy may do everything."""
    for labels in [*(each["spec"]["template"]["metadata"]["labels"] for each in workloads(rendered(overlay))), {}]:
        assert policies(overlay, labels, "Ingress")
        assert policies(overlay, labels, "Egress")


def test_pods_reach_what_they_need_and_nothing_else(overlay: str) -> None:
    """Names, Kafka, and the internet for two; the simulator asks nobody."""
    expected: dict[str, set[Any]] = {name: {DNS, KAFKA} for name in OURS}
    expected |= {name: {DNS, KAFKA, PROVIDER} for name in ("connector", "notify")}
    if overlay == "dev":
        expected |= {"simulator": {DNS}, "connector": {DNS, KAFKA, PROVIDER, 8000}}
    assert allowed(overlay, "Egress") == expected


def test_pods_are_reached_by_those_who_scrape_and_look(overlay: str) -> None:
    """The ports are those that containers name."""
    expected: dict[str, set[Any]] = {name: {"status"} for name in OURS} | {"board": {"status", "http"}}
    if overlay == "dev":
        expected |= {"simulator": {"status", "http"}}
    assert allowed(overlay, "Ingress") == expected


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.1", "172.20.0.1", "169.254.169.254", "100.64.0.1", "fd00::1"]
)
def test_the_internet_is_not_what_is_behind_the_walls(overlay: str, address: str) -> None:
    """Neither the cluster's own addresses nor the cloud's metadata."""
    blocks = [
        peer["ipBlock"]
        for policy in of_kind(rendered(overlay), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]
    assert blocks
    for block in blocks:
        if ip_address(address).version == ip_network(block["cidr"]).version:
            assert any(ip_address(address) in ip_network(inner) for inner in block["except"])


def test_brokers_are_looked_for_where_they_are(overlay: str) -> None:
    """The namespace in the policy is that of the address."""
    (policy,) = (each for each in of_kind(rendered(overlay), "NetworkPolicy") if each["metadata"]["name"] == "kafka")
    (peer,) = policy["spec"]["egress"][0]["to"]
    (config,) = (
        each for each in of_kind(rendered(overlay), "ConfigMap") if each["metadata"]["name"].startswith("settings-")
    )
    host, _, port = config["data"]["KAFKA"].partition(":")
    assert int(port) == KAFKA
    namespace = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
    assert host == "kafka-kafka-bootstrap" + (f".{namespace}.svc" if namespace else "")
