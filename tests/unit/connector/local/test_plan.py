from __future__ import annotations

from pathlib import Path

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.local.plan import (
    FAULTS,
    Plan,
    connector_environment,
    first_order,
    lasting_data_dir,
    provider_environment,
    simulator_command,
    worker_environment,
)
from connector.simulator.scenario import parse_scenario

ENVIRONMENT = {
    "PATH": "/bin",
    "WALLETS_FILE": "mine.txt",
    "PROVIDER": "dome",
    "API_KEY": "s3cret",
    "RULES": "r.yaml",
    "REST_URL": "https://mine",
    "VERIFY_INTERVAL": "60",
}


def test_the_connector_watches_the_simulator_and_nothing_else() -> None:
    """Settings of somebody's real connector neither reach the simulator nor add wallets; patience is theirs to set."""
    plan = Plan(prefix="p.", partitions=3)
    environment = connector_environment(plan, ENVIRONMENT, kafka="k:1", simulator="s:2", wallets=["a", "b"])
    assert environment["WALLETS"] == "a,b"
    assert environment["WS_URL"] == "ws://s:2/{key}"
    assert environment["PROVIDER"] == "simulator"
    assert environment["API_KEY"] != "s3cret"
    assert "WALLETS_FILE" not in environment
    assert "REST_URL" not in environment
    assert (environment["SETTLE"], environment["VERIFY_INTERVAL"]) == ("3", "60")
    assert environment["PATH"] == "/bin"


def test_worker_and_connector_agree_on_topics() -> None:
    """Prefix, partitions and cluster are the same for both, and the worker's group is the plan's."""
    plan = Plan(prefix="p.", partitions=3)
    worker = worker_environment(plan, ENVIRONMENT, kafka="k:1")
    connector = connector_environment(plan, ENVIRONMENT, kafka="k:1", simulator="s:2", wallets=[])
    for name in ("KAFKA", "TOPIC_PREFIX", "PARTITIONS"):
        assert worker[name] == connector[name]
    assert (worker["TOPIC_PREFIX"], worker["PARTITIONS"]) == ("p.", "3")
    assert plan.group == worker["TOPIC_PREFIX"] + worker["GROUP_ID"]
    assert worker["RULES"] == str(Path("r.yaml").absolute())


def test_the_connector_alone_serves_its_status() -> None:
    """Both read the same environment and `.env`, and one of them would find the address taken."""
    environment = ENVIRONMENT | {"STATUS_ADDRESS": "127.0.0.1:9464"}
    plan = Plan(prefix="p.", partitions=3)
    assert provider_environment(plan, environment, kafka="k:1")["STATUS_ADDRESS"] == "127.0.0.1:9464"
    assert worker_environment(plan, environment, kafka="k:1")["STATUS_ADDRESS"] == ""


def test_real_settings_reach_the_connector_alone() -> None:
    """It has them all, on our cluster and with a log that can be read; the worker is not given the key."""
    plan = Plan(prefix="p.", partitions=3)
    connector = provider_environment(plan, ENVIRONMENT | {"LOG_LEVEL": "error"}, kafka="k:1")
    assert connector.items() >= {**ENVIRONMENT, "KAFKA": "k:1", "PARTITIONS": "3", "LOG_LEVEL": "info"}.items()
    assert "s3cret" not in worker_environment(plan, ENVIRONMENT, kafka="k:1").values()


def test_lasting_data_is_where_the_user_keeps_data() -> None:
    """XDG_DATA_HOME, or its default when it is unset or empty."""
    default = Path("/h/.local/share/walletstream/kafka")
    assert lasting_data_dir({"XDG_DATA_HOME": "/d"}, Path("/h")) == Path("/d/walletstream/kafka")
    assert lasting_data_dir({"XDG_DATA_HOME": ""}, Path("/h")) == lasting_data_dir({}, Path("/h")) == default


def test_the_market_waits_until_everything_is_ready() -> None:
    """The simulator starts paused, on a free port; a scenario is passed as an absolute path."""
    command = simulator_command(Plan(scenario=Path("faults.yaml")))
    assert "--paused" in command
    assert command[command.index("--port") + 1] == "0"
    assert command[command.index("--scenario") + 1] == str(Path("faults.yaml").absolute())
    assert "--scenario" not in simulator_command(Plan())


def test_the_first_order_is_one_that_the_contract_accepts() -> None:
    """The simulator adds the time; nothing else is missing, and each run's is another order."""
    wallet = "0x" + "ab" * 20
    first, second = (parse_order(first_order(wallet, f"0x{n:064x}") | {"timestamp": 1_700_000_000}) for n in (1, 2))
    assert first.user == wallet
    assert content_id(first) != content_id(second)
    assert first.extra == {}


def test_the_faults_of_the_demo_are_ones_that_the_simulator_knows() -> None:
    """Every one goes on until it is cleared."""
    scenario = parse_scenario(FAULTS.read_text("utf-8"))
    assert scenario.faults
    assert all(fault.times is None for fault in scenario.faults)
