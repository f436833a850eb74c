"""What a cluster knows of a consumer group. Shell."""

from __future__ import annotations

from typing import Any

from connector.kafka.admin import admin_client


async def group_is_stable(bootstrap: str, group: str, **security: Any) -> bool:
    """
    Return whether the group has members and each knows its partitions.

    Raises:
        ClusterUnreachable: no broker answers at `bootstrap`.
        KafkaError: the cluster cannot tell just now.
    """
    async with admin_client(bootstrap, security) as admin:
        for response in await admin.describe_consumer_groups([group]):
            for _, _, state, *_ in response.groups:
                return bool(state == "Stable")
    return False
