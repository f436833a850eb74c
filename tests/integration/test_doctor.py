"""`python -m connector doctor` on a simulator and a real Kafka: that all is well, and each thing that can be wrong."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from connector.contract.topics import CONNECTOR_TOPICS, ORDERS, WATCHLIST
from connector.contract.watch import WatchRecord
from connector.doctor.command import examined
from connector.kafka.admin import admin_client, ensure_topics
from connector.kafka.reader import end_offsets
from connector.kafka.settings import KafkaSettings
from connector.settings import Settings
from connector.simulator import Config, Simulator
from connector.simulator.faults import Fault
from connector.watch.store import WatchStore
from tests.support.child import started
from tests.support.manifests import written
from tests.support.pki import PASSWORD, Pki, variables
from tests.support.rights import certificates, grant, rights, strict_broker
from tests.support.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from connector.doctor.checks import Check
    from connector.local.broker import LocalKafka

KEY = "dev-s3cr3t-k3y"
PARTITIONS = 4
USER = "walletstream-connector"


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """Return a simulator where nothing happens."""
    async with Simulator(Config(paused=True)) as running:
        yield running


def variables_of(kafka: LocalKafka, prefix: str, simulator: Simulator) -> dict[str, str]:
    """Return the settings of a connector, in its words."""
    return {
        "provider": "simulator",
        "tier": "dev",
        "api_key": KEY,
        "ws_url": f"ws://127.0.0.1:{simulator.port}/{{key}}",
        "kafka": kafka.bootstrap,
        "topic_prefix": prefix,
        "partitions": str(PARTITIONS),
    }


class Patient:
    """Settings, and what the doctor says of them."""

    def __init__(self, kafka: LocalKafka, prefix: str, simulator: Simulator) -> None:
        self._parts = kafka, prefix, simulator
        self.topics = [spec.prefixed(prefix) for spec in CONNECTOR_TOPICS]
        self.kafka = kafka
        self.prefix = prefix

    async def examined(self, changes: Mapping[str, str] | None = None, *, socket: bool = False) -> dict[str, Check]:
        """Return the checks by name, without the prefix, with these settings changed."""
        settings = Settings.model_validate(variables_of(*self._parts) | dict(changes or {}))
        found = [check async for check in examined(settings, settings, socket=socket)]
        assert not any(KEY in f"{check.seen}{check.remedy}" for check in found)
        return {check.name.replace(self.prefix, ""): check for check in found}

    async def faults(self, **changes: str) -> dict[str, str]:
        """Return what is neither ok nor left out, and how bad it is."""
        found = await self.examined(changes)
        return {name: check.status for name, check in found.items() if check.status in ("warn", "fail")}

    async def when_ok(self, name: str, changes: Mapping[str, str]) -> dict[str, Check]:
        """Look until one thing is well: a broker takes rights up a moment after it was told of them."""
        async with asyncio.timeout(60):
            while (found := await self.examined(changes))[name].status != "ok":  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0.1)
        return found

    async def prepare(self, wallets: int = 1) -> None:
        """Create the topics, and put wallets on the list."""
        await ensure_topics(self.kafka.bootstrap, self.topics, partitions=PARTITIONS)
        settings = KafkaSettings.model_validate({"kafka": self.kafka.bootstrap, "topic_prefix": self.prefix})
        listed = [f"0x{number:040x}" for number in range(1, wallets + 1)]
        await WatchStore(settings).write({wallet: WatchRecord(wallet=wallet) for wallet in listed})


@pytest.fixture
def patient(kafka: LocalKafka, topic_prefix: str, simulator: Simulator) -> Patient:
    """Return somebody who may be ill."""
    return Patient(kafka, topic_prefix, simulator)


async def test_before_the_first_start_all_is_well_but_that_nobody_is_watched(patient: Patient) -> None:
    """Topics that the connector may make are no fault, and looking does not make them."""
    found = await patient.examined()
    assert {name for name, check in found.items() if check.status != "ok"} == {"may read", "may write", "quota"}
    assert "the connector makes it" in found["topic orders.v1"].seen
    async with admin_client(patient.kafka.bootstrap, {}) as admin:
        assert not {topic.name for topic in patient.topics} & set(await admin.list_topics())


async def test_looking_at_rights_writes_nothing(patient: Patient) -> None:
    """Not a record more, and no offset of the group."""
    await patient.prepare(wallets=3)
    before = {spec.name: await end_offsets(patient.kafka.bootstrap, spec.name) for spec in patient.topics}
    found = await patient.examined()
    assert {check.status for check in found.values()} == {"ok"}, found
    assert (found["may read"].seen, found["may write"].seen) == ("3 topics", "4 topics")
    assert found["quota"].seen == "3 wallets: 1 of 500 subscriptions, 500 wallets each"
    assert before == {spec.name: await end_offsets(patient.kafka.bootstrap, spec.name) for spec in patient.topics}
    async with admin_client(patient.kafka.bootstrap, {}) as admin:
        assert not await admin.list_consumer_group_offsets(f"{patient.prefix}walletstream-connector")


async def test_a_key_that_is_turned_away(patient: Patient) -> None:
    """By REST and by the socket; the rest goes on being looked at."""
    await patient.prepare()
    assert await patient.faults(api_key="bad-k3y") == {"API_KEY": "fail", "rest": "fail", "websocket": "fail"}


async def test_each_key_is_asked_about(patient: Patient) -> None:
    """All of this replica's, by number."""
    await patient.prepare()
    faults = await patient.faults(api_key=f"{KEY},bad-k3y")
    assert faults == {"API_KEY 2": "fail", "rest 2": "fail", "websocket 2": "fail"}


