"""What runs, with which settings: command lines and environments of the processes. Pure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.contract.topics import DEFAULT_PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

KEY = "dev-local"
"""Of the simulator; the dev tier takes 500 wallets in one subscription."""

MOST_WALLETS = 500

FAULTS = Path(__file__).with_name("faults.yaml")
"""The scenario of a demonstration in which everything goes wrong."""

_ALL_SAID = {"LOG_FORMAT": "json", "LOG_LEVEL": "info"}
"""The connector's state is read from its log."""
_NOT_PASSED = (
    *("WALLETS_FILE", "MAX_SUBSCRIPTIONS", "MAX_WALLETS_EACH", "HEALTH_PORT", "METRICS_PORT"),
    *("REST_URL", "REPLICA", "REPLICAS", "MIRROR_API_KEY", "MIRROR_PROVIDER", "MIRROR_WS_URL", "MIRROR_TIER"),
)
"""Settings of somebody's real connector that have no place beside a simulator."""

_QUICK = {
    "CHECKPOINT_INTERVAL": "1",
    "SETTLE": "3",
    "VERIFY_INTERVAL": "15",
    "PING_INTERVAL": "1",
    "IDLE_TIMEOUT": "4",
    "BACKOFF_CAP": "2",
}
"""What a demonstration has no patience for; the environment wins."""


class Plan(NamedTuple):
    """One run of the whole system."""

    kafka: str | None = None
    """`host:port` of an existing cluster; None starts one."""
    data_dir: Path | None = None
    """Where our own Kafka keeps its data; None: a temporary folder."""
    prefix: str = ""
    """Of topics and groups."""
    partitions: int = DEFAULT_PARTITIONS
    port: int = 0
    """Of our own Kafka; 0: a free one."""
    rate: float = 50.0
    """Orders per second that the market generates."""
    wallets: int = 200
    """Wallets watched, the busiest."""
    seed: int = 1
    scenario: Path | None = None
    """Faults of the simulator."""
    security: Mapping[str, Any] = {}
    """Options of our own clients of Kafka; the processes read theirs from the environment."""

    @property
    def group(self) -> str:
        """The workers' group, as Kafka knows it."""
        return f"{self.prefix}{_GROUP}"


_GROUP = "walletstream"


def simulator_command(plan: Plan) -> list[str]:
    """Return the command of a simulator that waits for `play`: recorded orders ten times as fast, and a market."""
    command = [sys.executable, "-m", "connector.simulator", "--port", "0", "--paused"]
    command += ["--replay", "recorded", "--speed", "10", "--rebase", "now", "--set", "recorded_indexes=true"]
    command += ["--market", str(plan.seed), "--rate", str(plan.rate)]
    return command if plan.scenario is None else [*command, "--scenario", str(plan.scenario.absolute())]


def connector_command() -> list[str]:
    """Return the connector's command."""
    return [sys.executable, "-m", "connector"]


def worker_command() -> list[str]:
    """Return the streams worker's command."""
    return [sys.executable, "-m", "streams", "worker"]


def connector_environment(
    plan: Plan, environment: Mapping[str, str], *, kafka: str, simulator: str, wallets: Sequence[str]
) -> dict[str, str]:
    """Return the connector's whole environment; `simulator` and `kafka` are `host:port`."""
    return (
        _QUICK
        | _common(plan, environment, kafka, leave_out=_NOT_PASSED)
        | {
            **_ALL_SAID,
            "PROVIDER": "simulator",
            "API_KEY": KEY,
            "TIER": "dev",
            "WS_URL": f"ws://{simulator}/{{key}}",
            "WALLETS": ",".join(wallets),
        }
    )


def provider_environment(plan: Plan, environment: Mapping[str, str], *, kafka: str) -> dict[str, str]:
    """Return the whole environment of a connector with somebody's real settings."""
    return _common(plan, environment, kafka) | _ALL_SAID


def worker_environment(plan: Plan, environment: Mapping[str, str], *, kafka: str) -> dict[str, str]:
    """Return the worker's whole environment, without the key, which is not its business."""
    worker = _common(plan, environment, kafka, leave_out=("API_KEY", *_NOT_PASSED))
    worker |= {"GROUP_ID": _GROUP, "STATUS_ADDRESS": ""}  # the connector serves there; two cannot
    if worker.get("RULES"):
        worker["RULES"] = str(Path(worker["RULES"]).absolute())  # it may run in another folder
    return worker


def lasting_data_dir(environment: Mapping[str, str], home: Path) -> Path:
    """Return this user's folder for a Kafka whose topics outlive a restart."""
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "walletstream" / "kafka"


def first_order(wallet: str, tx_hash: str) -> dict[str, str | int | float]:
    """Return a tiny order, executed to see that the whole path works before the market opens."""
    return {
        "user": wallet,
        "token_id": "1",
        "token_label": "Yes",
        "side": "BUY",
        "market_slug": "first-order",
        "condition_id": f"0x{1:064x}",
        "title": "The first order of this run",
        "shares": 1_000_000,
        "shares_normalized": 1.0,
        "price": 0.5,
        "tx_hash": tx_hash,
        "block_number": 1,
        "log_index": 0,
    }


def _common(
    plan: Plan, environment: Mapping[str, str], kafka: str, *, leave_out: Collection[str] = ()
) -> dict[str, str]:
    inherited = {name: value for name, value in environment.items() if name.upper() not in leave_out}
    return inherited | {"KAFKA": kafka, "TOPIC_PREFIX": plan.prefix, "PARTITIONS": str(plan.partitions)}
