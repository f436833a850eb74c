"""The contract shared by everything that reads or writes our topics.

Pure: no I/O, no clock, no logging. `streams` imports nothing else of `connector`
but this package and `connector.kafka`.
"""
