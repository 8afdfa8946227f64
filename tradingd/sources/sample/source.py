"""The packaged daily bars as a source."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tradingd.config.source import SampleSource as SampleConfig
from tradingd.domain.market import CorporateAction, DataKind, ReferenceData, Resolution
from tradingd.domain.ports import ImportTask
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars, to_table
from tradingd.sources.rules import require_sound
from tradingd.sources.sample.actions import Day, derive_actions
from tradingd.sources.sample.dataset import FILE, read_dataset, rows_of, tickers_of
from tradingd.sources.tabular.values import nanos_of_doubles
from tradingd.sources.times import session_closes


class SampleSource:
    """Five symbols, 2000-03-01 to 2013-03-01, unadjusted; construction reads nothing."""

    name = "sample"

    def __init__(self, config: SampleConfig, calendar: SessionCalendar | None = None) -> None:
        self._config = config
        self._calendar = calendar or SessionCalendar()

    def tasks(self) -> Sequence[ImportTask]:
        """List one task per symbol."""
        return [SampleTask(ticker, self._calendar) for ticker in tickers_of(read_dataset())]

    def actions(self) -> Sequence[CorporateAction]:
        """Return the splits and dividends that the adjusted closes imply."""
        table = read_dataset()
        return [
            action
            for ticker in tickers_of(table)
            for action in derive_actions(ticker, _days(rows_of(table, ticker)))
        ]

    def reference(self) -> ReferenceData:
        """Return nothing: the package has prices only."""
        return ReferenceData()


class SampleTask:
    """The daily bars of one symbol."""

    kind = DataKind.BARS
    resolution: Resolution | None = Resolution.DAY
    skipped: ClassVar[Mapping[str, int]] = {}

    def __init__(self, ticker: str, calendar: SessionCalendar) -> None:
        self._ticker = ticker
        self._calendar = calendar

    @property
    def label(self) -> str:
        """Name of the packaged file and the symbol."""
        return f"{FILE}:{self._ticker}"

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the symbol's bars; every row of the package passes the rules (as of 2026.1)."""
        table = rows_of(read_dataset(), self._ticker)
        ts = session_closes(self._calendar, table["Date"].to_numpy())
        opened, high, low, close = (
            nanos_of_doubles(table[name].to_numpy()) for name in ("Open", "High", "Low", "Close")
        )
        volume = table["Volume"].to_numpy().astype(np.int64)
        bars = Bars(ts, opened, high, low, close, volume)
        require_sound(bars, lambda position: f"{self.label}, row {position + 1}")
        yield self._ticker, to_table(bars)


def _days(table: pa.Table) -> list[Day]:
    return [
        Day(day, Decimal(repr(close)), Decimal(adjusted))
        for day, close, adjusted in zip(
            table["Date"].to_pylist(),
            table["Close"].to_pylist(),
            table["Adj Close"].to_pylist(),
            strict=True,
        )
    ]
