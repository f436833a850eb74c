"""
`python -m connector doctor`: whether everything that a connector needs is in place, and what to do where it is not.

Pure modules judge what was seen (`keys`, `judge_provider`, `judge_kafka`, `judge_wallets`); shells go and look
(`reach`, `ask_provider`, `ask_kafka`). Nothing is written anywhere, and nothing is subscribed to.
"""
