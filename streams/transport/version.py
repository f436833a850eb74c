"""Refuse to run on a Faust whose internals were not read."""

from __future__ import annotations

from importlib.metadata import version

SUPPORTED = {"faust-streaming": "0.15.3", "aiokafka": "0.14."}
"""Distribution -> version or version prefix that the overrides in this package were written against."""


def check_versions() -> None:
    """
    Compare the installed versions with the supported ones.

    Raises:
        ImportError: another version is installed; the message says which one to install.
    """
    for distribution, supported in SUPPORTED.items():
        installed = version(distribution)
        if not installed.startswith(supported):
            raise ImportError(
                f"{distribution} {installed} is installed, but streams.transport overrides internals of"
                f" {supported}: install the locked versions with `make install`"
            )
