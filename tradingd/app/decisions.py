"""Run a configured backtest for its decisions alone: nothing is written."""

import datetime as dt
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.app.backtest import backtest_mode, make_parts, open_feed, simulate
from tradingd.app.lookahead import DEFAULT_CUTS, Decisions, Placed, Validation, validate
from tradingd.config.load import Loaded
from tradingd.config.paths import store_root
from tradingd.config.trees import packaged_tree
from tradingd.domain.orders import Purpose
from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar

_DECISIONS: Final = (Purpose.ENTRY, Purpose.EXIT)
"""Protective stops follow from entries; what they end as depends on where the data ends."""


_MICROSECOND: Final = 1_000
"""The engine submits a nanosecond after the bar, but not after the last bar of all."""


class OrderMemory:
    """A recorder that keeps what was decided about each order and drops everything else."""

    def __init__(self) -> None:
        self.placed: list[Placed] = []

    def order(self, row: OrderRecord) -> None:
        """Keep the decision; how it ended may depend on where the data ends."""
        if row.purpose in _DECISIONS:
            self.placed.append(
                Placed(
                    ts=row.ts_submitted // _MICROSECOND * _MICROSECOND,
                    symbol=row.symbol,
                    side=row.side,
                    quantity=row.quantity,
                    type=row.type,
                    purpose=row.purpose,
                    reason=row.reason,
                )
            )

    def fill(self, row: FillRecord) -> None:
        """Drop it."""

    def position(self, row: PositionRecord) -> None:
        """Drop it."""

    def equity(self, row: EquityRecord) -> None:
        """Drop it."""

    def denial(self, row: DenialRecord) -> None:
        """Drop it."""

    def cash(self, row: CashRecord) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing waits."""


def validate_backtest(
    loaded: Loaded,
    *,
    cuts: int = DEFAULT_CUTS,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Validation:
    """Look for knowledge of the future in a configured backtest.

    Costs one run per cut, the full run and one that starts later.

    Parameters
    ----------
    loaded : Loaded
        The configuration of the full run.
    cuts : int
        How many shortened runs.
    progress : callable
        Called with (runs done, runs in all).

    Raises
    ------
    Failure
        What the backtest itself would refuse or fail with.
    """
    mode = backtest_mode(loaded.config)
    done = 0

    def run(start: dt.date | None, end: dt.date | None) -> Decisions:
        nonlocal done
        found = decide(loaded, start or mode.start, end or mode.end)
        done += 1
        progress(done, cuts + 2)
        return found

    return validate(run, session_days(loaded), cuts=cuts)


def session_days(loaded: Loaded) -> list[dt.date]:
    """Return the session days between the first and the last bar of a configured run."""
    mode = backtest_mode(loaded.config)
    store = Store(store_root(loaded.config), loaded.config.store)
    spans = [(one.start_ns, one.end_ns) for one in open_feed(store, loaded.config, mode).chunks()]
    if not spans:
        return []
    first, last = spans[0][0], spans[-1][1]
    sessions = SessionCalendar(loaded.config.session.calendar).sessions
    return [one.day for one in sessions if one.close_ns >= first and one.open_ns <= last]


def decide(loaded: Loaded, start: dt.date | None, end: dt.date | None) -> Decisions:
    """Run a configuration over a range of days and return its decisions."""
    mode = msgspec.structs.replace(backtest_mode(loaded.config), start=start, end=end)
    config = msgspec.structs.replace(loaded.config, mode=mode)
    store = Store(store_root(config), config.store)
    memory = OrderMemory()
    with _files_read([store.root]) as files:
        feed = open_feed(store, config, mode)
        parts = make_parts(config, store, feed)
        outcome = simulate(config, mode, parts, feed, memory, lambda _done, _all: None)
    return Decisions(
        orders=tuple(sorted(memory.placed)), last_ts=outcome.last_ts, files=tuple(sorted(files))
    )


class _Watch:
    """The process-wide audit hook: installed once, silent unless a set is lent to it."""

    files: set[str] | None = None
    installed = False

    @classmethod
    def saw(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.files is None or event != "open":
            return
        path, mode, _flags = arguments
        # Module code and byte code are opened too: those end in .py and .pyc.
        if isinstance(path, str) and mode and "r" in mode and not path.endswith((".py", ".pyc")):
            cls.files.add(str(Path(path).absolute()))


@contextmanager
def _files_read(ours: list[Path]) -> Iterator[set[str]]:
    """Collect files that Python code opens for reading, apart from our own and Python's.

    Files that compiled libraries open by themselves (Parquet through pyarrow, DuckDB) stay unseen.
    """
    if not _Watch.installed:
        sys.addaudithook(_Watch.saw)
        _Watch.installed = True
    opened: set[str] = set()
    foreign: set[str] = set()
    _Watch.files = opened
    try:
        yield foreign
    finally:
        _Watch.files = None
        foreign |= {file for file in opened if not _expected(Path(file), ours)}


def _expected(file: Path, ours: list[Path]) -> bool:
    known = [*ours, packaged_tree(), Path(sys.prefix), Path(sys.base_prefix)]
    known += [Path(place) for place in sysconfig.get_paths().values()]
    known += [Path(__file__).resolve().parents[1], Path("/proc"), Path("/sys"), Path("/dev")]
    known += [Path("/usr/share/zoneinfo"), Path("/etc")]
    return any(file.is_relative_to(folder) for folder in known)
