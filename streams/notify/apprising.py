"""Sends by Apprise. Shell."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import apprise
from apprise.common import PersistentStoreMode
from apprise.manager_plugins import NotificationManager

from streams.notify.message import MOST_BODY
from streams.notify.outcome import SENT, Attempt, of_apprise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.notify.message import Message
    from streams.notify.records import Notification

_SHARE = 0.8
"""Of what a service takes, since escaping makes texts longer."""

_TYPES = {
    "critical": apprise.NotifyType.FAILURE,
    "warning": apprise.NotifyType.WARNING,
    "info": apprise.NotifyType.INFO,
}


class AppriseSender:
    """Sends by Apprise, whose plugins block: each attempt has a thread."""

    def __init__(self, url: str) -> None:
        self._plugin = instantiate(url)
        if self._plugin is None:
            raise AssertionError("the configuration was checked")
        self.most = min(MOST_BODY, int(self._plugin.body_maxlen * _SHARE))

    async def send(self, notification: Notification, message: Message) -> Attempt:
        """Try once."""
        counts = notification.counts
        severity = next((each for each in _TYPES if getattr(counts, each)), "info")
        return await _in_thread(lambda: self._send(message, _TYPES[severity]))

    async def close(self) -> None:
        """Nothing is open between attempts."""

    def _send(self, message: Message, kind: apprise.NotifyType) -> Attempt:
        with _complaints() as said:
            sent = self._plugin.notify(
                title=message.title, body=message.body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
            )
        return SENT if sent else of_apprise("; ".join(said))


def usable(url: str) -> str:
    """Return what is wrong with a URL for Apprise, without showing it."""
    if instantiate(url) is not None:
        return ""
    schema = url.partition("://")[0].lower()
    if "://" in url and schema in NotificationManager():  # type: ignore[no-untyped-call]
        return f"the URL after {schema}:// is not as Apprise wants it, see https://appriseit.com/services/{schema}"
    return "is no URL that Apprise understands, see https://appriseit.com/services"


def instantiate(url: str) -> Any:
    """Return the plugin for a URL; None where there is none."""
    quiet()
    asset = apprise.AppriseAsset(
        app_id="walletstream", app_desc="walletstream", app_url="", storage_mode=PersistentStoreMode.MEMORY
    )
    try:
        return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:  # noqa: BLE001  # a plugin that chokes on a URL; whatever it says may quote it
        return None


def quiet() -> None:
    """Have Apprise tell us only: what it logs may quote URLs, and with them secrets."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """Yield what Apprise complains of in this thread meanwhile."""
    said: list[str] = []
    handler = _Complaints(said)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


class _Complaints(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._said.append(record.getMessage())


async def _in_thread(work: Callable[[], Attempt]) -> Attempt:
    """Run in a thread that nobody has to wait for at the end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Attempt] = loop.create_future()

    def run() -> None:
        try:
            attempt = work()
        except Exception as error:  # noqa: BLE001  # of a plugin; it may pass, and nothing must be lost
            attempt = Attempt("retry", f"{type(error).__name__} in Apprise")
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_settle, done, attempt)

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return await done


def _settle(done: asyncio.Future[Attempt], attempt: Attempt) -> None:
    if not done.done():  # nobody waits any more
        done.set_result(attempt)
