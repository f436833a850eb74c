"""A worker that keeps hardly any wallet as an object: what a worker with very many wallets does."""

from __future__ import annotations

from streams.__main__ import main
from streams.jobs import WalletJob

if __name__ == "__main__":
    WalletJob.generation = 2
    main()
