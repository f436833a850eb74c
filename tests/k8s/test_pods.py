"""What every pod of ours has to be like, in every overlay."""

from __future__ import annotations

import pytest

from tests.support.manifests import OVERLAYS, Document, containers, named, of_kind, rendered, workloads

pytestmark = [pytest.mark.k8s, pytest.mark.parametrize("overlay", OVERLAYS)]

WITHOUT_PROBES = {"toolbox"}
"""It sleeps until somebody runs a command in it."""
WITHOUT_OTHERS = {"notify", "simulator", "toolbox"}
"""One replica each: nothing to spread."""
VOLUMES = {"configMap", "emptyDir", "projected", "secret"}


def pod(workload: Document) -> Document:
    """Return the spec of its pods."""
    found: Document = workload["spec"]["template"]["spec"]
    return found


def test_pods_are_what_the_restricted_profile_admits(overlay: str) -> None:
    """As the namespace demands: else nothing would start."""
    for workload in workloads(rendered(overlay)):
        spec = pod(workload)
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert all(set(volume) - {"name"} <= VOLUMES for volume in spec["volumes"])
    for _, container in containers(rendered(overlay)):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "hostPort" not in str(container.get("ports"))


def test_namespaces_of_ours_demand_it(overlay: str) -> None:
    """The label is what makes Kubernetes refuse."""
    (namespace,) = of_kind(rendered(overlay), "Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert {workload["metadata"]["namespace"] for workload in workloads(rendered(overlay))} == {
        namespace["metadata"]["name"]
    }


def test_pods_hold_no_token_of_kubernetes(overlay: str) -> None:
    """Neither by their account nor by themselves."""
    for workload in workloads(rendered(overlay)):
        spec = pod(workload)
        account = named(rendered(overlay), "ServiceAccount", spec["serviceAccountName"])
        assert account["automountServiceAccountToken"] is spec["automountServiceAccountToken"] is False


def test_containers_have_room_of_their_own_and_no_more(overlay: str) -> None:
    """Memory asked for is memory had: a node that is full ends others, not us."""
    for _, container in containers(rendered(overlay)):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert requests.keys() == limits.keys() == {"cpu", "memory"}
        assert requests["memory"] == limits["memory"]


def test_containers_are_looked_after(overlay: str) -> None:
    """Probes ask a port that there is; liveness asks less than readiness, or a provider that is away restarts us."""
    for workload, container in containers(rendered(overlay)):
        if workload["metadata"]["name"] in WITHOUT_PROBES:
            continue
        ports = {port["name"] for port in container["ports"]}
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {probe["port"] for probe in probes.values()} <= ports
        if "status" in ports:
            assert [probes[kind]["path"] for kind in probes] == ["/livez", "/livez", "/readyz"]
            assert {probe["port"] for probe in probes.values()} == {"status"}


def test_pods_write_to_a_folder_in_memory_only(overlay: str) -> None:
    """Everything else that is mounted is read."""
    for workload, container in containers(rendered(overlay)):
        empty = {volume["name"] for volume in pod(workload)["volumes"] if "emptyDir" in volume}
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in pod(workload)["volumes"]}
        assert empty == {"tmp"}
        assert mounts["tmp"]["mountPath"] == "/tmp"  # noqa: S108
        assert all(mount["readOnly"] for name, mount in mounts.items() if name not in empty)


def test_images_are_one_and_the_same_and_do_not_move(overlay: str) -> None:
    """One image for all; a digest in production, and never `latest`."""
    (image,) = {container["image"] for _, container in containers(rendered(overlay))}
    name, _, digest = image.partition("@")
    assert "latest" not in image
    assert digest.startswith("sha256:") if overlay == "production" else ":" in name


def test_replicas_are_spread_and_drained_one_by_one(overlay: str) -> None:
    """A node or zone that goes takes as few as can be."""
    budgets = of_kind(rendered(overlay), "PodDisruptionBudget")
    for workload in workloads(rendered(overlay)):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        chosen = workload["spec"]["selector"]["matchLabels"]
        assert chosen.items() <= labels.items()
        if workload["metadata"]["name"] not in WITHOUT_OTHERS:
            assert workload["spec"]["replicas"] > 1
            spread = pod(workload)["topologySpreadConstraints"]
            assert {each["topologyKey"] for each in spread} == {
                "topology.kubernetes.io/zone",
                "kubernetes.io/hostname",
            }
            assert all(each["labelSelector"]["matchLabels"] == chosen for each in spread)
            assert [budget["spec"]["selector"]["matchLabels"] for budget in budgets].count(chosen) == 1
    selected = [str(workload["spec"]["selector"]) for workload in workloads(rendered(overlay))]
    assert len(set(selected)) == len(selected)
    assert all(str(budget["spec"]["selector"]) in selected for budget in budgets)
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets)


def test_members_of_groups_have_names_that_stay(overlay: str) -> None:
    """A StatefulSet's pod has its name again after a restart; that is what static membership is made of."""
    for name in ("connector", "streams"):
        (container,) = pod(named(rendered(overlay), "StatefulSet", name))["containers"]
        variables = {variable["name"]: variable for variable in container["env"]}
        assert variables["GROUP_INSTANCE_ID"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_what_pods_refer_to_is_there(overlay: str) -> None:
    """ConfigMaps with their keys; Secrets that the overlay makes, orders from External Secrets, or has of Strimzi."""
    documents = rendered(overlay)
    configs = {each["metadata"]["name"]: set(each["data"]) for each in of_kind(documents, "ConfigMap")}
    secrets = {each["metadata"]["name"]: set(each["data"]) for each in of_kind(documents, "Secret")} | {
        each["spec"]["target"]["name"]: {data["secretKey"] for data in each["spec"]["data"]}
        for each in of_kind(documents, "ExternalSecret")
    }
    if overlay == "dev":  # where Strimzi is in our own namespace
        users = {each["metadata"]["name"] for each in of_kind(documents, "KafkaUser")}
        secrets |= {user: {"user.crt", "user.key"} for user in users} | {"kafka-cluster-ca-cert": {"ca.crt"}}
    for workload, container in containers(documents):
        for source in container.get("envFrom", []):
            assert source["configMapRef"]["name"] in configs
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            assert secret is None or secret["key"] in secrets[secret["name"]], variable
        for volume in pod(workload)["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in configs
            if "secret" in volume:
                assert {item["key"] for item in volume["secret"]["items"]} <= secrets[volume["secret"]["secretName"]]
            for source in volume.get("projected", {}).get("sources", []):
                assert {item["key"] for item in source["secret"]["items"]} <= secrets[source["secret"]["name"]]
