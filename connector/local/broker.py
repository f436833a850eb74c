"""A real Apache Kafka on this machine: KRaft, one node, loopback only. Shell."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from connector.local.config import (
    BROKER_OPTIONS,
    CLUSTER_ID,
    HOST,
    TOOL_OPTIONS,
    Ports,
    java_command,
    scram_user,
    server_properties,
)
from connector.local.errors import ProcessFailed
from connector.local.jars import jars_of
from connector.local.java import find_java
from connector.local.ports import port_of, reserve
from connector.local.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from connector.local.config import SecureListener

_READY_TIMEOUT_S = 100.0
_FORMAT_TIMEOUT_S = 60.0
_STOP_GRACE_S = 15.0


class LocalKafka:
    """
    One broker; `async with LocalKafka() as kafka: kafka.bootstrap`.

    Args:
        data_dir: where topics and logs are kept; None: a temporary folder, removed at the end.
        port: the port for clients; 0: a free one.
        proxy_port: the port of a proxy in front of `proxied`, advertised to the clients that come through it;
            0: a free one, held for the proxy.
        secure: a further listener, with TLS and SCRAM, at `secure_bootstrap`; the user is made with the data.
        more: further settings of the broker; they replace ours of the same name.
        levels: of the broker's loggers, by name.

    Ports and data stay the same over `restart()`, and over `kill()` or `stop()` followed by `start()`.
    It is bound to no event loop, so that tests with loops of their own may share one broker.
    """

    def __init__(
        self,
        *,
        data_dir: Path | None = None,
        port: int = 0,
        proxy_port: int = 0,
        secure: SecureListener | None = None,
        more: Mapping[str, str] | None = None,
        levels: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="walletstream-kafka-"))
        self._held = ExitStack()
        numbers = [port_of(self._held.enter_context(reserve(number))) for number in (port, 0, 0, proxy_port, 0)]
        self.ports = Ports(*numbers)
        self._secure = secure
        self._more = more
        self._levels = levels
        self._process: Process | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.ports.client}"

    @property
    def secure_bootstrap(self) -> str:
        """`host:port` for clients with TLS and SCRAM."""
        return f"{HOST}:{self.ports.secure}"

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self.data_dir / "kafka.log"

    @property
    def process(self) -> Process:
        """The running broker; an error when there is none."""
        if self._process is None:
            raise ProcessFailed("the local Kafka is not running: call start() first")
        return self._process

    async def start(self) -> None:
        """
        Start the broker and wait until it serves.

        Raises:
            LocalError: no Java, a failed download, or a broker that did not come up, with its log.
        """
        jars, java = await asyncio.gather(asyncio.to_thread(jars_of, "kafka"), asyncio.to_thread(find_java))
        self.data_dir.mkdir(parents=True, exist_ok=True)
        properties = self.data_dir / "server.properties"
        properties.write_text(server_properties(self.ports, self.data_dir / "topics", self._secure, self._more))
        options = (logging_option(self.data_dir, self._levels),)
        if not (self.data_dir / "topics" / "meta.properties").exists():
            arguments = ["format", "--cluster-id", CLUSTER_ID, "--config", str(properties)]
            if self._secure is not None:
                arguments += ["--add-scram", scram_user(self._secure, salt=os.urandom(16))]
            await self._format(
                java_command(java, jars, "kafka.tools.StorageTool", *arguments, options=(*TOOL_OPTIONS, *options))
            )
        command = java_command(java, jars, "kafka.Kafka", str(properties), options=(*BROKER_OPTIONS, *options))
        self._process = Process("Kafka", command, log=self.log)
        await self._ready()

    async def _format(self, command: list[str]) -> None:
        tool = Process("Kafka's storage tool", command, log=self.log)
        try:
            code = await asyncio.wait_for(tool.wait(), _FORMAT_TIMEOUT_S)
        finally:
            await tool.kill()
        if code != 0:
            tool.check()

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(_READY_TIMEOUT_S):
                while not await _serves(self.bootstrap):
                    self.process.check()
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            await self.kill()
            raise ProcessFailed(f"Kafka was not ready after {_READY_TIMEOUT_S:.0f} s; its log is {self.log}") from error

    async def stop(self) -> None:
        """Stop the broker cleanly; the data stays."""
        if self._process is not None:
            await self._process.stop(grace_s=_STOP_GRACE_S)
            self._process = None

    async def kill(self) -> None:
        """Kill the broker as a power cut would; the data stays."""
        if self._process is not None:
            await self._process.kill()
            self._process = None

    async def restart(self) -> None:
        """Stop cleanly and start again on the same ports and data."""
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """Stop, give the ports back, and remove the data if it was temporary."""
        await self.stop()
        self._held.close()
        if self._temporary:
            await asyncio.to_thread(shutil.rmtree, self.data_dir, ignore_errors=True)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            self._held.close()  # the data stays: the log says why
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def logging_option(folder: Path, levels: Mapping[str, str] | None = None) -> str:
    """Put log4j's configuration into `folder`, with levels of further loggers, and return the Java option for it."""
    path = folder / "log4j2.properties"
    text = resources.files("connector.local").joinpath("log4j2.properties").read_text("utf-8")
    for number, (logger, level) in enumerate((levels or {}).items()):
        text += f"logger.more{number}.name = {logger}\nlogger.more{number}.level = {level}\n"
    path.write_text(text, "utf-8")
    return f"-Dlog4j2.configurationFile={path.absolute().as_uri()}"


async def _serves(bootstrap: str) -> bool:
    """Whether a broker answers there and counts itself as part of the cluster."""
    host, port = bootstrap.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False  # not listening yet: spares the client library's complaint
    writer.close()
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()
