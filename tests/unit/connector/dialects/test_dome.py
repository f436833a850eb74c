from __future__ import annotations

import json
from importlib.resources import files

import pytest

from connector.contract.order import parse_order
from connector.dialects import Event
from connector.dialects.dome import Dome
from connector.packing import Quota
from tests.support.orders import WALLET

DOME = Dome()
RECORDED = (files("connector.simulator") / "data" / "dome_events_recorded.jsonl").read_text("utf-8").splitlines()


@pytest.mark.parametrize("line", RECORDED)
def test_recorded_events_are_orders(line: str) -> None:
    """What Dome really sent is understood, field by field."""
    frame = json.loads(line)
    message = DOME.classify(frame)
    assert message == Event(frame["data"], frame["subscription_id"])
    assert parse_order(frame["data"]).user == WALLET


def test_quotas_are_the_documented_ones() -> None:
    """Free 2 x 5, Dev 500 x 500."""
    assert DOME.quotas == {"free": Quota(2, 5), "dev": Quota(500, 500)}
