"""Logs as records of several partitions, and rules of every kind to replay them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from streams.effects import Topics
from streams.replay import Record
from streams.rules.engine import load_rules

if TYPE_CHECKING:
    from tests.support.oracle import Logged

TOPICS = Topics("")
PARTITIONS = 3
MARKET_PARTITIONS = 2
HEADERS = [("source", b"ws"), ("label", b"whale")]

RULES_TEXT = """
rules:
  - {id: size, scope: wallet, severity: info, message: m, expr: order.notional >= 3.0, cooldown: 1s, max_age: 1h}
  - {id: burst, scope: wallet, severity: info, message: m, expr: wallet.w1m.orders >= 2, cooldown: 0s, max_age: 2d}
  - {id: held, scope: wallet, severity: info, message: m, expr: wallet.w5m.orders >= 2, for: 3s, keep_firing_for: 7s,
     cooldown: 5m, max_age: 2d}
  - {id: until, scope: wallet, severity: info, message: m, expr: order.side == "SELL", until: wallet.w5m.orders == 0,
     group_by: [market.id], cooldown: 0s, max_age: 2d}
  - {id: broken, scope: wallet, severity: info, message: m, expr: 1 / wallet.w1m.sells > 0}
  - {id: shadow, scope: wallet, severity: info, message: m, expr: order.notional < 1.0, mode: SHADOW, cooldown: 0s}
  - {id: consensus, scope: market, severity: info, message: m, expr: market.w1h.wallets >= 2,
     escalate: market.w1h.wallets, cooldown: 1m, max_age: 2d}
"""
RULES = load_rules(RULES_TEXT)


def partition_of(wallet: str) -> int:
    """Return the partition of a wallet."""
    return int(wallet[-1], 16) % PARTITIONS


def market_partition(key: bytes) -> int:
    """Return the partition of a market."""
    return key[-1] % MARKET_PARTITIONS


def records_of(log: list[Logged]) -> list[Record]:
    """Return the records that hold a log, spread over partitions."""
    ends = [0] * PARTITIONS
    records = []
    for entry in log:
        partition = partition_of(entry.order.user)
        key = wallet_key(entry.order.user)
        offset, ends[partition] = ends[partition], ends[partition] + 1
        records.append(Record("orders.v1", partition, offset, entry.append_ms, key, encode(entry.order), HEADERS))
    return records
