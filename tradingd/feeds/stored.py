"""Bars of the history store, for a replay."""

import datetime as dt
from collections.abc import Sequence

from tradingd.domain.market import Resolution
from tradingd.domain.ports import BarFeed
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar


class StoredBars:
    """`Bars` over the store; `sessions` cuts intraday bars to regular hours as they are read."""

    def __init__(
        self,
        store: Store,
        symbols: Sequence[str],
        resolution: Resolution,
        *,
        chunk_rows: int,
        sessions: SessionCalendar | None,
    ) -> None:
        self._store = store
        self._symbols = symbols
        self._resolution = resolution
        self._chunk_rows = chunk_rows
        self._sessions = sessions

    def between(self, start: dt.date | None, end: dt.date | None) -> BarFeed:
        """Return the bars of New York days, both inclusive."""
        return self._store.feed(
            self._symbols,
            self._resolution,
            start,
            end,
            chunk_rows=self._chunk_rows,
            sessions=self._sessions,
        )
