"""Fill what is missing, from the first source that passes the checks."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import pyarrow as pa

from tradingd.app.sync.asking import Asked
from tradingd.app.sync.plan import Missing, missing, sessions_of, symbols_of
from tradingd.app.sync.report import Attempt, Outcome, RangeReport, Synced
from tradingd.app.sync.verdict import Choice, Offer, choose, clean, counting
from tradingd.config.sync import SyncConfig
from tradingd.config.system import SystemConfig
from tradingd.domain.market import CorporateAction, DataKind, Resolution, Session
from tradingd.history.merge import Written
from tradingd.history.schema import BARS
from tradingd.history.span import Span
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.quality.candidate import Candidate, Judge
from tradingd.session.calendar import SessionCalendar

type Progress = Callable[[int, int, str], None]

_NOTHING: Final = frozenset({ExitCode.EMPTY_RANGE, ExitCode.UNKNOWN_SYMBOL, ExitCode.NO_DATA})
_VERDICTS: Final = {
    Outcome.STORED: "clean",
    Outcome.CONFIRMED: "confirmed",
    Outcome.FLAGGED: "flagged",
}


def sync(
    config: SystemConfig,
    store: Store,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _done, _all, _label: None,
    wall: Callable[[], int] = time.time_ns,
) -> Synced:
    """Fetch the missing sessions of the configured symbols, judge them and store them.

    Each range is stored by itself: an interrupted sync is completed by the next one.

    Raises
    ------
    Failure
        NO_DATA, EMPTY_RANGE, STORE_LOCKED, STORE_WRITE; CONFIG or INSTALL when no source can be
        used at all.
    """
    began = time.perf_counter()
    calendar = SessionCalendar(config.session.calendar)
    symbols = symbols_of(config, store)
    sessions = sessions_of(config.sync, calendar, wall())
    wanted = list(missing(config.sync, store, symbols, sessions))
    sources = [Asked(one) for one in config.sync.sources]
    filler = Filler(config.sync, store, sources, calendar, sessions)
    if dry_run:
        ranges = [_report(one, Choice(outcome=Outcome.PLANNED)) for one in wanted]
    else:
        ranges = filler.fill(wanted, progress)
    return Synced(
        exit_code=ExitCode.OK if dry_run else _exit_code(ranges, filler.untold),
        dry_run=dry_run,
        resolution=config.sync.resolution,
        first=sessions[0].day,
        last=sessions[-1].day,
        sources=tuple(one.name for one in sources),
        symbols=len(symbols),
        complete=len(symbols) - len({one.symbol for one in wanted}),
        ranges=tuple(ranges),
        outcomes=dict(sorted(Counter(str(one.outcome) for one in ranges).items())),
        by_source=dict(Counter(one.source for one in ranges if one.source)),
        rows_new=sum(one.rows_new for one in ranges),
        rows_same=sum(one.rows_same for one in ranges),
        rows_revised=sum(one.rows_revised for one in ranges),
        actions=filler.actions_changed,
        actions_missing=tuple(filler.untold),
        put_aside={one.name: one.aside.line() for one in sources if one.aside},
        seconds=round(time.perf_counter() - began, 3),
    )


class Filler:
    """Works through ranges; one per sync."""

    def __init__(
        self,
        config: SyncConfig,
        store: Store,
        sources: Sequence[Asked],
        calendar: SessionCalendar,
        sessions: Sequence[Session],
    ) -> None:
        self._config = config
        self._store = store
        self._sources = sources
        self._calendar = calendar
        self._sessions = sessions
        self._resolution = Resolution(config.resolution)
        self._actions: dict[str, list[CorporateAction]] = {}
        self.actions_changed = 0
        self.untold: list[str] = []

    def fill(self, wanted: Sequence[Missing], progress: Progress) -> list[RangeReport]:
        """Fill every range; report each."""
        ranges = []
        with Judge(self._calendar) as judge:
            for done, one in enumerate(wanted, start=1):
                ranges.append(self._fill_one(one, judge))
                progress(done, len(wanted), one.symbol)
        return ranges

    def _fill_one(self, wanted: Missing, judge: Judge) -> RangeReport:
        actions = self._actions_of(wanted)
        offers: list[Offer] = []
        for source in self._sources:
            offers.append(
                self._judged(source.bars(wanted, self._resolution), wanted, judge, actions)
            )
            if clean(offers[-1]):
                break
        self._require_usable()
        choice = choose(offers, take_best=self._config.none_clean == "take_best")
        if choice.offer is None:
            return _report(wanted, choice, offers=offers)
        try:
            return _report(wanted, choice, self._store_rows(wanted, choice), offers)
        except Failure as failure:
            if failure.code is not ExitCode.INVALID_ROW:
                raise
            # The store's own door: these prices would be mixed with split-adjusted ones.
            refused = Attempt(source="store", answer="refused", why=failure.what)
            closed = _report(wanted, Choice(outcome=Outcome.REFUSED), offers=offers)
            return msgspec.structs.replace(closed, attempts=(*closed.attempts, refused))

    def _judged(
        self, offer: Offer, wanted: Missing, judge: Judge, actions: Sequence[CorporateAction]
    ) -> Offer:
        if not offer.has_rows:
            return offer
        assert offer.rows is not None
        candidate = Candidate(
            symbol=wanted.symbol,
            resolution=self._resolution,
            rows=offer.rows,
            context=self._context(wanted),
            sessions=wanted.sessions,
            actions=actions,
        )
        found = judge.findings(candidate, min_coverage=self._config.min_coverage)
        return Offer(
            source=offer.source,
            rows=offer.rows,
            findings=counting(found, self._config.refuse),
        )

    def _context(self, wanted: Missing) -> pa.Table:
        """Return stored bars on both sides of a range, without the range itself."""
        reach, all_sessions = self._config.context_sessions, self._calendar.sessions
        if not reach:
            return BARS.empty_table()
        around = Span.of_days(wanted.sessions[0].day, wanted.sessions[-1].day)
        days = [one.day for one in all_sessions]
        first = max(0, days.index(wanted.sessions[0].day) - reach)
        last = min(len(days) - 1, days.index(wanted.sessions[-1].day) + reach)
        try:
            rows = self._store.read(
                DataKind.BARS, wanted.symbol, self._resolution, days[first], days[last]
            )
        except Failure as failure:
            if failure.code not in _NOTHING:
                raise
            return BARS.empty_table()
        offset, length = around.slice_of(rows.column("ts_event").cast(pa.int64()).to_numpy())
        return pa.concat_tables([rows.slice(0, offset), rows.slice(offset + length)])

    def _actions_of(self, wanted: Missing) -> list[CorporateAction]:
        """Return what is known of a symbol's actions; ask and store them once per symbol.

        The whole looked-at time is asked for, by the first source that can tell.
        """
        symbol = wanted.symbol
        if symbol not in self._actions:
            if self._config.actions:
                self._fetch_actions(symbol)
            self._actions[symbol] = self._store.actions([symbol])
        return self._actions[symbol]

    def _fetch_actions(self, symbol: str) -> None:
        whole = Missing(symbol=symbol, sessions=tuple(self._sessions))
        silent = False
        for source in self._sources:
            told = source.actions(whole, self._resolution)
            silent |= told.failed
            if told.actions is not None:
                if told.actions:
                    with self._store.batch(source.name) as batch:
                        counts = batch.actions(told.actions)
                    self.actions_changed += counts.rows_new + counts.rows_revised
                return
        if silent:
            self.untold.append(symbol)

    def _store_rows(self, wanted: Missing, choice: Choice) -> Written:
        assert choice.offer is not None
        with (
            self._store.batch(
                choice.offer.source, verdict=_VERDICTS[choice.outcome], note=choice.note
            ) as batch,
            batch.unit(),
        ):
            return batch.bars(self._resolution, wanted.symbol, choice.offer.rows)

    def _require_usable(self) -> None:
        """End the sync when every source lacks its key or its package."""
        first = self._sources[0].aside
        if first is not None and all(one.unusable for one in self._sources):
            raise first


def _report(
    wanted: Missing, choice: Choice, written: Written | None = None, offers: Sequence[Offer] = ()
) -> RangeReport:
    counts = written or Written()
    return RangeReport(
        symbol=wanted.symbol,
        first=wanted.sessions[0].day,
        last=wanted.sessions[-1].day,
        sessions=len(wanted.sessions),
        outcome=choice.outcome,
        source=choice.offer.source if choice.offer else "",
        rows_new=counts.rows_new,
        rows_same=counts.rows_same,
        rows_revised=counts.rows_revised,
        attempts=tuple(one.attempt() for one in offers),
    )


def _exit_code(ranges: Sequence[RangeReport], untold: Sequence[str]) -> ExitCode:
    """Return the most telling code: no answer before bad quality before unknown symbols."""
    outcomes = {one.outcome for one in ranges}
    if Outcome.FAILED in outcomes or untold:
        return ExitCode.SOURCE
    if Outcome.REFUSED in outcomes:
        return ExitCode.QUALITY
    if Outcome.UNKNOWN in outcomes:
        return ExitCode.UNKNOWN_SYMBOL
    return ExitCode.OK
