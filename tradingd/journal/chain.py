"""The audit's hash chain: every row carries the hash of the row before it. Pure.

A row's hash is SHA-256 (hex) over its values as netstrings (``LENGTH:BYTES,``), integers as decimal
text, in the order of `HASHED`. So any program can check a chain, and no two rows encode alike.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tradingd.domain.journal import AuditRow

FIRST: Final = 1
ROOT: Final = "0" * 64
"""`prev_hash` of the first row."""

HASHED: Final = (
    "number", "prev_hash", "actor", "action", "subject", "detail", "wall", "uid", "pid",
)  # fmt: skip
COLUMNS: Final = (*HASHED, "hash")
TYPES: Final = (int, str, str, str, str, str, int, int, int, str)
GAP: Final = "audit.gap"
"""Action of the row that a writer adds when rows are missing at the end it finds."""


class Head(msgspec.Struct, frozen=True):
    """Number and hash of the last row."""

    number: int
    hash: str


EMPTY: Final = Head(FIRST - 1, ROOT)


def link(head: Head, row: AuditRow) -> tuple[int | str, ...]:
    """Return the column values (`COLUMNS`) of the row that follows `head`."""
    values = (
        head.number + 1,
        head.hash,
        clean(row.actor),
        clean(row.action),
        clean(row.subject),
        clean(row.detail),
        row.wall,
        row.uid,
        row.pid,
    )
    return (*values, digest(values))


def digest(values: Sequence[int | str]) -> str:
    """Return the hash of the values named in `HASHED`."""
    hashed = hashlib.sha256()
    for value in values:
        # What does not decode (a damaged row) still hashes, to something else.
        data = str(value).encode("utf-8", "surrogateescape")
        hashed.update(b"%d:%b," % (len(data), data))
    return hashed.hexdigest()


def clean(text: str) -> str:
    """Return text that has an UTF-8 form; what has none (lone surrogates) is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def broken_types(values: Sequence[Any]) -> str:
    """Return the name of the first column that is not of its type, empty when all are."""
    for name, value, kind in zip(COLUMNS, values, TYPES, strict=True):
        if type(value) is not kind:
            return name
    return ""
