"""Tests of rules: orders in, alerts expected; pure. The command is `streams.commands.ruletest`."""
