"""
Shards: the state of one partition, with the position it belongs to.

`position`, `admission` and `live` are pure; `state_log`, `outputs`, `shard` and `owner` are shells.
"""