async def test_a_wrong_port_and_a_closed_kafka(patient: Patient) -> None:
    """Both are looked at, whatever is wrong with the other."""
    found = await patient.examined({"ws_url": "ws://127.0.0.1:1/{key}", "kafka": "127.0.0.1:2"})
    failed = {name for name, check in found.items() if check.status == "fail"}
    assert failed == {"tcp 127.0.0.1:1", "rest", "tcp 127.0.0.1:2", "kafka", "websocket"}
    assert found["kafka"].seen == "no Kafka answers at 127.0.0.1:2"
    assert found["tcp 127.0.0.1:2"].seen == "no connection: Connection refused"
    assert found["clock"].status == "skip"


async def test_brokers_that_are_not_where_they_say(patient: Patient) -> None:
    """The address in KAFKA works, and what the brokers advertise does not: the usual fault of Docker and of tunnels."""
    found = await patient.examined({"kafka": f"127.0.0.1:{patient.kafka.ports.proxied}"})
    nowhere = found[f"tcp 127.0.0.1:{patient.kafka.ports.proxy}"]
    assert nowhere.status == "fail"
    assert "advertised.listeners" in nowhere.remedy


async def test_a_name_that_nobody_knows(patient: Patient) -> None:
    """`.invalid` never is one."""
    found = await patient.examined({"ws_url": "wss://nowhere.invalid/{key}", "rest_url": "https://nowhere.invalid"})
    assert (found["dns nowhere.invalid"].status, found["tcp nowhere.invalid:443"].status) == ("fail", "skip")


async def test_topics_that_are_otherwise_than_the_contract(patient: Patient) -> None:
    """Partitions and settings; the others are still looked at."""
    await patient.prepare()
    found = await patient.examined({"partitions": "8"})
    assert sum(check.status == "fail" for check in found.values()) == len(patient.topics)
    assert found["topic orders.v1"].remedy.startswith("set PARTITIONS=4")
    other = Patient(patient.kafka, f"{patient.prefix}other.", patient._parts[2])
    short = type(ORDERS)(name=other.prefix + ORDERS.name, key="", owner="connector", doc="", retention_ms=60_000)
    await ensure_topics(patient.kafka.bootstrap, [short], partitions=PARTITIONS)
    assert (await other.faults())["topic orders.v1"] == "fail"


