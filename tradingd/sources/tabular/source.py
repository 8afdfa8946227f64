"""CSV and Parquet files as a source."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.config.source import TabularSource as TabularConfig
from tradingd.domain.market import CorporateAction, DataKind, ReferenceData, Resolution
from tradingd.domain.ports import ImportTask
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Integers, Mask, Rows, select, to_table
from tradingd.sources.rules import EXPECTED, defects, repeated_times
from tradingd.sources.tabular import facts
from tradingd.sources.tabular.layouts import LAYOUTS, file_names
from tradingd.sources.tabular.reading import input_files, read_table
from tradingd.sources.tabular.rows import Converted, convert
from tradingd.sources.tabular.symbols import upper_symbols
from tradingd.sources.tabular.values import Unreadable

UNREADABLE: Final = "unreadable value"


class TabularSource:
    """A file or a folder of files in the documented layout; construction reads nothing.

    Whether prices are already split-adjusted (`source.adjusted`) is for the importer to record.
    """

    name = "tabular"

    def __init__(self, config: TabularConfig, calendar: SessionCalendar | None = None) -> None:
        self._config = config
        self._calendar = calendar or SessionCalendar()

    @cached_property
    def _files(self) -> list[Path]:
        return input_files(Path(self._config.path).expanduser())

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return file_names(self._config.data, self._config.columns)

    def tasks(self) -> Sequence[ImportTask]:
        """List one task per file; none where the files hold facts instead of prices."""
        if self._config.data not in set(DataKind):
            return []
        return [
            TabularTask(path, self._config, self._names, self._calendar) for path in self._files
        ]

    def actions(self) -> Sequence[CorporateAction]:
        """Return the actions of an `actions` table."""
        if self._config.data != "actions":
            return []
        return facts.actions(self._files, self._names, self.name)

    def reference(self) -> ReferenceData:
        """Return the dates of an `earnings` table, the shares of a `borrow` table."""
        match self._config.data:
            case "earnings":
                return ReferenceData(earnings=facts.earnings(self._files, self._names))
            case "borrow":
                return ReferenceData(shortable=facts.borrow(self._files, self._names))
            case _:
                return ReferenceData()


class TabularTask:
    """One file, read whole; `skipped` counts rows left out, by rule, once it is loaded."""

    def __init__(
        self,
        path: Path,
        config: TabularConfig,
        names: Mapping[str, str],
        calendar: SessionCalendar,
    ) -> None:
        self._path = path
        self._config = config
        self._names = names
        self._calendar = calendar
        self.skipped: Mapping[str, int] = {}

    @property
    def label(self) -> str:
        """Name of the file."""
        return self._path.name

    @property
    def kind(self) -> DataKind:
        """Table the rows belong to."""
        return DataKind(self._config.data)

    @property
    def resolution(self) -> Resolution | None:
        """Length of the bars; None for quotes and trades."""
        return Resolution(self._config.resolution) if self.kind is DataKind.BARS else None

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the rows of each symbol, sorted by time.

        Raises
        ------
        Failure
            DAMAGED_PARQUET, UNREADABLE_INPUT or INVALID_ROW, naming file, row, symbol and rule.
        """
        table = read_table(self._path, LAYOUTS[self.kind], self._names)
        symbols = upper_symbols(table["symbol"], self.label)
        converted = self._convert(table)
        skipped: Counter[str] = Counter()
        for symbol, positions in _by_symbol(symbols, converted.rows.ts):
            kept = self._sound(table, symbol, converted, positions, skipped)
            if len(kept):
                yield symbol, to_table(select(converted.rows, kept))
        self.skipped = dict(sorted(skipped.items()))

    def _convert(self, table: pa.Table) -> Converted:
        daily = self.resolution is Resolution.DAY
        try:
            return convert(table, self.kind, daily=daily, calendar=self._calendar)
        except Unreadable as error:
            raise self._invalid(UNREADABLE, error.expected, table, error.row) from None

    def _sound(
        self,
        table: pa.Table,
        symbol: str,
        converted: Converted,
        positions: Integers,
        skipped: Counter[str],
    ) -> Integers:
        """Return the positions of possible rows; count the others or refuse the first."""
        for rule, mask in _broken(converted, positions):
            if not mask.any():
                continue
            if not self._config.skip_invalid:
                row = int(positions[np.argmax(mask)])
                raise self._invalid(rule, EXPECTED[rule], table, row)
            skipped[rule] += int(mask.sum())
            positions = positions[~mask]
            return self._sound(table, symbol, converted, positions, skipped)
        return positions

    def _invalid(self, rule: str, expected: str, table: pa.Table, row: int) -> Failure:
        cells = table.slice(row, 1).to_pylist()[0]
        symbol, time = cells.pop("symbol"), cells.pop("ts_event")
        readable = rule != UNREADABLE
        return Failure(
            f"invalid row ({rule})",
            code=ExitCode.INVALID_ROW,
            where=f"{self.label}, row {row + 1}, {symbol} at {time}",
            expected=expected,
            found=" ".join(f"{name}={value}" for name, value in cells.items())
            if readable
            else str(time),
            next_step="correct the row"
            + (", or set source.skip_invalid=true to leave such rows out" if readable else ""),
        )


def _broken(converted: Converted, positions: Integers) -> Iterator[tuple[str, Mask]]:
    for rule, mask in converted.broken.items():
        yield rule, mask[positions]
    rows: Rows = select(converted.rows, positions)
    yield from defects(rows)
    yield "repeated_time", repeated_times(rows)


def _by_symbol(symbols: pa.ChunkedArray, ts: Integers) -> Iterator[tuple[str, Integers]]:
    """Yield each symbol with its row positions in time order."""
    encoded = pc.dictionary_encode(symbols.combine_chunks())
    names = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()
    order = np.lexsort((ts, codes))
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for code in sorted(range(len(names)), key=names.__getitem__):
        yield names[code], order[edges[code] : edges[code + 1]]
