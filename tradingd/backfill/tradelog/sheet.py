"""What every file of a log is to its reader: sheets of numbered rows."""

import datetime as dt
from collections.abc import Iterator

import msgspec

from tradingd.backfill.tradelog.cells import EPOCH

type Row = tuple[int, tuple[object, ...]]
"""Number as a person sees it in the file, from 1; cells."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a file; `rows` can be walked through once.

    `name` is empty where the file has no sheets; `visible` is False for what the person hid.
    """

    name: str
    rows: Iterator[Row]
    visible: bool = True
    epoch: dt.datetime = EPOCH

    def place(self, number: int) -> str:
        """Return where a row is, for people."""
        return f"{self.name}, row {number}" if self.name else f"line {number}"
