"""
Asks a process on this machine whether it is ready: `python -m connector.process.probe [URL]`.

Health checks of containers call it.

Exit codes: 0 it is, 1 it is not, and the reason is printed. Without a URL it asks `/readyz` at STATUS_ADDRESS.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_S = 4


def main(arguments: Sequence[str]) -> int:
    """Ask, say what was answered, and return the exit code."""
    url = arguments[0] if arguments else _readiness(os.environ.get("STATUS_ADDRESS", ""))
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=_TIMEOUT_S) as answer:
            return _say(answer.read(1_000), 0)
    except HTTPError as error:
        with error:
            return _say(error.read(1_000), 1)
    except (URLError, OSError, ValueError) as error:
        return _say(f"{url or 'STATUS_ADDRESS is not set'}: {error}".encode(), 1)


def _readiness(address: str) -> str:
    port = address.rpartition(":")[2]
    return f"http://127.0.0.1:{port}/readyz" if port else ""


def _say(text: bytes, code: int) -> int:
    sys.stdout.write(text.decode(errors="replace").strip() + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
