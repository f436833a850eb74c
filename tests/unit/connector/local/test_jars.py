from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import requests

from connector.local.errors import DownloadFailed
from connector.local.jars import cache_dir, fetch, jars_of
from connector.local.lock import Jar

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"a jar"
JAR = Jar("g", "a", "1", hashlib.sha256(CONTENT).hexdigest())


class Repository:
    """Serves the given answers one after the other: bytes, or an error to raise."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)

    def __call__(self, jar: Jar, scratch: Path) -> Path:
        """Act as `jars.download`."""
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        scratch.mkdir(parents=True)
        path = scratch / jar.filename
        path.write_bytes(answer)
        return path


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return a cache folder and a scratch folder."""
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache", tmp_path / "scratch"


def test_a_fetched_jar_is_in_the_cache(tmp_path: Path) -> None:
    """What has the locked digest is kept under its own name."""
    cache, scratch = folders(tmp_path)
    fetch(JAR, cache, scratch, Repository(CONTENT))
    assert (cache / "a-1.jar").read_bytes() == CONTENT


def test_a_wrong_checksum_is_an_error_and_nothing_is_kept(tmp_path: Path) -> None:
    """Bytes other than the locked ones never reach the cache."""
    cache, scratch = folders(tmp_path)
    with pytest.raises(DownloadFailed, match=r"g:a:1.*SHA-256"):
        fetch(JAR, cache, scratch, Repository(b"something else"))
    assert list(cache.iterdir()) == []


def test_a_passing_network_error_is_tried_again(tmp_path: Path) -> None:
    """One lost connection does not fail the start."""
    cache, scratch = folders(tmp_path)
    fetch(JAR, cache, scratch, Repository(requests.ConnectionError("gone"), CONTENT))
    assert (cache / "a-1.jar").exists()


def test_no_network_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """After three tries the error names the jar and what to do."""
    cache, scratch = folders(tmp_path)
    with pytest.raises(DownloadFailed, match=r"g:a:1 could not be downloaded.*check the network.*--kafka"):
        fetch(JAR, cache, scratch, Repository(*[requests.ConnectionError("no route")] * 3))


def test_a_cache_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """The folder is named, and the variable that chooses another."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DownloadFailed, match=r"file/jars.*XDG_CACHE_HOME"):
        jars_of("kafka", tmp_path / "file" / "jars")


def test_the_cache_follows_the_users_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG_CACHE_HOME wins over the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == tmp_path / ".cache/walletstream/jars"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg/walletstream/jars"


def test_a_lock_may_be_anywhere(tmp_path: Path) -> None:
    """Programs that are no part of ours have locks of their own; what is in the cache is not fetched."""
    lock = tmp_path / "other.lock"
    lock.write_text(f"{JAR.coordinate} {JAR.sha256}\n")
    (tmp_path / "a-1.jar").write_bytes(CONTENT)
    assert jars_of(lock, tmp_path) == [tmp_path / "a-1.jar"]
