"""Which symbols are worth a look. Pure: a row and the limits in, the reason to leave it out."""

from collections.abc import Callable, Sequence
from typing import Final

from tradingd.config.scan import ScanConfig
from tradingd.scanner.row import ScanRow

type _Filter = Callable[[ScanRow, ScanConfig], bool]

_FILTERS: Final[tuple[tuple[str, _Filter], ...]] = (
    ("no prior close", lambda row, _: row.prior_close is None),
    ("price below min_price", lambda row, limits: row.last < limits.min_price),
    ("price above max_price", lambda row, limits: row.last > limits.max_price),
    (
        "gap below min_gap_percent",
        lambda row, limits: row.gap_percent is None or row.gap_percent < limits.min_gap_percent,
    ),
    ("volume below min_volume", lambda row, limits: row.volume < limits.min_volume),
    (
        "relative volume below min_relative_volume",
        lambda row, limits: (
            row.relative_volume is not None and row.relative_volume < limits.min_relative_volume
        ),
    ),
    (
        "average volume below min_average_volume",
        lambda row, limits: (
            bool(limits.min_average_volume)
            and row.average_volume is not None
            and row.average_volume < limits.min_average_volume
        ),
    ),
    (
        "float above max_float",
        lambda row, limits: (
            bool(limits.max_float)
            and row.float_shares is not None
            and row.float_shares > limits.max_float
        ),
    ),
    (
        "spread above max_spread_percent",
        lambda row, limits: (
            bool(limits.max_spread_percent)
            and row.spread_percent is not None
            and row.spread_percent > limits.max_spread_percent
        ),
    ),
)

REASONS: Final = tuple(name for name, _ in _FILTERS)


def left_out(row: ScanRow, limits: ScanConfig) -> str:
    """Return the first reason that keeps a row off the table, "" when none does.

    A prior close is needed; what else is unknown (float, spread, average volume, relative volume)
    passes, marked in `ScanRow.unknown`.
    """
    return next((name for name, refuses in _FILTERS if refuses(row, limits)), "")


_KEYS: Final[dict[str, Callable[[ScanRow], float]]] = {
    "gap": lambda row: -(row.gap_percent or 0.0),
    "relative_volume": lambda row: -(row.relative_volume or 0.0),
    "volume": lambda row: -row.volume,
    "price": lambda row: -float(row.last),
    "symbol": lambda row: 0.0,
}


def ordered(rows: Sequence[ScanRow], by: str) -> list[ScanRow]:
    """Return the rows with the largest first; equal ones, and `symbol`, from A to Z."""
    return sorted(rows, key=lambda row: (_KEYS[by](row), row.symbol))
