"""Posts notifications to webhooks. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from streams.notify.message import MOST_BODY
from streams.notify.outcome import Attempt, of_status
from streams.notify.payload import payload
from streams.notify.signature import headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.notify.message import Message
    from streams.notify.records import Notification
    from streams.notify.targets import Webhook

_TIMEOUT_S = 30.0


class WebhookSender:
    """Posts signed JSON. Redirects are not followed: what is signed is for one address."""

    most = MOST_BODY

    def __init__(self, webhook: Webhook, now_s: Callable[[], float]) -> None:
        self._webhook = webhook
        self._now_s = now_s
        self._http: aiohttp.ClientSession | None = None

    async def send(self, notification: Notification, message: Message) -> Attempt:
        """Post once."""
        body = payload(notification, message)
        signed = headers(self._webhook.secret, notification.key, body, int(self._now_s()))
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        try:
            async with self._http.post(
                self._webhook.url,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "walletstream", **signed},
                allow_redirects=False,
            ) as answer:
                return of_status(answer.status, answer.headers.get("Retry-After", ""))
        except TimeoutError:
            return Attempt("retry", f"no answer within {_TIMEOUT_S:.0f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Attempt("retry", f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        """Disconnect."""
        if self._http is not None:
            await self._http.close()