async def test_topics_that_could_not_be_created(patient: Patient) -> None:
    """More replicas than brokers: told before the connector stumbles over it."""
    found = await patient.examined({"replication": "3"})
    assert found["topic orders.v1"].status == "fail"
    assert "set REPLICATION" in found["topic orders.v1"].remedy


@pytest.mark.parametrize(("ahead_s", "status"), [(10, "warn"), (-300, "fail")])
async def test_a_clock_that_differs(kafka: LocalKafka, topic_prefix: str, ahead_s: int, status: str) -> None:
    """Told from the provider's `Date`, by REST and by the handshake."""
    async with Simulator(Config(paused=True), clock_ns=lambda: time.time_ns() + ahead_s * 10**9) as skewed:
        patient = Patient(kafka, topic_prefix, skewed)
        await patient.prepare()
        assert await patient.faults() == {"clock": status}


async def test_more_wallets_than_the_quota_has_room_for(patient: Patient) -> None:
    """Those of the settings count too."""
    await patient.prepare(wallets=10)
    assert await patient.faults(tier="free", api_key="free-k3y") == {}
    more = await patient.examined({"tier": "free", "api_key": "free-k3y", "wallets": f"0x{'f' * 40}"})
    assert more["quota"].seen.startswith("11 wallets: 3 of 2 subscriptions, 5 wallets each: 1 find no room")
    assert more["quota"].status == "fail"


async def test_a_provider_in_trouble_is_warned_of(kafka: LocalKafka, topic_prefix: str) -> None:
    """It passes, and gaps wait for it."""
    faults = (Fault(kind="rest_status", status=503), Fault(kind="refuse", status=429))
    async with Simulator(Config(paused=True, faults=faults)) as simulator:
        patient = Patient(kafka, topic_prefix, simulator)
        await patient.prepare()
        assert await patient.faults() == {"rest": "warn", "websocket": "warn"}


