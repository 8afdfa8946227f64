"""The same numbers as a person would write them in polars."""

from pathlib import Path
from typing import Any, Literal

import polars as pl

from tests.benchmarks.microstructure.books import LEVELS

NO_ASK = 2**31 - 1


def _flow(level: int) -> pl.Expr:
    bid, ask = pl.col(f"bid_px_{level:02d}").fill_null(0), pl.col(f"ask_px_{level:02d}")
    ask = ask.fill_null(NO_ASK)
    bid_size = pl.col(f"bid_sz_{level:02d}").cast(pl.Int64)
    ask_size = pl.col(f"ask_sz_{level:02d}").cast(pl.Int64)
    return (
        pl.when(bid >= bid.shift(1)).then(bid_size).otherwise(0)
        - pl.when(bid <= bid.shift(1)).then(bid_size.shift(1)).otherwise(0)
        - pl.when(ask <= ask.shift(1)).then(ask_size).otherwise(0)
        + pl.when(ask >= ask.shift(1)).then(ask_size.shift(1)).otherwise(0)
    ).alias(f"flow_{level}")


def measures(path: Path, engine: Literal["in-memory", "streaming"]) -> dict[str, Any]:
    """Order flow by second and level; time-weighted spread and sizes of usable states."""
    frame = pl.scan_parquet(path)
    ts = pl.col("ts").cast(pl.Int64)
    flow = (
        frame.select(
            ((ts + 999_999_999) // 1_000_000_000).alias("second"),
            *[_flow(level) for level in range(LEVELS)],
        )
        .slice(1)
        .group_by("second")
        .agg(pl.all().sum())
        .select(
            pl.len().alias("seconds"),
            *[pl.col(f"flow_{level}").sum().alias(f"sum_{level}") for level in range(LEVELS)],
            *[
                (pl.col(f"flow_{level}").cast(pl.Float64) ** 2).sum().alias(f"square_{level}")
                for level in range(LEVELS)
            ],
        )
    )
    bid, ask = pl.col("bid_px_00"), pl.col("ask_px_00")
    usable = (bid < ask).fill_null(False)
    weight = ((ts.shift(-1) - ts).fill_null(0) * usable).cast(pl.Float64)
    sizes = [f"{side}_sz_{level:02d}" for side in ("bid", "ask") for level in range(LEVELS)]
    depth = frame.select(
        (((ask - bid) * weight).sum() / weight.sum() / 100).alias("spread"),
        *[((pl.col(name) * weight).sum() / weight.sum()) for name in sizes],
    )
    first, second = pl.collect_all([flow, depth], engine=engine)
    flows, depths = first.row(0, named=True), second.row(0, named=True)
    return {
        "flow": [flows[f"sum_{level}"] for level in range(LEVELS)],
        "flow_square": [flows[f"square_{level}"] for level in range(LEVELS)],
        "seconds": flows["seconds"],
        "spread": depths["spread"],
        "bid": [depths[name] for name in sizes[:LEVELS]],
        "ask": [depths[name] for name in sizes[LEVELS:]],
    }
