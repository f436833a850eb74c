"""Who may see the board: tokens, sessions, and names of hosts. Pure: times are given."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "walletstream_board"
SESSION_S = 12 * 3_600

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none';"
    # Titles come from strangers: the browser itself refuses to make markup of a text, whatever a script says.
    " require-trusted-types-for 'script'; trusted-types 'none'"
)

HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every answer."""


class Gate:
    """
    Says who may in. With a token: who shows it, as bearer or as the cookie of a login. Without: everybody.

    The cookie holds no token, but when it ends, signed with a key made of the token: it outlives a restart of the
    board, and a new token ends it.
    """

    def __init__(self, token: str, host: str) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"walletstream board session", hashlib.sha256)
        self._local = is_loopback(host)

    @property
    def open(self) -> bool:
        """Whether nobody has to log in."""
        return not self._token

    def knows_host(self, host: str) -> bool:
        """
        Return whether a request that names this host is for us.

        A page of strangers can have its name point to 127.0.0.1 and then read what loopback serves (DNS rebinding);
        its requests name its own host. What other machines reach is guarded by the token instead.
        """
        if not self._local:
            return True
        try:
            return is_loopback(urlsplit(f"//{host}").hostname or "")
        except ValueError:
            return False

    def right(self, token: str) -> bool:
        """Return whether this is the token; takes as long for any."""
        return hmac.compare_digest(token.encode(errors="replace"), self._token)

    def admits(self, headers: Mapping[str, str], cookies: Mapping[str, str], now_s: float) -> bool:
        """Return whether a request may in."""
        kind, _, token = headers.get("Authorization", "").partition(" ")
        if self.open or (kind.lower() == "bearer" and self.right(token.strip())):
            return True
        until, _, signature = cookies.get(COOKIE, "").partition(".")
        signed = hmac.compare_digest(signature.encode(errors="replace"), self._sign(until).encode())
        return signed and until.isdecimal() and now_s < int(until)

    def session(self, now_s: float) -> str:
        """Return the cookie of who has logged in."""
        until = str(int(now_s) + SESSION_S)
        return f"{until}.{self._sign(until)}"

    def _sign(self, until: str) -> str:
        return hmac.new(self._key, until.encode(errors="replace"), hashlib.sha256).hexdigest()


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
