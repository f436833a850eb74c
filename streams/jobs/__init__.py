"""
What each agent does with one record: decode, fold, and say what has to be sent. Pure.

A record that cannot be decoded becomes a dead letter and counts as absorbed; any other error is a
defect and is not caught here.
"""

from streams.jobs.job import Job
from streams.jobs.market import MarketJob
from streams.jobs.wallet import WalletJob

__all__ = ["Job", "MarketJob", "WalletJob"]
