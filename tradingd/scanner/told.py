"""Baselines out of bars that a feed tells of the days before."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tradingd.domain.feed import Batch
from tradingd.domain.market import NANOSECONDS, ActionKind, CorporateAction, Session
from tradingd.domain.money import Nanos
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline, cumulated
from tradingd.session.calendar import SessionCalendar, local_midnight_ns

_MINUTE = 60 * NANOSECONDS


class _Told:
    """Sums of one symbol, in the share units of the asked day."""

    def __init__(self) -> None:
        self.minutes = [0.0] * MINUTES_A_DAY
        self.regular = 0.0
        self.days: set[dt.date] = set()
        self.prior_close: Nanos | None = None


def baselines_of(
    batches: Iterable[Batch],
    day: dt.date,
    calendar: SessionCalendar,
    *,
    sessions: int,
    actions: Sequence[CorporateAction] = (),
) -> Mapping[str, Baseline]:
    """Return what is usual before a New York day, by symbol.

    Parameters
    ----------
    batches : iterable of Batch
        Minute bars, unadjusted; those outside the last `sessions` sessions before `day` are not
        used.
    day : datetime.date
        The New York day that is scanned.
    calendar : SessionCalendar
    sessions : int
        Sessions before the day that make the mean.
    actions : sequence of CorporateAction
        Splits up to the day are applied.
    """
    wanted = calendar.between(dt.date.min, day - dt.timedelta(days=1))[-sessions:]
    if not wanted:
        return {}
    splits = [one for one in actions if one.kind is ActionKind.SPLIT and one.ex_date <= day]
    told: dict[str, _Told] = defaultdict(_Told)
    starts = [(local_midnight_ns(one.day), one) for one in wanted]
    for batch in batches:
        if (found := _session_of(batch.ts, starts)) is not None:
            _add(told, batch, *found, last=wanted[-1], splits=splits)
    return {symbol: _baseline(one) for symbol, one in told.items()}


def _session_of(ts: int, starts: Sequence[tuple[int, Session]]) -> tuple[int, Session] | None:
    """Return the session on whose New York day a bar closed, with that day's midnight."""
    for midnight, session in reversed(starts):
        if ts > midnight:
            inside = ts <= midnight + MINUTES_A_DAY * _MINUTE
            return (midnight, session) if inside else None
    return None


def _add(
    told: dict[str, _Told],
    batch: Batch,
    midnight: int,
    session: Session,
    *,
    last: Session,
    splits: Sequence[CorporateAction],
) -> None:
    minute = (batch.ts - 1 - midnight) // _MINUTE
    for bar in batch.bars:
        one = told[bar.symbol]
        up, down = _ratio(bar.symbol, session.day, splits)
        volume = bar.volume * up / down
        one.minutes[minute] += volume
        one.days.add(session.day)
        if session.contains_bar(batch.ts):
            one.regular += volume
            if session is last:
                one.prior_close = bar.close * down // up


def _ratio(symbol: str, day: dt.date, splits: Sequence[CorporateAction]) -> tuple[int, int]:
    """Return (new, old): what one share of a day became by the asked day."""
    up = down = 1
    for split in splits:
        if split.symbol == symbol and split.ex_date > day:
            up, down = up * split.numerator, down * split.denominator
    return up, down


def _baseline(told: _Told) -> Baseline:
    days = len(told.days)
    return Baseline(
        prior_close=told.prior_close,
        usual=cumulated([one / days for one in told.minutes]),
        sessions=days,
        average_volume=told.regular / days,
    )
