"""Find out whether a strategy knows the future, and how long it needs to warm up.

A decision may depend only on the past. So the same backtest, cut off earlier, must place exactly
the same orders up to the cut; the first order that differs was placed with knowledge of what came
after. A strategy that reads files of its own reads the same ones in every run, which no cut can
show; those files are therefore listed.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tradingd.kits.failure import ExitCode

DEFAULT_CUTS: Final = 3


type Signal = tuple[int, str, str, str, str]


class Placed(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What was decided about one order when it was placed; time UTC ns."""

    ts: int
    symbol: str
    side: str
    quantity: int
    type: str
    purpose: str
    reason: str

    @property
    def signal(self) -> Signal:
        """The decision without its size, which depends on the equity so far."""
        return self.ts, self.symbol, self.side, self.purpose, self.reason

    def text(self) -> str:
        """Return the order as a person reads it."""
        time = dt.datetime.fromtimestamp(self.ts // 1_000_000_000, dt.UTC)
        return (
            f"{time:%Y-%m-%d %H:%M:%S} UTC {self.side} {self.quantity} {self.symbol} "
            f"{self.type} ({self.purpose}: {self.reason})"
        )


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """Every order of one run, sorted, when its data ended (UTC ns), and files that were read."""

    orders: tuple[Placed, ...]
    last_ts: int
    files: tuple[str, ...] = ()


type Decide = Callable[[dt.date | None, dt.date | None], Decisions]
"""Runs the strategy from one session day to another, both inclusive; None: as configured."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One shortened run: how many orders agree, and the first pair that does not."""

    day: dt.date
    compared: int
    with_future: str | None = None
    without_future: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the strategy knew the future."""
        return self.with_future is not None or self.without_future is not None


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """A later start: from when on its signals are those of the full run.

    `sessions` counts from the later start to `agrees_from`; None when they never agree.
    """

    starts: dt.date
    agrees_from: dt.date | None
    sessions: int | None


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `exit_code` is ``LOOK_AHEAD`` when the strategy knew or could know."""

    orders: int
    cuts: tuple[Cut, ...]
    warm_up: WarmUp | None
    files: tuple[str, ...]
    exit_code: int


def validate(decide: Decide, days: Sequence[dt.date], *, cuts: int = DEFAULT_CUTS) -> Validation:
    """Compare the full run with runs that end earlier, and with one that starts later.

    Parameters
    ----------
    decide : callable
        Runs the strategy over a range of days.
    days : sequence of date
        Session days of the full range, in order.
    cuts : int
        How many shortened runs; they end at evenly spaced sessions.
    """
    # Shortest first: what a strategy keeps from an earlier run is then never the future.
    shortened = [(day, decide(None, day)) for day in spread(days, cuts)]
    full = decide(None, None)
    found = tuple(compare(day, short, full) for day, short in shortened)
    late = spread(days, 3)[:1]
    warm_up = converge(days, late[0], decide(late[0], None), full) if late else None
    fault = bool(full.files) or any(cut.differs for cut in found)
    return Validation(
        orders=len(full.orders),
        cuts=found,
        warm_up=warm_up,
        files=full.files,
        exit_code=ExitCode.LOOK_AHEAD if fault else ExitCode.OK,
    )


def spread(days: Sequence[dt.date], count: int) -> list[dt.date]:
    """Return days that part a range evenly; fewer where the range is too short."""
    places = {len(days) * step // (count + 1) for step in range(1, count + 1)}
    return [days[place] for place in sorted(places) if 0 < place < len(days) - 1]


def compare(day: dt.date, short: Decisions, full: Decisions) -> Cut:
    """Find the first order up to the cut that is not in both runs."""
    past = [order for order in full.orders if order.ts <= short.last_ts]
    for number, (with_future, without) in enumerate(zip(past, short.orders, strict=False)):
        if with_future != without:
            return Cut(
                day=day,
                compared=number,
                with_future=with_future.text(),
                without_future=without.text(),
            )
    number = min(len(past), len(short.orders))
    return Cut(
        day=day,
        compared=number,
        with_future=past[number].text() if len(past) > number else None,
        without_future=short.orders[number].text() if len(short.orders) > number else None,
    )


def converge(days: Sequence[dt.date], starts: dt.date, late: Decisions, full: Decisions) -> WarmUp:
    """Find the first session from which a later start gives the full run's signals."""
    later = [day for day in days if day >= starts]
    wanted = _by_day(full, starts)
    found = _by_day(late, starts)
    agrees: dt.date | None = None
    for day in reversed(later):
        if wanted.get(day) != found.get(day):
            break
        agrees = day
    sessions = later.index(agrees) if agrees else None
    return WarmUp(starts=starts, agrees_from=agrees, sessions=sessions)


def _by_day(decisions: Decisions, since: dt.date) -> dict[dt.date, list[Signal]]:
    found: dict[dt.date, list[Signal]] = {}
    for order in decisions.orders:
        day = dt.datetime.fromtimestamp(order.ts // 1_000_000_000, dt.UTC).date()
        if day >= since:
            found.setdefault(day, []).append(order.signal)
    return found
