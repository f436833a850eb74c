"""
Errors of the contract.

    ContractError
    ├── InvalidOrder      a field of an order is missing or not what the contract allows
    ├── InvalidAddress    a text is no wallet's address
    ├── InvalidRecord     a record read from a topic of ours is not what its schema says
    └── TopicMismatch     a topic exists with other settings than the contract's
"""

from __future__ import annotations


class ContractError(Exception):
    """Base of all contract errors."""


class InvalidOrder(ContractError):
    """
    A field of an order breaks the contract.

    `field` names it, `reason` says what is wrong and what was expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidAddress(ContractError):
    """A text is no address of a wallet; the message says why."""


class InvalidRecord(ContractError):
    """A record does not follow the schema of its topic."""


class TopicMismatch(ContractError):
    """Topics exist whose settings differ from the contract; the message holds each remedy."""
