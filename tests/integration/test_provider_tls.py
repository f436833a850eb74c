"""TLS to the provider: a certificate that nobody we trust has signed is refused, whatever it would send."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from connector.dialects.dome import Dome
from connector.rest import PassFailed, RestClient
from connector.simulator import Config, Simulator
from connector.websocket import Disconnected, open_socket
from tests.support.orders import WALLET
from tests.support.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.pki import Pki

KEY = "dev-s3cr3t-k3y"


@pytest_asyncio.fixture
async def port(pki: Pki) -> AsyncIterator[int]:
    """Return the port of a simulator behind TLS, with a certificate for 127.0.0.1."""
    async with Simulator(Config()) as simulator, TlsProxy(pki.server, simulator.port) as proxy:
        yield proxy.port


async def test_an_untrusted_certificate_is_refused(port: int) -> None:
    """By default only the system's authorities are trusted; the error says why, and not the key."""
    with pytest.raises(Disconnected, match="certificate verify failed") as caught:
        async with open_socket(f"wss://127.0.0.1:{port}/{KEY}", connect_timeout=5):
            pass
    assert KEY not in str(caught.value)


async def test_an_authority_named_by_the_environment_is_trusted(
    port: int, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSL_CERT_FILE` is what OpenSSL's programs read, for a provider behind a company's proxy."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
    async with open_socket(f"wss://127.0.0.1:{port}/{KEY}", connect_timeout=5) as socket:
        await socket.send('{"action":"nonsense"}')
        assert b"error" in await socket.recv()


async def test_a_trusted_certificate_of_another_host_is_refused(
    port: int, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever has any certificate could sit in between."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
    with pytest.raises(Disconnected, match="Hostname mismatch"):
        async with open_socket(f"wss://localhost:{port}/{KEY}", connect_timeout=5):
            pass


async def swept(port: int, tls: ssl.SSLContext | None) -> list[object]:
    """Ask REST for a wallet's orders and return the pages."""
    async with RestClient(
        Dome(), [KEY], limits=[(1.0, 100)], base_url=f"https://127.0.0.1:{port}", tls=tls, uniform=lambda: 0.0
    ) as client:
        return [page async for page in client.sweep(WALLET, 1_700_000_000_000, 1_700_000_100_000)]


async def test_rest_is_refused_and_trusted_alike(port: int, pki: Pki) -> None:
    """The key is in a header there: it is not sent to whoever happens to answer."""
    with pytest.raises(PassFailed) as caught:
        await swept(port, None)
    assert KEY not in str(caught.value)
    assert len(await swept(port, ssl.create_default_context(cafile=pki.ca))) == 1
