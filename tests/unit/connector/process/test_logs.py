from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from connector.process.logs import Scrubber, configure

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "s3cr3t/k3y"
QUOTED = "s3cr3t%2Fk3y"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Leave the process's logging as it was."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


class Clumsy:
    """An object whose repr gives the key away."""

    def __repr__(self) -> str:
        return f"<Clumsy {KEY}>"


def fail() -> None:
    """Raise an error whose cause quotes the key, as libraries do."""
    raise RuntimeError(KEY) from ValueError(f"wss://x/{QUOTED} isn't a valid URI")


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_keeps_a_secret(before: str, after: str) -> None:
    """Wherever the key stands, plain or quoted for a URL, it is masked."""
    scrubbed = Scrubber([KEY, ""]).text(f"{before}{KEY}{after}{QUOTED}")
    assert KEY not in scrubbed
    assert QUOTED not in scrubbed


def test_other_values_pass_unchanged() -> None:
    """Numbers stay numbers, and nothing is masked where there is no secret."""
    event = {"event": "feed.live", "connection": 1, "ratio": 0.5, "ok": True, "none": None}
    assert Scrubber([KEY])(None, "info", dict(event)) == event


@pytest.mark.parametrize("form", ["json", "console"])
def test_nothing_that_is_logged_shows_the_key(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields, nested ones, objects, exceptions with their causes, and the logs of libraries."""
    configure(level="debug", form="json" if form == "json" else "console", scrubber=Scrubber([KEY]))
    log = structlog.get_logger("test")
    log.info("said", url=f"wss://x/{QUOTED}", nested={"a": [KEY]}, thing=Clumsy())
    try:
        fail()
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("somebody").exception("failed on %s", KEY)
    shown = capsys.readouterr().err
    assert "said" in shown
    assert shown.count("RuntimeError") >= 2
    assert KEY not in shown
    assert QUOTED not in shown


def test_json_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with event, level and time, for ours and for libraries."""
    configure(level="info", form="json", scrubber=Scrubber([]))
    structlog.get_logger("test").warning("feed.disconnected", reason="x")
    structlog.get_logger("test").debug("hidden")
    logging.getLogger("somebody").error("broken")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["level"], ours["reason"]) == ("feed.disconnected", "warning", "x")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("broken", "error", "somebody")
    assert "timestamp" in ours
    assert "timestamp" in theirs


def test_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """The request line of a handshake, logged by websockets at DEBUG, is not even rendered."""
    configure(level="debug", form="json", scrubber=Scrubber([]))
    logging.getLogger("websockets.client").debug("> GET /%s HTTP/1.1", KEY)
    logging.getLogger("aiokafka.conn").error("cannot connect")
    assert capsys.readouterr().err == ""
