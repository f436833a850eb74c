"""
Errors of the shared Kafka shell.

    KafkaShellError
    ├── ClusterUnreachable     no broker answers at the address that was given
    ├── InstanceTaken          another member of the group has our name
    ├── TopicMissing           a topic to read does not exist
    └── TopicsNotReady         topics could not be created, or did not get leaders in time
"""

from __future__ import annotations


class KafkaShellError(Exception):
    """Base of all errors raised here."""


class ClusterUnreachable(KafkaShellError):
    """No broker answers."""


class InstanceTaken(KafkaShellError):
    """A static member's name is used twice."""


class TopicMissing(KafkaShellError):
    """A topic does not exist."""


class TopicsNotReady(KafkaShellError):
    """Topics could not be made ready; the message names them."""
