"""
Errors of the connector.

    ConnectorError
    ├── ProviderRefused   the provider turned the key away; retrying would not help
    ├── PublishFailed     Kafka did not take a record; the process stops rather than lose it
    ├── DrainTimeout      the process had to end before Kafka had acknowledged everything
    ├── RestError         a REST request without a usable answer
    ├── PassFailed        a comparison with REST that did not get to its end
    ├── StatusUnserved    STATUS_ADDRESS cannot be served
    └── DeadLetterFlood   so much cannot be read that the fault may be ours
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of all errors of the connector."""


class ProviderRefused(ConnectorError):
    """The provider refused the handshake for good: wrong key, or no right to the feed."""


class PublishFailed(ConnectorError):
    """A record was not acknowledged by Kafka. What it held is not in the topic."""


class DrainTimeout(ConnectorError):
    """Records were still unacknowledged when the time to stop was over."""


class StatusUnserved(ConnectorError):
    """The address for probes and metrics is taken, or not ours."""


class DeadLetterFlood(ConnectorError):
    """Too many dead letters in a minute: stopped before a whole feed becomes dead letters."""
