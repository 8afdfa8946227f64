from decimal import Decimal

import numpy as np
import pyarrow as pa

from tradingd.sources.columns import price_array, price_nanos


def test_nanos_become_exact_decimals_and_back() -> None:
    nanos = np.array([1, -1, 136_300_000_000, 999_999_999_999_999_999], dtype=np.int64)
    prices = price_array(nanos)
    assert prices.to_pylist() == [
        Decimal("0.000000001"),
        Decimal("-0.000000001"),
        Decimal("136.300000000"),
        Decimal("999999999.999999999"),
    ]
    assert price_nanos(pa.chunked_array([prices])).tolist() == nanos.tolist()
    assert price_nanos(prices.slice(2, 1)).tolist() == [136_300_000_000]


def test_missing_prices_become_null() -> None:
    prices = price_array(np.array([0, 5], dtype=np.int64), np.array([True, False]))
    assert prices.to_pylist() == [None, Decimal("0.000000005")]
