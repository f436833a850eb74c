"""
A Faust transport that delivers the records of one partition as one message.

The only package that knows Faust's internals, which is why it accepts exactly one version of it.
Registered as `batch` in the entry-point group `faust.transports`: `broker="batch://host:port"`.
"""

from streams.transport.version import check_versions

check_versions()

from streams.transport.driver import Consumer, Transport  # noqa: E402  # only after the check
from streams.transport.mailbox import Mailbox  # noqa: E402  # only after the check

__all__ = ["Consumer", "Mailbox", "Transport"]
