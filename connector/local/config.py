"""Settings of a single-node Kafka on the loopback interface, and the command lines of its Java programs. Pure."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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

_SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_SCRAM_ITERATIONS = 4096


class Ports(NamedTuple):
    """Ports of one broker, all on the loopback interface."""

    client: int
    controller: int
    proxied: int
    """Where a proxy connects to."""
    proxy: int
    """What clients of `proxied` are told: the proxy's own port."""
    secure: int = 0
    """Of the secure listener, where there is one."""


class SecureListener(NamedTuple):
    """A further listener of the broker: TLS, and one user that proves itself by SCRAM-SHA-512."""

    pem: Path
    """Private key (PKCS #8) and certificate chain of `HOST`."""
    username: str
    password: str
    """Known to a broker from the moment its storage is formatted."""


def server_properties(
    ports: Ports, log_dir: Path, secure: SecureListener | None = None, more: Mapping[str, str] | None = None
) -> str:
    """Return the broker's configuration file; `more` settings replace those of the same name."""
    settings = {
        **_FIXED,
        "log.dirs": log_dir.as_posix(),
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": (
            f"CLIENT://{HOST}:{ports.client},PROXIED://{HOST}:{ports.proxied},CONTROLLER://{HOST}:{ports.controller}"
        ),
        "advertised.listeners": f"CLIENT://{HOST}:{ports.client},PROXIED://{HOST}:{ports.proxy}",
    }
    if secure is not None:
        address = f",SECURE://{HOST}:{ports.secure}"
        settings |= {
            "listener.security.protocol.map": settings["listener.security.protocol.map"] + ",SECURE:SASL_SSL",
            "listeners": settings["listeners"] + address,
            "advertised.listeners": settings["advertised.listeners"] + address,
            "listener.name.secure.ssl.keystore.type": "PEM",
            "listener.name.secure.ssl.keystore.location": secure.pem.as_posix(),
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{_SCRAM_MODULE} required;",
        }
    return "".join(f"{name}={value}\n" for name, value in {**settings, **(more or {})}.items())


def scram_user(secure: SecureListener, salt: bytes) -> str:
    """Return what the storage tool is told of the user: no password, since anybody can see a command line."""
    salted = hashlib.pbkdf2_hmac("sha512", secure.password.encode(), salt, _SCRAM_ITERATIONS)
    fields = (
        f"name={secure.username}",
        f"iterations={_SCRAM_ITERATIONS}",
        f'salt="{base64.b64encode(salt).decode()}"',
        f'saltedpassword="{base64.b64encode(salted).decode()}"',
    )
    return f"SCRAM-SHA-512=[{','.join(fields)}]"


def java_command(java: Path, jars: Iterable[Path], main: str, *args: str, options: Sequence[str] = ()) -> list[str]:
    """Return the command line of a Java program from these jars, with the least start-up work."""
    classpath = os.pathsep.join(map(str, jars))
    quick = ("-Xshare:auto", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true")
    return [str(java), *quick, *options, "-cp", classpath, main, *args]


BROKER_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")
TOOL_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
