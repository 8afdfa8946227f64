"""Column layouts of the store's tables; published in `contracts/`.

Prices are DECIMAL(18,9), sizes integers, times naive UTC nanoseconds. `ts_event` of a bar is its
close; `ts_init` is when it could be known (equal to `ts_event` for history). The symbol is a Hive
partition (a folder name), not a column of the files.
"""

from typing import Final

import pyarrow as pa

from tradingd.domain.market import DataKind

PRICE: Final = pa.decimal128(18, 9)
TIME: Final = pa.timestamp("ns")

_TIMES: Final = [pa.field("ts_event", TIME, False), pa.field("ts_init", TIME, False)]

BARS: Final = pa.schema(
    [
        *_TIMES,
        pa.field("open", PRICE, False),
        pa.field("high", PRICE, False),
        pa.field("low", PRICE, False),
        pa.field("close", PRICE, False),
        pa.field("volume", pa.int64(), False),
    ]
)

QUOTES: Final = pa.schema(
    [
        *_TIMES,
        # A one-sided quote has null on the other side.
        pa.field("bid", PRICE),
        pa.field("ask", PRICE),
        pa.field("bid_size", pa.int64()),
        pa.field("ask_size", pa.int64()),
    ]
)

TRADES: Final = pa.schema(
    [
        *_TIMES,
        pa.field("price", PRICE, False),
        pa.field("size", pa.int64(), False),
        pa.field("exchange", pa.string()),
        pa.field("conditions", pa.string()),
        pa.field("suspicious", pa.bool_(), False),
    ]
)

SCHEMAS: Final = {DataKind.BARS: BARS, DataKind.QUOTES: QUOTES, DataKind.TRADES: TRADES}
