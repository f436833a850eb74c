"""What faults do to an event."""

from __future__ import annotations

import orjson
import pytest

from connector.simulator.dialect import Dome
from connector.simulator.faults import TRIGGERS, Kind
from connector.simulator.tamper import Tampered, tamper

ROW = {"user": "0xa", "title": "Wählt\u20ac" * 20, "market_slug": "s", "block_number": 1, "log_index": 2, "price": 0.5}


def tampered(kind: Kind) -> Tampered:
    """Return the event of ROW under a fault."""
    return tamper(kind, orjson.dumps(ROW), lambda data: Dome().event("sub_1", data))


@pytest.mark.parametrize("kind", ["garble", "truncate"])
def test_broken_events_are_text_but_no_json(kind: Kind) -> None:
    """Valid UTF-8, so that the frame itself is legal; nothing can be parsed from it."""
    event = tampered(kind)
    event.frame.decode()
    assert not event.intact
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(event.frame)


def test_altered_events_keep_the_order() -> None:
    """Metadata is emptied or indexes dropped, and nothing else."""
    empty, bare = tampered("empty_metadata"), tampered("no_indexes")
    assert orjson.loads(empty.frame)["data"] == ROW | {"title": "", "market_slug": ""}
    assert orjson.loads(bare.frame)["data"] == {k: v for k, v in ROW.items() if k not in ("block_number", "log_index")}
    assert empty.intact
    assert bare.intact


@pytest.mark.parametrize("kind", sorted(set(TRIGGERS) - {"garble", "truncate", "empty_metadata", "no_indexes"}))
def test_other_kinds_leave_the_event_as_it_is(kind: Kind) -> None:
    """The envelope is the documented one."""
    assert orjson.loads(tampered(kind).frame) == {"type": "event", "subscription_id": "sub_1", "data": ROW}
