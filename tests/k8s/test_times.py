"""How long pods are given to end, against how long the code takes at most."""

from __future__ import annotations

from connector import service
from connector.kafka import closing
from connector.process import status
from connector.replica import membership
from connector.settings import Settings as ConnectorSettings
from streams.settings import Settings as StreamsSettings
from streams.shards import kafka, owner
from streams.transport import driver, in_loop
from tests.support.manifests import named, written

SPARE_S = 5
"""For the interpreter's end, and a busy node."""
START_S = 15
"""For a pod to be scheduled on a node that has the image, and its process to join the group."""


def default(kind: type[ConnectorSettings | StreamsSettings], name: str) -> float:
    """Return a setting's default."""
    return float(kind.model_fields[name].default)


def pod(kind: str, name: str) -> tuple[float, dict[str, str]]:
    """Return the grace that a pod is given, less what preStop takes, and the values of its variables."""
    spec = named(written("base", f"{name}.yaml"), kind, name)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    values = {variable["name"]: variable["value"] for variable in container["env"] if "value" in variable}
    return spec["terminationGracePeriodSeconds"] - slept, values


def connector_end_s() -> float:
    """Return how long a connector takes to end at most."""
    drain = default(ConnectorSettings, "drain_timeout")
    return drain + membership._STOP_TIMEOUT + service._STOP_PRODUCER + status._GRACE_S + closing.CLOSE_TIMEOUT_S


def streams_end_s() -> float:
    """Return how long a worker takes to end at most."""
    release = default(StreamsSettings, "rebalance_timeout") / 3
    clients = kafka.CLOSE_TIMEOUT_S + driver.HINT_TIMEOUT_S + in_loop.LEAVE_TIMEOUT_S
    return release + owner.CANCEL_TIMEOUT_S + clients + status._GRACE_S


def test_pods_are_not_killed_while_they_drain() -> None:
    """SIGKILL amid a drain costs orders, which REST brings later, or work that is done again."""
    for name, end_s in (("connector", connector_end_s()), ("streams", streams_end_s())):
        grace, values = pod("StatefulSet", name)
        assert not {"DRAIN_TIMEOUT", "REBALANCE_TIMEOUT"} & values.keys()  # or the sums above are others
        assert grace >= end_s + SPARE_S, name


def test_a_restart_is_over_before_the_group_gives_the_partitions_away() -> None:
    """Static membership helps for as long as the session lasts."""
    for name, end_s in (("connector", connector_end_s()), ("streams", streams_end_s())):
        _, values = pod("StatefulSet", name)
        assert float(values["SESSION_TIMEOUT"]) >= end_s + START_S, name


def test_viewers_are_sent_elsewhere_before_the_board_ends() -> None:
    """It goes on serving until nobody is sent to it any more, and ends the streams of those who are there."""
    grace, _ = pod("Deployment", "board")
    assert grace >= status._GRACE_S + closing.CLOSE_TIMEOUT_S + SPARE_S
