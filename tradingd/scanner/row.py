"""One line of a scan."""

from decimal import Decimal

import msgspec


class ScanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol as the scan sees it; None where something is not known, and `unknown` says so.

    Prices are dollars, exact. `gap_percent`: last price over the prior session's close.
    `relative_volume`: `volume`, in shares since the window began, over the mean of the same
    minutes of the sessions before. `at` is the close of the last bar, UTC ns.
    """

    symbol: str
    last: Decimal
    prior_close: Decimal | None
    gap_percent: float | None
    high: Decimal
    low: Decimal
    volume: int
    usual_volume: float | None
    relative_volume: float | None
    average_volume: float | None
    float_shares: int | None
    spread_percent: float | None
    at: int
    unknown: tuple[str, ...] = ()


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The table at one moment of data time.

    `seen` counts symbols with a bar in the window, `left_out` those that a filter kept off the
    table, by reason; `silent` those asked for that have no bar in the window.
    """

    label: str
    synthetic: bool
    day: str
    at: int
    rows: tuple[ScanRow, ...]
    seen: int
    passed: int
    left_out: dict[str, int]
    silent: int
    without_baseline: tuple[str, ...]
