"""Logs: structlog, readable on a terminal, JSON lines elsewhere; no secret passes."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog

from connector.process.mask import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_NOISY = {"websockets": logging.WARNING, "aiokafka": logging.CRITICAL, "asyncio": logging.WARNING}
"""websockets logs each frame, aiokafka ten errors a second while a broker is away; ours say it once."""


class Scrubber:
    """A structlog processor that masks secrets in everything that is about to be shown."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._mask = Mask(secrets)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Return the event with every secret masked."""
        return {name: self._clean(value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """Return `text` with every secret masked."""
        return self._mask.text(text)

    def _clean(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {name: self._clean(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(each) for each in value]
        return self.text(value if isinstance(value, str) else repr(value))


def configure(*, level: str, form: Literal["auto", "console", "json"], scrubber: Scrubber) -> None:
    """Send our logs and those of libraries to standard error, scrubbed."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Traces become text before scrubbing, and hold no local variables.
        structlog.processors.format_exc_info,
        scrubber,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _capture_libraries(shared, renderer)


def _capture_libraries(shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared[:2]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared[2:], renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name, level in _NOISY.items():
        logging.getLogger(name).setLevel(level)
