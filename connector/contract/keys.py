"""Kafka keys. Every key byte of ours is made here; the partitioner is Kafka's default (murmur2)."""

from __future__ import annotations


def wallet_key(wallet: str) -> bytes:
    """Return the key of everything partitioned by wallet: the address in lower case, ASCII."""
    return wallet.lower().encode("ascii")


def market_key(condition_id: str) -> bytes:
    """Return the key of everything partitioned by market: the condition id in lower case, ASCII."""
    return condition_id.lower().encode("ascii")
