from __future__ import annotations

import pytest

from streams.transport import version


def test_the_locked_versions_are_accepted() -> None:
    """The environment of the lock file runs."""
    version.check_versions()


def test_another_faust_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overrides of internals that were not read would lose records silently."""
    monkeypatch.setattr(version, "version", lambda _: "0.15.4")
    with pytest.raises(ImportError, match=r"0\.15\.4 is installed.*make install"):
        version.check_versions()
