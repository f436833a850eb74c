"""The command line's options. Pure but for the environment, which gives the defaults."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from connector.contract.topics import DEFAULT_PARTITIONS
from connector.local.plan import MOST_WALLETS
from connector.process.exits import DONE, FAILED, INTERRUPTED, USAGE
from connector.process.pages import page

_SETTINGS = "those of the pieces, from the environment: RULES, PARTITIONS, TOPIC_PREFIX, ..."
_CODES = {DONE: "", FAILED: "something did not start, or died; the log says which", USAGE: ""}
_DEMO_CODES = {
    DONE: "the audit found nothing wrong",
    FAILED: "something died, or the audit found a fault",
    USAGE: "",
} | {INTERRUPTED: "interrupted before its audit"}
_PAGES = {
    "up": page(
        "Runs Kafka, simulator, connector, streams worker and a live view, until Ctrl-C.",
        "python -m connector.local up --rate 200",
        codes=_CODES,
        settings=_SETTINGS,
    ),
    "demo": page(
        """\
Runs the whole system on topics of its own, then audits the topics against the simulator's book.

DEMO_SECONDS=30 ends it by itself, DEMO_FAULTS=1 breaks connections and loses messages all the time.
""",
        "python -m connector.local demo --seconds 30",
        "DEMO_FAULTS=1 python -m connector.local demo",
        codes=_DEMO_CODES,
        settings=_SETTINGS,
    ),
    "run": page(
        "Runs the whole system on a provider, until Ctrl-C. Topics and state outlive it.",
        "PROVIDER=predexon TIER=dev API_KEY=... python -m connector.local run",
        codes=_CODES,
        settings="those of the connector and of streams, also from `.env` here; their --help lists them",
    ),
    "consume": page(
        "Runs Kafka's own Java console consumer; options that are not listed here are passed on to it.",
        "python -m connector.local consume alerts.v1 --kafka 127.0.0.1:9092 --from-beginning --max-messages 3",
        codes={DONE: "", FAILED: "the consumer's own code, or it cannot be had"},
        settings="KAFKA",
    ),
}
_MANUAL = page(
    """\
The whole system on one machine, with a real Apache Kafka and no Docker.

Each command has a page of its own: `COMMAND --help`.
""",
    "python -m connector.local demo",
    codes=_CODES | {INTERRUPTED: "a demo interrupted before its audit"},
    settings=_SETTINGS,
)


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults where there are some, and pages as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `python -m connector.local`."""
    parser = argparse.ArgumentParser(
        prog="python -m connector.local", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    kinds = {"up": "run on a simulator until Ctrl-C", "demo": "the same, then audit", "run": "run on a provider"}
    for name, text in kinds.items():
        command = commands.add_parser(name, help=text, description=_PAGES[name], formatter_class=_Formatter)
        _kafka_options(command, kept=name == "run")
        if name != "run":
            _market_options(command)
    commands.choices["demo"].add_argument(
        "--seconds", type=_seconds, default=os.environ.get("DEMO_SECONDS"), help="DEMO_SECONDS; without: until Ctrl-C"
    )
    consumer = commands.add_parser(
        "consume",
        help="Kafka's own console consumer; further options are passed to it",
        description=_PAGES["consume"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    consumer.add_argument("topic", help="the topic's full name")
    consumer.add_argument(
        "--kafka", metavar="HOST:PORT", default=os.environ.get("KAFKA", "127.0.0.1:9092"), help="KAFKA"
    )
    return parser


def _kafka_options(command: argparse.ArgumentParser, *, kept: bool) -> None:
    where = "XDG_DATA_HOME/walletstream/kafka, else ~/.local/share/..." if kept else "a temporary folder"
    cluster = "KAFKA, else one of our own" if kept else "one of our own"
    command.add_argument("--kafka", metavar="HOST:PORT", help=f"an existing cluster (default: {cluster})")
    command.add_argument(
        "--data", type=Path, metavar="DIR", help=f"where our own Kafka keeps its data (default: {where})"
    )
    command.add_argument("--port", type=int, default=0, help="port of our own Kafka; 0: any free one")


def _market_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rate", type=float, default=50.0, help="generated orders per second")
    command.add_argument("--wallets", type=_wallets, default=200, help="wallets watched, the busiest")
    command.add_argument("--seed", type=int, default=1, help="of the market")
    command.add_argument(
        "--partitions", type=int, default=os.environ.get("PARTITIONS", DEFAULT_PARTITIONS), help="PARTITIONS"
    )
    command.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="faults of the simulator (YAML); default: none, or with DEMO_FAULTS=1 a few of every kind",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text}")
    return seconds


def _wallets(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MOST_WALLETS:
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_WALLETS} (one subscription), got {text}")
    return count
