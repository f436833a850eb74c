"""Asks a provider what it thinks of our keys: one page of REST and one handshake each. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from connector.dialects import UnreadablePage, connection_url
from connector.doctor import judge_provider as judge
from connector.doctor.checks import Check, skip
from connector.doctor.judge_provider import endpoint
from connector.doctor.reach import reached
from connector.errors import ProviderRefused
from connector.provider_clock import parse_date
from connector.rest import RestClient
from connector.rest_key import RestError
from connector.websocket import Disconnected, open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from connector.settings import Settings
    from connector.websocket import Socket

_NOBODY = "0x" + "0" * 39 + "1"
"""A wallet to ask for where none is watched."""
_MINUTE_S = 60
_PONG_S = 5.0

Offsets = list[tuple[float, float]]


async def hosts(settings: Settings) -> AsyncIterator[Check]:
    """Go to every host of the provider's, and of the mirror's."""
    urls = [settings.ws_url, settings.rest_url, *([settings.mirror_ws_url] if settings.mirror_keys else [])]
    seen = set()
    for url in urls:
        where = endpoint(url)
        if (where.host, where.port) in seen:
            continue
        seen.add((where.host, where.port))
        if url != settings.rest_url and _proxied(url):
            yield skip(f"tcp {where.address}", "sockets go through the proxy that the environment names")
            continue
        async for check in reached(where):
            yield check


def _proxied(url: str) -> bool:
    parts = urlsplit(url)
    named = getproxies().keys() & {"all", "socks", parts.scheme, parts.scheme.replace("ws", "http")}
    return bool(named) and not proxy_bypass(parts.hostname or "")


async def rest(settings: Settings, offsets: Offsets) -> AsyncIterator[Check]:
    """Ask REST for one page with each key; `offsets` takes what the answers tell of the provider's clock."""
    wallet = settings.wallets[0] if settings.wallets else _NOBODY
    for number, key in enumerate(settings.keys, 1):
        name = "rest" if len(settings.keys) == 1 else f"rest {number}"
        yield judge.rest(name, *await _page(settings, key, wallet, offsets))


async def _page(settings: Settings, key: str, wallet: str, offsets: Offsets) -> tuple[str, str]:
    """Return the kind of failure, empty for none, and its detail."""
    dialect = settings.dialect
    client = RestClient(
        dialect,
        [key],
        limits=dialect.rest_limits(settings.tier),
        base_url=settings.rest_url,
        timeout=settings.rest_timeout,
        on_date=lambda date, received, sent: _note(offsets, date, received, sent),
    )
    now_s = time.time_ns() // 1_000_000_000
    path, params = dialect.rest_query(wallet, now_s - _MINUTE_S, now_s, 1, None)
    try:
        async with client:
            dialect.rest_page(await client.page(path, params))
    except RestError as error:
        return error.kind, error.detail
    except UnreadablePage as error:
        return "bad-body", str(error)
    return "", ""


async def sockets(settings: Settings, offsets: Offsets) -> AsyncIterator[Check]:
    """Open a socket with each key, and close it: no subscription is asked for, so none of the quota is used."""
    sides = [("websocket", settings.ws_url, settings.keys, settings.dialect)]
    if settings.mirror_keys:
        sides.append(("websocket mirror", settings.mirror_ws_url, settings.mirror_keys, settings.mirror_dialect))
    for name, url, keys, dialect in sides:
        for number, key in enumerate(keys, 1):
            opening = open_socket(
                connection_url(url, key),
                connect_timeout=settings.connect_timeout,
                fatal_close_codes=dialect.fatal_close_codes,
            )
            yield await _handshake(name if len(keys) == 1 else f"{name} {number}", opening, offsets)


async def _handshake(name: str, opening: AbstractAsyncContextManager[Socket], offsets: Offsets) -> Check:
    clock = asyncio.get_running_loop().time
    fault, refused, sent = "", False, clock()
    try:
        async with opening as socket:
            if socket.date is not None:
                _note(offsets, socket.date, clock(), sent)
            await _stays(socket)
    except ProviderRefused as error:
        fault, refused = str(error), True
    except Disconnected as error:
        fault = str(error)
    return judge.socket(name, fault, refused=refused)


async def _stays(socket: Socket) -> None:
    """Wait for a pong or a message: a provider may take the handshake, and turn the key away right after it."""
    receiving = asyncio.create_task(socket.recv())
    try:
        pong = asyncio.ensure_future(await socket.ping())
        await asyncio.wait({receiving, pong}, timeout=_PONG_S, return_when=asyncio.FIRST_COMPLETED)
        if receiving.done() or (pong.done() and pong.exception() is not None):
            await receiving
        elif not pong.done():
            raise Disconnected(f"the handshake succeeded, but nothing was heard for {_PONG_S:g} s after it")
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)


def _note(offsets: Offsets, header: str, received: float, sent: float) -> None:
    """Take note of how far ahead of our wall clock the provider's can be, by an answer's `Date`."""
    date = parse_date(header)
    if date is not None:
        wall = time.time_ns() / 1e9 - asyncio.get_running_loop().time()
        offsets.append((date - wall - received, date + 1 - wall - sent))
