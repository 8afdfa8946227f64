"""Rows for the store's tests, built without the store's own code."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from tradingd.domain.market import Resolution
from tradingd.history.schema import BARS, QUOTES, TRADES
from tradingd.history.store import Store

MINUTE = 60_000_000_000


def ns(text: str) -> int:
    """UTC nanoseconds of an ISO time."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * 1_000_000_000


def bars(stamps: list[int], closes: list[str], volume: int = 100) -> pa.Table:
    """Flat bars: open = high = low = close."""
    prices = [Decimal(close) for close in closes]
    names = ("open", "high", "low", "close")
    return pa.table(
        {
            "ts_event": stamps,
            "ts_init": stamps,
            **dict.fromkeys(names, prices),
            "volume": [volume] * len(stamps),
        }
    ).cast(BARS)


def minute_bars(start: str, count: int, price: int = 100) -> pa.Table:
    """`count` minutes from `start`; closes count up by one cent."""
    first = ns(start)
    closes = [f"{price + step / 100:.2f}" for step in range(count)]
    return bars([first + step * MINUTE for step in range(count)], closes)


def daily_bars(days: list[str], closes: list[str], volume: int = 100) -> pa.Table:
    """Daily bars closing at 20:00 UTC."""
    return bars([ns(f"{day}T20:00:00") for day in days], closes, volume)


def quotes(stamps: list[int], bids: list[str | None], asks: list[str | None]) -> pa.Table:
    """Quotes of one round lot a side."""
    return pa.table(
        {
            "ts_event": stamps,
            "ts_init": stamps,
            "bid": [None if one is None else Decimal(one) for one in bids],
            "ask": [None if one is None else Decimal(one) for one in asks],
            "bid_size": [None if one is None else 100 for one in bids],
            "ask_size": [None if one is None else 100 for one in asks],
        }
    ).cast(QUOTES)


def trades(stamps: list[int], prices: list[str]) -> pa.Table:
    """Trades of one share."""
    count = len(stamps)
    return pa.table(
        {
            "ts_event": stamps,
            "ts_init": stamps,
            "price": [Decimal(one) for one in prices],
            "size": [1] * count,
            "exchange": ["N"] * count,
            "conditions": [None] * count,
            "suspicious": [False] * count,
        },
        schema=pa.schema(
            [
                *[pa.field(name, pa.int64()) for name in ("ts_event", "ts_init")],
                *[TRADES.field(name) for name in TRADES.names[2:]],
            ]
        ),
    ).cast(TRADES)


def content(store: Store) -> dict[str, list[dict[str, object]]]:
    """Everything the store holds, series by series, as plain rows."""
    contents = store.contents()
    found = {}
    for kind in ("bars", "quotes", "trades"):
        for series in contents.series(kind):  # type: ignore[arg-type]
            table = store.read(series.kind, series.symbol, series.resolution)
            found[str(series)] = [
                {**row, "ts_event": stamp}
                for row, stamp in zip(
                    table.drop_columns(["ts_event", "ts_init"]).to_pylist(),
                    table.column("ts_event").cast(pa.int64()).to_pylist(),
                    strict=True,
                )
            ]
    found["actions"] = [{"action": one} for one in store.actions()]
    return found


def files_on_disk(store: Store) -> list[str]:
    """Parquet files that a globbing tool would see."""
    return sorted(
        path.relative_to(store.root).as_posix()
        for folder in ("bars", "quotes", "trades", "reference")
        for path in (store.root / folder).rglob("*")
        if path.is_file()
    )


MINUTE_BARS = Resolution.MINUTE
DAY_BARS = Resolution.DAY
