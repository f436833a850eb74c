"""Backtests: orders from a file, and what became of each rule; pure. The command is `streams.commands.backtest`."""
