"""The command line: `python -m connector.simulator`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from connector.process.exits import DONE, FAILED, USAGE
from connector.process.pages import page
from connector.simulator.faults import Fault
from connector.simulator.replay import InvalidRecording
from connector.simulator.scenario import InvalidScenario, Scenario, parse_scenario, with_switches
from connector.simulator.server import Simulator
from connector.simulator.settings import Config, Switches

if TYPE_CHECKING:
    from collections.abc import Sequence

_MANUAL = page(
    """\
A Dome of our own, on one port:
  ws://HOST:PORT/KEY                subscribe, update, unsubscribe, events; keys free-..., dev-... and pro-... have
                                    those plans' limits, any other key the largest plan's, bad-... is refused
  ws://HOST:PORT/v1/KEY             the same as Predexon does it, whatever the --dialect
  GET /v1/polymarket/orders         the same orders, newest first; Authorization: Bearer KEY
  GET /v2/polymarket/trades         the same as Predexon does it; x-api-key: KEY

and for tests:
  GET  /_sim/book?view=orders|deliveries&after=SEQ&limit=N    everything executed; what became of each delivery
  GET  /_sim/stats, /_sim/wallets?limit=N                     counts; who trades, the busiest first
  POST /_sim/faults   {"kind": "drop", "every": 5, "times": 20}   one fault or a list; DELETE disarms all
  POST /_sim/execute  {"orders": [...]}                       execute these orders now
  POST /_sim/pause, /_sim/play                                hold and resume replay and market

With neither --replay nor --market it plays both: the recorded orders as if they happened now, and a market.
Prints `simulator ready on HOST:PORT` once it listens.
""",
    "python -m connector.simulator --port 8000",
    "python -m connector.simulator --market 1 --rate 200 --wallets 5000 --set rest_lag=2",
    codes={DONE: "stopped by SIGTERM or Ctrl-C", FAILED: "failed while running", USAGE: "wrong usage, file or port"},
    settings="none; see the options",
)


_SCENARIO = """\
scenario file:
  switches: {rest_lag: 2}
  faults:
    - {kind: drop, at: 5, every: 5, times: 20}
    - {kind: garble, wallet: "0x...", probability: 0.01, times: null}
"""


def parse_arguments(arguments: Sequence[str]) -> Config:
    """
    Return the configuration that the arguments describe.

    Raises:
        OSError: a file cannot be read.
        InvalidScenario: the scenario or a switch is wrong.
    """
    given = _parser().parse_args(arguments)
    replay, market = given.replay, given.market
    if replay is None and market is None:
        replay, market = "recorded", 1
    scenario = parse_scenario(given.scenario.read_text()) if given.scenario else Scenario()
    changes = dict(_assignment(text) for text in given.set)
    return Config(
        host=given.host,
        port=given.port,
        replay=Path(replay) if replay not in (None, "recorded") else replay,
        speed=given.speed,
        rebase=given.rebase == "now",
        market=market,
        rate=given.rate,
        burst=given.burst,
        wallets=given.wallets,
        twins=given.twins,
        dialect=given.dialect,
        paused=given.paused,
        faults=scenario.faults,
        switches=with_switches(Switches(), scenario.switches | changes),
    )


def main(arguments: Sequence[str]) -> int:
    """Run until a signal, and return the exit code."""
    try:
        config = parse_arguments(arguments)
        return asyncio.run(_run(config))
    except (OSError, InvalidScenario, InvalidRecording) as error:
        print(f"simulator: {error}", file=sys.stderr)  # noqa: T201 - a command talks
        return USAGE


async def _run(config: Config) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Simulator(config) as simulator:
        print(f"simulator ready on {config.host}:{simulator.port}", flush=True)  # noqa: T201 - a command talks
        await simulator.serve(stop)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connector.simulator",
        description=_MANUAL,
        epilog=_reference(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--replay", metavar="FILE", help="orders to replay, JSON lines; `recorded` for those shipped")
    parser.add_argument("--speed", type=_positive, default=1.0, help="recorded seconds per second (default: 1)")
    parser.add_argument(
        "--rebase", choices=("now", "never"), default="now", help="give replayed orders the time of playing (default)"
    )
    parser.add_argument("--market", type=int, metavar="SEED", help="generate a market; the same seed, the same orders")
    parser.add_argument("--rate", type=_positive, default=50.0, help="generated orders per second (default: 50)")
    parser.add_argument(
        "--burst", type=_natural, default=100, help="most orders in one instant; 1 is a steady flow (default: 100)"
    )
    parser.add_argument("--wallets", type=_natural, default=1_000, help="wallets of the market (default: 1000)")
    parser.add_argument(
        "--twins", type=float, default=0.02, help="probability that a generated fill happens twice (default: 0.02)"
    )
    parser.add_argument(
        "--dialect", choices=("dome", "predexon"), default="dome", help="what sockets at /KEY speak (default: dome)"
    )
    parser.add_argument("--paused", action="store_true", help="wait for POST /_sim/play")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="YAML with `switches:` and `faults:`")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SWITCH=VALUE", help="settle an unknown of Dome's otherwise"
    )
    return parser


def _reference() -> str:
    """Return the switches and faults, told by the code that defines them."""
    switches = "\n".join(f"  {name}={value}" for name, value in asdict(Switches()).items())
    return f"switches and their defaults:\n{switches}\n\nfaults:\n  {getdoc(Fault)}\n\n{_SCENARIO}"


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return number


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return number


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidScenario(f"--set {text}: expected SWITCH=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
