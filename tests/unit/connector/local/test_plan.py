from __future__ import annotations

from pathlib import Path

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.local.plan import Plan, connector_environment, first_order, simulator_command, worker_environment

ENVIRONMENT = {"PATH": "/bin", "WALLETS_FILE": "mine.txt", "PROVIDER": "dome", "API_KEY": "s3cret", "RULES": "r.yaml"}


def test_the_connector_watches_the_simulator_and_nothing_else() -> None:
    """Settings of somebody's real connector neither reach the simulator nor add wallets."""
    plan = Plan(prefix="p.", partitions=3)
    environment = connector_environment(plan, ENVIRONMENT, kafka="k:1", simulator="s:2", wallets=["a", "b"])
    assert environment["WALLETS"] == "a,b"
    assert environment["WS_URL"] == "ws://s:2/{key}"
    assert environment["PROVIDER"] == "simulator"
    assert environment["API_KEY"] != "s3cret"
    assert "WALLETS_FILE" not in environment
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
    assert worker["RULES"] == "r.yaml"


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
