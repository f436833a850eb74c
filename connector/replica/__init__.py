"""
One replica of the connector: what it owns, watches, publishes, repairs and reports. Shell.

Replicas share out the partitions of the watch-list. Who owns a partition owns its wallets, and the same partition of
`orders.v1`, `coverage.v1` and `gaps.v1`.
"""
