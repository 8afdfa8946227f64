"""How a replay asks for bars: a range of days in, a stream of stored bars out."""

import datetime as dt
from typing import Protocol

from tradingd.domain.ports import BarFeed
from tradingd.kits.failure import ExitCode, Failure


class Bars(Protocol):
    """Bars that can be streamed from any day on: the store, the sample, invented ones."""

    def between(self, start: dt.date | None, end: dt.date | None) -> BarFeed:
        """Return the bars of New York days, both inclusive; None is open-ended.

        Raises
        ------
        Failure
            EMPTY_RANGE when the days hold no bar.
        """
        ...


def bars_if_any(bars: Bars, start: dt.date | None, end: dt.date | None) -> BarFeed | None:
    """Return the bars of some days, None where there are none."""
    if start is not None and end is not None and start > end:
        return None
    try:
        return bars.between(start, end)
    except Failure as failure:
        if failure.code is ExitCode.EMPTY_RANGE:
            return None
        raise


def empty_range(where: str, start: dt.date | None, end: dt.date | None, found: str) -> Failure:
    """Return the refusal of a range without bars."""
    if start and end and end < start:
        return Failure(
            "the range ends before it begins",
            code=ExitCode.EMPTY_RANGE,
            where="feed.end",
            expected=f"{start} or later",
            found=str(end),
        )
    return Failure(
        f"{where} has no bars in the asked range",
        code=ExitCode.EMPTY_RANGE,
        where="feed.start, feed.end",
        expected=f"days within {found}",
        found=f"{start or 'the first day'} to {end or 'the last day'}",
        next_step="state days that the data has, or leave them out",
    )
