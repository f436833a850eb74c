"""Settings of a single-node Kafka on the loopback interface, and the command lines of its Java programs. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

HOST = "127.0.0.1"
CLUSTER_ID = "d2FsbGV0c3RyZWFtLWxvY2"  # 16 bytes in base 64, as Kafka wants it

_FIXED = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENT",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics are made by whoever owns them, with the contract's settings, never by a typo.
    "auto.create.topics.enable": "false",
    # One node: nothing to replicate to, few partitions to open.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A first member need not wait for others; tests may use short sessions.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After a kill the same broker registers again once its former session is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # A small heap: the default dedupe buffer alone is 128 MB.
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
}


class Ports(NamedTuple):
    """Ports of one broker, all on the loopback interface."""

    client: int
    controller: int
    proxied: int
    """Where a proxy connects to."""
    proxy: int
    """What clients of `proxied` are told: the proxy's own port."""


def server_properties(ports: Ports, log_dir: Path) -> str:
    """Return the broker's configuration file."""
    settings = {
        **_FIXED,
        "log.dirs": log_dir.as_posix(),
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": (
            f"CLIENT://{HOST}:{ports.client},PROXIED://{HOST}:{ports.proxied},CONTROLLER://{HOST}:{ports.controller}"
        ),
        "advertised.listeners": f"CLIENT://{HOST}:{ports.client},PROXIED://{HOST}:{ports.proxy}",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_command(java: Path, jars: Iterable[Path], main: str, *args: str, options: Sequence[str] = ()) -> list[str]:
    """Return the command line of a Java program from these jars, with the least start-up work."""
    classpath = os.pathsep.join(map(str, jars))
    quick = ("-Xshare:auto", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true")
    return [str(java), *quick, *options, "-cp", classpath, main, *args]


BROKER_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")
TOOL_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
