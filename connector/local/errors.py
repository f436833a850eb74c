"""
Errors of the local system; each message ends in a remedy.

    LocalError
    ├── JavaNotFound        no Java of version 17 or newer
    ├── DownloadFailed      a jar could not be fetched, or is not what the lock says
    ├── PortInUse           a port that was asked for is taken
    └── ProcessFailed       a process we started died or did not get ready; holds the tail of its log
"""

from __future__ import annotations


class LocalError(Exception):
    """Base of everything that can go wrong in starting or running the system on one machine."""


class JavaNotFound(LocalError):
    """No Java that can run Kafka."""


class DownloadFailed(LocalError):
    """A jar is missing and could not be fetched, or what came is not what the lock says."""


class PortInUse(LocalError):
    """A port that was asked for is taken."""


class ProcessFailed(LocalError):
    """A process died, or did not get ready in time."""