async def test_certificates(patient: Patient, pki: Pki, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an unknown authority, then of one that the environment names; at this point nothing else is wrong."""
    await patient.prepare()
    async with TlsProxy(pki.server, simulator.port) as proxy:
        urls = {"ws_url": f"wss://127.0.0.1:{proxy.port}/{{key}}", "rest_url": f"http://127.0.0.1:{simulator.port}"}
        found = await patient.examined(urls)
        assert "not trusted" in found[f"tls 127.0.0.1:{proxy.port}"].seen
        assert found["websocket"].status == "fail"
        monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
        found = await patient.examined(urls)
        assert "trusted, expires in" in found[f"tls 127.0.0.1:{proxy.port}"].seen
        assert found["websocket"].status == "ok"


async def test_a_kafka_with_tls_and_scram(patient: Patient, pki: Pki) -> None:
    """Its certificate is looked at, and a wrong password is told as such, without it."""
    await patient.prepare()
    secured = {"kafka": patient.kafka.secure_bootstrap} | {
        name.lower(): value for name, value in variables(pki).items()
    }
    found = await patient.examined(secured)
    assert found["kafka"].seen == "1 broker by SASL_SSL"
    assert "trusted" in found[f"tls {patient.kafka.secure_bootstrap}"].seen
    assert found["may write"].status == "ok"
    found = await patient.examined(secured | {"kafka_password": "wr0ng-pa55"})
    assert "refuses the user" in found["kafka"].seen + found["kafka"].remedy
    assert "wr0ng" not in repr(found)
    found = await patient.examined(secured | {"kafka_ca_file": str(pki.stranger)})
    assert found[f"tls {patient.kafka.secure_bootstrap}"].status == found["kafka"].status == "fail"
    await asyncio.sleep(0.2)  # asyncio takes leave of TLS peers in callbacks


async def test_while_a_connector_runs_no_socket_is_opened(patient: Patient) -> None:
    """A provider may count them; asked to, it opens one all the same. Two members of one key are noticed."""
    await patient.prepare()
    group = f"{patient.prefix}walletstream-connector"
    options = {"bootstrap_servers": patient.kafka.bootstrap, "group_id": group}
    topic = patient.prefix + WATCHLIST.name
    async with AIOKafkaConsumer(topic, client_id="connector-0", **options) as first:
        await first.getmany(timeout_ms=0)
        found = await patient.examined()
        assert "1 in the group" in found["connectors"].seen
        assert "connector-0" in found["connectors"].seen
        assert found["websocket"].status == "skip"
        assert (await patient.examined(socket=True))["websocket"].status == "ok"
        async with AIOKafkaConsumer(topic, client_id="connector-1", **options):
            assert (await patient.faults())["keys shared"] == "warn"


async def doctor(folder: Path, settings: dict[str, str], *options: str) -> tuple[int | None, str]:
    """Run the command with these settings and no others; return its exit code and all it said."""
    async with started(folder, "connector", "doctor", *options, settings=settings) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def test_the_command_tells_people_and_programs(
    patient: Patient, kafka: LocalKafka, simulator: Simulator, tmp_path: Path
) -> None:
    """With exit codes, without secrets, and with all that can be looked at when settings are wrong."""
    settings = variables_of(kafka, patient.prefix, simulator)
    code, said = await doctor(tmp_path, settings | {"api_key": "bad-k3y-0f-mine"}, "--json")
    told = json.loads(said)
    assert (code, told["exit_code"], told["outcome"]) == (1, 1, "fail")
    assert "k3y-0f-mine" not in said
    code, said = await doctor(tmp_path, settings | {"kafka_password": PASSWORD, "provider": "dome"})
    assert code == 2
    assert said.startswith("fail  settings")
    assert "KAFKA_PASSWORD ('***')" in said
    assert PASSWORD not in said
    assert said.splitlines()[-1] == "1 failed, 2 not checked"
    del settings["api_key"], settings["provider"]
    code, said = await doctor(tmp_path, settings)
    assert code == 2
    assert "API_KEY (not set)" in said
    assert "ok    kafka" in said


@pytest.mark.slow
async def test_rights_that_are_missing(simulator: Simulator, tmp_path: Path) -> None:
    """The rights that our manifests grant are enough; without one of them, each finding names what to grant."""
    granted = {right for right in rights(written("kafka", "users.yaml")) if right.user == USER}
    async with strict_broker(tmp_path) as kafka:
        patient = Patient(kafka, "", simulator)
        await patient.prepare()
        mounted = certificates(tmp_path, USER)
        entering = {
            "kafka": kafka.secure_bootstrap,
            "kafka_security_protocol": "SSL",
            "kafka_ca_file": str(mounted / "ca.crt"),
            "kafka_cert_file": str(mounted / "user.crt"),
            "kafka_key_file": str(mounted / "user.key"),
        }
        nothing = await patient.examined(entering)
        assert nothing["topic orders.v1"].status == "fail"
        assert "may not create it" in nothing["topic orders.v1"].seen
        assert nothing["may join"].status == nothing["connectors"].status == "fail"
        missing = {("orders.v1", "Read"), ("gaps.v1", "Write"), ("coverage.v1", "DescribeConfigs")}
        last = {right for right in granted if right.resource == "group"}  # so that it tells of all the others
        for some_rights in (granted - last, last):
            await grant(
                kafka.bootstrap, (right for right in some_rights if (right.name, right.operation) not in missing)
            )
        some = await patient.when_ok("may join", entering)
        assert some["may read"].remedy.endswith("--operation Read --topic orders.v1")
        assert some["topic coverage.v1"].status == "warn"
        assert "gaps.v1" in some["topic gaps.v1"].remedy
        assert some["may join"].status == "ok"
        await grant(kafka.bootstrap, (right for right in granted if (right.name, right.operation) in missing))
        found = await patient.when_ok("topic gaps.v1", entering)
        assert {name for name, check in found.items() if check.status != "ok"} == set(), found
        await asyncio.sleep(0.2)  # asyncio takes leave of TLS peers in callbacks
