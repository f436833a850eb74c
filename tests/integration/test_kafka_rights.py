"""
The rights in `k8s/kafka/users.yaml`: enough for the processes as `k8s` starts them, and none of them in vain.

The broker is set up as Strimzi sets one up: client certificates, and whatever is not granted is refused. Its log tells
which right allowed what.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from connector.contract.provenance import Provenance
from connector.contract.record import dead_record, encode
from connector.kafka.reader import read_all
from connector.simulator import Config, Fault, Simulator
from tests.support.child import started
from tests.support.manifests import environment, named, settings_file, written
from tests.support.orders import order_data
from tests.support.rights import Right, certificates, decisions, grant, rights, strict_broker
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PATIENCE_S = 150.0
MOUNTED = "/etc/walletstream/kafka"
SECRETS = {("provider", "api-key"): "dev-a,dev-b", ("board", "token"): "a-token-for-tests"}
RULES = """
rules:
  - {id: any, scope: wallet, severity: info, expr: order.notional > 0.0, message: order, cooldown: 0s}
  - {id: crowd, scope: market, severity: info, expr: market.w1h.orders >= 1, message: orders}
  - {id: trial, scope: wallet, mode: SHADOW, severity: info, expr: order.notional > 0.0, message: order, cooldown: 0s}
"""
RECEIVERS = """
receivers: [{name: away, webhook: {url: "http://127.0.0.1:9/", secret: a-secret-of-tests}, retry_for: 1s}]
route: {receiver: away, group_wait: 0s, group_interval: 1s}
"""
FASTER = {"CHECKPOINT_INTERVAL": "0.5", "SETTLE": "1", "OVERLAP": "5", "BACKOFF_CAP": "0.2", "GRADE_AFTER": "1s"}
"""What a cluster has time for, and a test has not."""


class Cluster:
    """Runs what the manifests describe, as the users whose certificates are mounted, on this machine."""

    def __init__(self, kafka: LocalKafka, simulator: Simulator, folder: Path) -> None:
        self._kafka = kafka
        self._simulator = simulator
        self._folder = folder
        self._mounted: dict[str, Path] = {}
        self.rules = folder / "rules.yaml"
        self.rules.write_text(RULES)
        (folder / "notify.yaml").write_text(RECEIVERS)

    def settings(self, kind: str, name: str) -> dict[str, str]:
        """Return the environment of a container; addresses and folders are those of this machine."""
        pod = named(written("base", f"{name}.yaml"), kind, name)["spec"]["template"]["spec"]
        env = environment(pod["containers"][0], {"settings": settings_file()}, SECRETS, pod=f"{name}-0", index=0)
        (user,) = (
            source["secret"]["name"]
            for volume in pod["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
            if source["secret"]["name"].startswith("walletstream-")
        )
        if user not in self._mounted:
            self._mounted[user] = certificates(self._folder, user)
        here = {variable: value.replace(MOUNTED, str(self._mounted[user])) for variable, value in env.items()}
        return (
            here
            | FASTER
            | {
                "KAFKA": self._kafka.secure_bootstrap,
                "STATUS_ADDRESS": "",
                "PROVIDER": "simulator",
                "WS_URL": self._simulator.ws_url("{key}"),
                "BOARD_ADDRESS": "127.0.0.1:0",
                "NOTIFY_CONFIG": str(self._folder / "notify.yaml"),
                "RULES": str(self.rules),
            }
        )

    @asynccontextmanager
    async def running(self, kind: str, name: str) -> AsyncIterator[None]:
        """Run a container in the meantime; it has to end by itself, and well, when it is told to."""
        pod = named(written("base", f"{name}.yaml"), kind, name)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        log = self._folder / f"{name}.log"
        async with started(self._folder, *container["args"], settings=self.settings(kind, name), log=log) as process:
            yield
            assert process.returncode is None, log.read_text()
            process.terminate()
            code = await asyncio.wait_for(process.wait(), PATIENCE_S)
            assert code == 0, log.read_text()

    async def command(self, *arguments: str) -> str:
        """Run a command in the toolbox."""
        async with started(self._folder, *arguments, settings=self.settings("Deployment", "toolbox")) as process:
            output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 0, (arguments, output.decode())
        return output.decode()


async def test_each_user_may_do_what_it_does_and_nothing_else(tmp_path: Path) -> None:
    """Orders, gaps, dead letters, statistics, alerts, grades: whatever is done is granted, what is granted is done."""
    granted = rights(written("kafka", "users.yaml"))
    async with strict_broker(tmp_path) as kafka, Simulator(Config(market=3, rate=50.0, wallets=20)) as simulator:
        await prepare(kafka.bootstrap, "", int(settings_file()["PARTITIONS"]))
        await grant(kafka.bootstrap, granted)
        cluster = Cluster(kafka, simulator, tmp_path)
        wallets = tmp_path / "wallets.csv"
        wallets.write_text("".join(f"{wallet},,\n" for wallet in simulator.wallets))
        await cluster.command("connector", "watch", "import", str(wallets))
        await cluster.command("connector", "watch", "list")
        await cluster.command("streams", "rules", "apply", str(cluster.rules))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(cluster.running("StatefulSet", "connector"))
            await stack.enter_async_context(cluster.running("StatefulSet", "streams"))
            await stack.enter_async_context(cluster.running("Deployment", "board"))
            await stack.enter_async_context(cluster.running("Deployment", "notify"))
            simulator.inject(Fault(kind="garble", every=100, times=3))
            await write_what_nobody_can_read(kafka)
            for scope in ("wallet", "market"):
                await cluster.command("streams", "explain", await alert_of(kafka, scope))
            await ask(cluster)
            await used_all(kafka, granted)
    found = decisions(kafka.log)
    assert not found.refused
    assert granted <= found.used


async def write_what_nobody_can_read(kafka: LocalKafka) -> None:
    """An order for the workers' dead letters, and a dead letter that can be replayed."""
    frame = {"type": "event", "data": order_data(timestamp=time.time_ns() // 10**9, tx_hash=f"0x{7:064x}")}
    provenance = Provenance(source="ws", provider="dome", received_ns=time.time_ns(), subscription_id="sub_1")
    letter = dead_record(json.dumps(frame).encode(), reason="invalid-order", detail="-", provenance=provenance)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait("orders.v1", b"no order", b"0x0")
        await producer.send_and_wait("orders-dead.v1", encode(letter), b"0x0")


async def alert_of(kafka: LocalKafka, scope: str) -> str:
    """Return the id of an alert about a wallet or a market, once there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for record in await read_all(kafka.bootstrap, "alerts.v1"):
                alert = json.loads(record.value)
                if alert["scope"] == scope:
                    return str(alert["alert_id"])
            await asyncio.sleep(0.5)


async def ask(cluster: Cluster) -> None:
    """Run what people run in the toolbox."""
    await cluster.command("streams", "rules", "list")
    await cluster.command("streams", "rules", "score")
    await cluster.command("connector", "dead", "list")
    await cluster.command("connector", "dead", "replay")


async def used_all(kafka: LocalKafka, expected: set[Right]) -> None:
    """Wait until each right was of use, or something was refused; the time-out names what was granted in vain."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (expected <= (found := decisions(kafka.log)).used or found.refused):  # noqa: ASYNC110  # a file
                await asyncio.sleep(1.0)
    except TimeoutError as error:
        raise AssertionError(f"granted in vain: {sorted(expected - decisions(kafka.log).used)}") from error
