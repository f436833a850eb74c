"""Settings of the notifier, from the environment and a `.env` file; the environment wins."""

from __future__ import annotations

from pathlib import Path  # pydantic reads annotations at run time
from typing import Literal

from pydantic import Field

from connector.kafka.settings import KafkaSettings
from connector.process.status import StatusSettings


class NotifySettings(StatusSettings, KafkaSettings):
    """Each field is an environment variable of the same name in upper case. Times are in seconds."""

    notify_config: Path = Field(
        description="a YAML file that says who is told of what: streams/notify/example.yaml is one"
    )
    notify_group_id: str = Field(
        "walletstream-notify", min_length=1, max_length=200, description="consumer group; TOPIC_PREFIX comes before it"
    )
    session_timeout: float = Field(
        10.0, ge=6, le=300, description="a notifier silent for this long loses its partitions to another one"
    )
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level shown")
