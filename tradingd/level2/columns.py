"""The column layout of book snapshots and trades: the same for live capture and backfill.

Prices of the book are 32-bit integers in ten-thousandths of a dollar, as Nasdaq's ITCH sends
them ("Price (4)", at most 200,000.0000): exact, the smallest on disk and the fastest to read. A
level that does not exist has a null price and size 0. Times are UTC ns without a zone.
"""

from enum import IntFlag
from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = "1.0.0"

PRICE_SCALE: Final = 10_000
"""Stored price units per dollar; also in every file's metadata."""

MAX_LEVELS: Final = 50

_TIME: Final = pa.timestamp("ns")


class Quality(IntFlag):
    """What was wrong with a book when its snapshot was taken; recorded, never hidden."""

    CROSSED = 1
    """The best bid is above the best ask."""
    LOCKED = 2
    """The best bid equals the best ask."""
    NO_BID = 4
    NO_ASK = 8
    STALE_BID = 16
    """The bid side did not change for the configured time while the ask side did."""
    STALE_ASK = 32
    GAP = 64
    """Records were lost since the row before."""
    SUSPECT = 128
    """The vendor flags the book as possibly bad."""
    DISORDER = 256
    """Levels of one side are not sorted from the best."""


HEAD: Final = (
    pa.field("symbol", pa.string(), False),
    # Time of the snapshot: on the grid, or `ts_recv` of the record that changed the book.
    pa.field("ts", _TIME, False),
    # Of the last record that closed an event at or before `ts`.
    pa.field("ts_event", _TIME, False),
    pa.field("ts_recv", _TIME, False),
    pa.field("sequence", pa.int64(), False),
    # Records since the row before.
    pa.field("events", pa.int32(), False),
    # False: taken because the grid's time came; True: because the book changed.
    pa.field("on_change", pa.bool_(), False),
    pa.field("quality", pa.int16(), False),
)


def level_names(level: int) -> tuple[str, str, str, str, str, str]:
    """Return the column names of one level: bid and ask price, size, number of orders."""
    nn = f"{level:02d}"
    return (
        f"bid_px_{nn}",
        f"ask_px_{nn}",
        f"bid_sz_{nn}",
        f"ask_sz_{nn}",
        f"bid_ct_{nn}",
        f"ask_ct_{nn}",
    )


def snapshot_schema(levels: int) -> pa.Schema:
    """Return the layout of snapshots with so many levels a side (without file metadata)."""
    fields = list(HEAD)
    for level in range(levels):
        bid_px, ask_px, bid_sz, ask_sz, bid_ct, ask_ct = level_names(level)
        fields += [pa.field(bid_px, pa.int32()), pa.field(ask_px, pa.int32())]
        fields += [pa.field(bid_sz, pa.int32(), False), pa.field(ask_sz, pa.int32(), False)]
        # Null where the vendor does not count orders.
        fields += [pa.field(bid_ct, pa.int32()), pa.field(ask_ct, pa.int32())]
    return pa.schema(fields)


TRADES: Final = pa.schema(
    [
        pa.field("symbol", pa.string(), False),
        pa.field("ts_event", _TIME, False),
        pa.field("ts_recv", _TIME, False),
        pa.field("sequence", pa.int64(), False),
        pa.field("price", pa.decimal128(18, 9), False),
        pa.field("size", pa.int64(), False),
        # B: a buyer took the ask; A: a seller hit the bid; N: not told.
        pa.field("aggressor", pa.string(), False),
    ]
)


def levels_of(schema: pa.Schema) -> int:
    """Return how many levels a snapshot file has, by its columns."""
    return sum(1 for name in schema.names if name.startswith("bid_px_"))
