"""DBN records and files made by hand, in the vendor's own layout."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import databento_dbn as vendor
import numpy as np
import pyarrow as pa

UNDEF_PRICE = 2**63 - 1
LAST = 128
SUSPECT = 4
MBP_10 = np.dtype(vendor.MBP10Msg._dtypes)
SECOND = 1_000_000_000
START = 1_743_687_000 * SECOND
"""2025-04-03 09:30:00 in New York."""

type Level = tuple[float | None, float | None, int, int, int, int]


def record(
    at: int,
    levels: Sequence[Level] = (),
    *,
    flags: int = LAST,
    action: str = "A",
    side: str = "N",
    price: float = 10.0,
    size: int = 100,
    sequence: int = 0,
    instrument: int = 7,
) -> np.ndarray[Any, Any]:
    """Return one mbp-10 record; `at` in ns after START, prices in dollars, None: no such level."""
    made = np.zeros(1, MBP_10)
    made["length"], made["rtype"], made["publisher_id"] = MBP_10.itemsize // 4, 10, 2
    made["instrument_id"], made["flags"] = instrument, flags
    made["ts_recv"], made["ts_event"] = START + at, START + at - 150_000
    made["action"], made["side"] = action.encode(), side.encode()
    made["price"], made["size"], made["sequence"] = nanos(price), size, sequence
    for level in range(10):
        values = levels[level] if level < len(levels) else (None, None, 0, 0, 0, 0)
        for name, value in zip(("bid_px", "ask_px"), values[:2], strict=True):
            made[f"{name}_{level:02d}"] = UNDEF_PRICE if value is None else nanos(value)
        for name, count in zip(("bid_sz", "ask_sz", "bid_ct", "ask_ct"), values[2:], strict=True):
            made[f"{name}_{level:02d}"] = count
    return made


def nanos(dollars: float) -> int:
    return round(dollars * SECOND)


def records(*made: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.concatenate(made) if made else np.zeros(0, MBP_10)


def metadata(
    *, schema: str = "mbp-10", symbols: dict[str, int] | None = None, version: int = 3
) -> bytes:
    """Return the head of a DBN file for 2025-04-03."""
    import datetime as dt
    from types import SimpleNamespace

    symbols = {"ABC": 7} if symbols is None else symbols
    day = dt.date(2025, 4, 3)
    mappings = [
        SimpleNamespace(
            raw_symbol=name,
            intervals=[
                SimpleNamespace(
                    start_date=day, end_date=day + dt.timedelta(days=1), symbol=str(number)
                )
            ],
        )
        for name, number in symbols.items()
    ]
    return bytes(
        vendor.Metadata(
            dataset="XNAS.ITCH",
            start=START,
            end=START + 3600 * SECOND,
            stype_in=vendor.SType.RAW_SYMBOL,
            stype_out=vendor.SType.INSTRUMENT_ID,
            schema=vendor.Schema.from_str(schema),
            symbols=list(symbols),
            mappings=mappings,
            version=version,
        )
    )


def write_dbn(path: Path, made: np.ndarray[Any, Any], **head: Any) -> Path:
    """Write a DBN file, compressed if its name says so."""
    content = metadata(**head) + made.tobytes()
    if path.suffix == ".zst":
        content = pa.compress(content, codec="zstd", asbytes=True)
    path.write_bytes(content)
    return path
