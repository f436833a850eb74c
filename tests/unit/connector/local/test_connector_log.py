from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connector.local.connector_log import ConnectorState, readable


def line(event: str, **fields: Any) -> str:
    """Return a line of the log."""
    return msgspec.json.encode(
        {"event": event, "level": "info", "timestamp": "2026-01-01T00:00:00Z", **fields}
    ).decode()


STARTED = line("connector.started", provider="dome", replica="r0")
LIVE = line("feed.live", socket="primary-0", connection=1)
MIRROR = line("feed.live", socket="mirror-0", connection=1)
LOST = line("feed.disconnected", socket="primary-0", reason="cannot connect: Connection refused", retry_in=0.25)
MIRROR_LOST = line("feed.disconnected", socket="mirror-0", reason="closed", retry_in=1.0)
REFUSED = line(
    "subscription.refused",
    socket="primary-0",
    subscription="wallets-1",
    code="LIMIT",
    message="no",
    wallets=["a"],
    count=2,
)
NO_ROOM = line("wallets.no_room", wallets=["a", "b"])
STALLED = line("kafka.stalled", unacknowledged=7)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], "starting"),
        ([STARTED], "no connection to dome, it needs a wallet to watch"),
        ([STARTED, LIVE], "live"),
        ([LIVE, LOST], "disconnected: cannot connect: Connection refused; next attempt 0.2 s later"),
        ([REFUSED, LIVE], "live; wallets-1 refused (LIMIT), 2 wallets"),
        ([REFUSED, LIVE, LOST, LIVE], "live"),
        ([REFUSED, LIVE, MIRROR, MIRROR_LOST, MIRROR], "live; wallets-1 refused (LIMIT), 2 wallets"),
        ([LIVE, MIRROR], "live"),
        ([LIVE, MIRROR, MIRROR_LOST], "primary-0 live; mirror-0 disconnected: closed; next attempt 1.0 s later"),
        ([LIVE, NO_ROOM], "live; no room for 2 wallets"),
        ([LIVE, STALLED], "live; Kafka does not answer, 7 orders wait"),
        ([LIVE, STALLED, line("kafka.recovered", unacknowledged=0)], "live"),
        ([LIVE, "no json", "[1]", "{}", line("frame.dead"), line("feed.disconnected")], "live"),
    ],
)
def test_the_state_is_what_the_connector_said_last(lines: list[str], text: str) -> None:
    """Connection, refused subscriptions and a stalled Kafka, each until the connector says otherwise."""
    state = ConnectorState()
    for each in lines:
        state.absorb(each)
    assert state.text == text
    assert state.started == (STARTED in lines)


def test_a_log_becomes_readable() -> None:
    """JSON lines become words, a trace keeps its lines, other lines stay; nothing steers the terminal."""
    failed = line("connector.failed", error="check API_KEY\x1b[2J", exit_code=3)
    crashed = line("connector.crashed", exception="Traceback:\n  ValueError: x")
    assert readable(f"{failed}\nOpenJDK\tsays\n{crashed}").splitlines() == [
        "info connector.failed error=check API_KEY\ufffd[2J exit_code=3",
        "OpenJDK says",
        "info connector.crashed",
        "Traceback:",
        "  ValueError: x",
    ]
