"""What a file of books says of itself: keys and texts in the Parquet metadata."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from tradingd.level2.columns import PRICE_SCALE, SCHEMA_VERSION

PREFIX: Final = "tradingd."

SNAPSHOTS: Final = "l2-snapshots"
TRADES: Final = "l2-trades"


def snapshot_facts(
    *,
    symbol: str,
    day: dt.date,
    levels: int,
    interval_ms: int,
    on_change: bool,
    source: str,
    **more: str,
) -> dict[str, str]:
    """Return the facts that every snapshot file states, and more of the writer's own.

    Parameters
    ----------
    day : date
        New York day.
    interval_ms : int
        Spacing of the grid in milliseconds; 0: none.
    source : str
        Who told the books: ``databento``, ``ibkr``, ``replay``.
    """
    return {
        "contract": SNAPSHOTS,
        "schema_version": SCHEMA_VERSION,
        "price_scale": str(PRICE_SCALE),
        "symbol": symbol,
        "day": day.isoformat(),
        "levels": str(levels),
        "interval_ms": str(interval_ms),
        "on_change": "true" if on_change else "false",
        "source": source,
        **more,
    }


def trade_facts(*, symbol: str, day: dt.date, source: str, **more: str) -> dict[str, str]:
    """Return the facts that every file of trades states, and more of the writer's own."""
    return {
        "contract": TRADES,
        "schema_version": SCHEMA_VERSION,
        "symbol": symbol,
        "day": day.isoformat(),
        "source": source,
        **more,
    }


def with_facts(schema: pa.Schema, facts: Mapping[str, str]) -> pa.Schema:
    """Return the schema with the facts as its metadata."""
    return schema.with_metadata({PREFIX + key: text for key, text in facts.items()})


def read_facts(schema: pa.Schema) -> dict[str, str]:
    """Return the facts of a file, empty where it has none."""
    found = schema.metadata or {}
    return {
        key.decode().removeprefix(PREFIX): text.decode("utf-8", "replace")
        for key, text in found.items()
        if key.startswith(PREFIX.encode())
    }
