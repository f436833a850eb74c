"""Changes of rules while orders come: versions, trials, pauses and silences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.rules import plan
from streams.rules.engine import compile_rules
from streams.rules.errors import InvalidChange
from streams.rules.silence import Silence
from streams.rules.topic import encode_silence, silence_name

if TYPE_CHECKING:
    from random import Random

    from streams.rules.registry import Registry

FILE = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 20.0, message: large, cooldown: 2s}
  - {id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 5, message: burst, cooldown: 1s}
  - {id: turn, scope: wallet, severity: info, expr: wallet.w5m.net_flow < 0.0, message: selling, cooldown: 0s}
  - {id: agree, scope: market, severity: info, expr: market.w1m.wallets >= 3, escalate: market.w1m.wallets, message: m}
"""
"""The rules that the workers begin with."""

_VERSIONS = (
    (
        "{id: large, scope: wallet, severity: info, expr: order.notional >= 15.0, message: large, cooldown: 1s,"
        " keep_firing_for: 2s, group_by: [market.id]}"
    ),
    "{id: large, scope: wallet, severity: warning, expr: order.notional >= 30.0, message: large, cooldown: 2s}",
    "{id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 4, for: 1s, message: burst, cooldown: 1s}",
    (
        "{id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 6, until: wallet.w1m.orders < 3,"
        " message: burst, cooldown: 1s}"
    ),
    "{id: turn, scope: wallet, severity: info, expr: wallet.w5m.net_flow < 5.0, message: selling, cooldown: 1s}",
    (
        "{id: agree, scope: market, severity: info, expr: market.w5m.consensus >= 2, escalate: market.w5m.consensus,"
        " message: m}"
    ),
    "{id: flow, scope: market, severity: info, expr: market.w1m.volume >= 30.0, for: 500ms, cooldown: 2s, message: m}",
)
_IDS = ("large", "burst", "turn", "agree")


def change(registry: Registry, rng: Random) -> dict[str, bytes | None]:
    """Return the records of one change, none where what was drawn does not fit the rules in force."""
    try:
        return _drawn(registry, rng)
    except InvalidChange:
        return {}


def _drawn(registry: Registry, rng: Random) -> dict[str, bytes | None]:
    match rng.choice(("apply", "apply", "apply", "shadow", "pause", "resume", "silence")):
        case "apply":
            texts = rng.sample(_VERSIONS, 2)
            rules = {active.rule.id: active.rule for text in texts for active in compile_rules(f"rules: [{text}]")}
            return plan.apply(registry, rules.values()).records
        case "shadow":
            (active,) = compile_rules(f"rules: [{rng.choice(_VERSIONS)}]")
            return plan.apply(registry, [active.rule], shadow=True).records
        case "pause":
            return plan.pause(registry, rng.choice(_IDS)).records
        case "resume":
            return plan.resume(registry, rng.choice(_IDS)).records
        case _:
            silence = Silence(id="some", until_ms=rng.choice((2**62, 0)), matchers={"rule": rng.choice(_IDS)})
            return {silence_name(silence.id): encode_silence(silence)}
