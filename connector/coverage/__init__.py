"""
Coverage: what of each wallet is known to be complete, what may be missing, and what to ask REST next. Pure.

Times are unix milliseconds by the provider's clock.
"""

from connector.coverage.gap import Outcome, Policy, Task
from connector.coverage.wallets import Coverage

__all__ = ["Coverage", "Outcome", "Policy", "Task"]
