"""Kafka's jars: each set fetched once per user in parallel, checked against the lock at every start. Shell."""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import requests
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connector.local.errors import DownloadFailed
from connector.local.lock import Jar, parse_lock

if TYPE_CHECKING:
    from collections.abc import Callable

_PARALLEL = 12
_TRIES = 3
_TIMEOUT_S = 15


def cache_dir() -> Path:
    """Return this user's cache folder for jars."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "walletstream" / "jars"


def jars_of(lock: Literal["kafka", "tools"] | Path, cache: Path | None = None) -> list[Path]:
    """
    Return the paths of the jars in a lock file, one of ours or any other, after fetching what is missing; blocks.

    Raises:
        DownloadFailed: the network, the disk or a checksum said no.
    """
    folder = cache or cache_dir()
    file = lock if isinstance(lock, Path) else resources.files("connector.local").joinpath(f"{lock}.lock")
    locked = parse_lock(file.read_text("utf-8"))
    missing = [jar for jar in locked if not _valid(folder / jar.filename, jar)]
    if missing:
        try:
            _fetch_all(missing, folder)
        except OSError as error:
            raise DownloadFailed(
                f"cannot write to {folder} ({error.strerror}): set XDG_CACHE_HOME to a folder"
            ) from error
    return [folder / jar.filename for jar in locked]


def _valid(path: Path, jar: Jar) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def _fetch_all(missing: list[Jar], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch,
        Progress(*columns, console=Console(stderr=True)) as progress,
        ThreadPoolExecutor(_PARALLEL) as pool,
    ):
        task = progress.add_task("Downloading Apache Kafka (jars, once)", total=len(missing))
        for _ in pool.map(lambda jar: fetch(jar, folder, Path(scratch)), missing):
            progress.advance(task)


def download(jar: Jar, scratch: Path) -> Path:
    """Fetch one jar with the Maven client into a repository of its own below `scratch`."""
    context = MavenContext(repo_cache=scratch, timeout=_TIMEOUT_S)
    return Path(context.create_dependency(jar.coordinate).artifact.resolve())


def fetch(jar: Jar, folder: Path, scratch: Path, download: Callable[[Jar, Path], Path] = download) -> None:
    """Fetch one jar into `folder`; it appears there whole and verified, or not at all."""
    fault: Exception | None = None
    for attempt in range(_TRIES):
        try:
            path = download(jar, scratch / str(attempt))
        except (requests.RequestException, RuntimeError, OSError) as error:
            fault = error
            continue
        if not _valid(path, jar):
            raise DownloadFailed(
                f"{jar.coordinate}: what was downloaded does not have the locked SHA-256 {jar.sha256};"
                " is a proxy or mirror in between? Nothing of it was kept"
            )
        path.replace(folder / jar.filename)
        return
    raise DownloadFailed(
        f"{jar.coordinate} could not be downloaded ({type(fault).__name__}): check the network and the disk, then"
        " start again (what was fetched is kept), or use a Kafka of your own with --kafka HOST:PORT"
    ) from fault
