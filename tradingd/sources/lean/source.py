"""The LEAN folder as a source."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from tradingd.config.source import LeanSource as LeanConfig
from tradingd.domain.market import (
    CorporateAction,
    DataKind,
    ReferenceData,
    Resolution,
)
from tradingd.domain.ports import ImportTask
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Integers, Mask, Rows, select, to_table
from tradingd.sources.lean.actions import factor_actions
from tradingd.sources.lean.archive import read_csv_member
from tradingd.sources.lean.identity import Identities, Span, name_changes, read_listings
from tradingd.sources.lean.layout import DataFile, data_files, equity_root, finest_quotes
from tradingd.sources.lean.parsing import new_york_days, parse
from tradingd.sources.lean.shortable import read_shortable
from tradingd.sources.rules import require_sound
from tradingd.sources.wanted import require_known


class LeanSource:
    """A folder in LEAN's layout; construction reads nothing.

    Parameters
    ----------
    config : tradingd.config.source.LeanSource
        Folder and wanted symbols.
    calendar : SessionCalendar, optional
        Whose closes stamp daily bars.
    """

    name = "lean"

    def __init__(self, config: LeanConfig, calendar: SessionCalendar | None = None) -> None:
        self._config = config
        self._calendar = calendar or SessionCalendar()

    @cached_property
    def _root(self) -> Path:
        return equity_root(Path(self._config.path).expanduser())

    @cached_property
    def _identities(self) -> Identities:
        return Identities(read_listings(self._root))

    def tasks(self) -> Sequence[ImportTask]:
        """List the data files of the wanted symbols, one task each, sorted by name."""
        files = [(file, self._spans(file)) for file in finest_quotes(data_files(self._root))]
        wanted = frozenset(self._config.symbols)
        require_known(wanted, {span.symbol for _, spans in files for span in spans})
        return [
            LeanTask(file, spans, wanted, self._calendar)
            for file, spans in files
            if not wanted or wanted.intersection(span.symbol for span in spans)
        ]

    def _spans(self, file: DataFile) -> Sequence[Span]:
        spans = self._identities.spans(file.ticker)
        if file.day is None:
            return spans
        return [span for span in spans if span.first <= file.day <= span.last]

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits, dividends, renames and delistings of the wanted symbols."""
        factors = factor_actions(self._root, self._calendar)
        listings = [one for one in self._identities.listings if self._wants(one.symbol)]
        return [
            *(action for action in factors if self._wants(action.symbol)),
            *name_changes(listings, self._calendar),
        ]

    def reference(self) -> ReferenceData:
        """Return the shares that can be borrowed."""
        shortable = read_shortable(self._root, self._identities)
        wanted = {symbol: days for symbol, days in shortable.items() if self._wants(symbol)}
        return ReferenceData(shortable=wanted)

    def _wants(self, symbol: str) -> bool:
        return not self._config.symbols or symbol in self._config.symbols


class LeanTask:
    """One zip file; `skipped` counts the rows left out, by reason, once it is loaded."""

    def __init__(
        self,
        file: DataFile,
        spans: Sequence[Span],
        wanted: frozenset[str],
        calendar: SessionCalendar,
    ) -> None:
        self._file = file
        self._spans = [span for span in spans if not wanted or span.symbol in wanted]
        self._calendar = calendar
        self.skipped: Mapping[str, int] = {}

    @property
    def label(self) -> str:
        """Path below the folder of the source."""
        return self._file.label

    @property
    def kind(self) -> DataKind:
        """Table the rows belong to."""
        return self._file.kind

    @property
    def resolution(self) -> Resolution | None:
        """Length of trade bars; None for quotes and trades."""
        return self._file.length if self._file.kind is DataKind.BARS else None

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the rows of each security that the file's ticker stood for.

        Raises
        ------
        Failure
            DAMAGED_ARCHIVE, INVALID_ROW or UNREADABLE_INPUT, naming file and row.
        """
        content = read_csv_member(self._file.path, self.label)
        rows, left_out = parse(content, self._file, self._calendar)
        self.skipped = {reason: int(mask.sum()) for reason, mask in left_out.items() if mask.any()}
        order = _kept_in_time_order(rows, left_out)
        rows = select(rows, order)
        require_sound(rows, lambda position: self._place(int(order[position])))
        yield from self._by_security(rows)

    def _place(self, position: int) -> str:
        return f"{self.label}, row {position + 1}, {self._file.ticker}"

    def _by_security(self, rows: Rows) -> Iterator[tuple[str, pa.Table]]:
        days = None if self._file.day else new_york_days(rows.ts)
        for span in self._spans:
            mine = rows
            if days is not None:
                first, last = np.datetime64(span.first, "D"), np.datetime64(span.last, "D")
                mine = select(rows, (days >= first) & (days <= last))
            if len(mine.ts):
                yield span.symbol, to_table(mine)


def _kept_in_time_order(rows: Rows, left_out: Mapping[str, Mask]) -> Integers:
    kept = np.ones(len(rows.ts), dtype=np.bool_)
    for mask in left_out.values():
        kept &= ~mask
    positions = np.flatnonzero(kept)
    order: Integers = positions[np.argsort(rows.ts[positions], kind="stable")]
    return order
