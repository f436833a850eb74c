"""The files of the page, read once: what is not among them cannot be asked for. Shell."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Asset(NamedTuple):
    """One file."""

    body: bytes
    content_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """Return the files by their path below `static`."""
    return dict(_load(files("streams.board") / "static", ""))


def _load(folder: Traversable, path: str) -> Iterator[tuple[str, Asset]]:
    for entry in folder.iterdir():
        name = f"{path}{entry.name}"
        if entry.is_dir():
            yield from _load(entry, f"{name}/")
        elif kind := _TYPES.get(f".{entry.name.rpartition('.')[2]}"):
            body = entry.read_bytes()
            yield name, Asset(body, kind, hashlib.sha256(body).hexdigest()[:16])
