"""What a person must hear of, and how urgently."""

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """page: somebody must act now. warn: today. trade: a fill. info: for the record."""

    INFO = "info"
    TRADE = "trade"
    WARN = "warn"
    PAGE = "page"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; equal `key` means the same trouble, which is told once until it is resolved.

    `next_step` says what the reader should do; `resolved` ends the trouble of this key.
    """

    key: str
    severity: Severity
    title: str
    body: str = ""
    next_step: str = ""
    resolved: bool = False


type Emit = Callable[[Alert], None]
"""Hands an alert to the router; never blocks, never raises."""
