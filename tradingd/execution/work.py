"""One order as it is worked: a pure state machine, told of time and of what became of its child.

At most one child is out. A new one goes out only when the one before is known to be over: a cancel
that nobody has confirmed, or an order whose outcome is unknown, blocks the next step.

    place ─ timeout ─▶ cancel ─ confirmed ─▶ new price ─ ... ─▶ enough | given up | at the market
"""

from enum import Enum, StrEnum, auto
from typing import Final

import msgspec

from tradingd.config.execution import LimitStyle
from tradingd.domain.market import NANOSECONDS
from tradingd.execution.schedule import begins, targets

_MILLION: Final = 1_000_000


class Over(StrEnum):
    """How a child ended."""

    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REFUSED = "REFUSED"


class Place(msgspec.Struct, frozen=True):
    """Send a child: price `number` of `of`, in part `part` of `parts`; False `limit`: market."""

    quantity: int
    limit: bool
    number: int
    of: int
    part: int = 1
    parts: int = 1


class Cancel(msgspec.Struct, frozen=True):
    """Take the child back."""


class End(msgspec.Struct, frozen=True):
    """The order is over: what filled, what did not, and why."""

    filled: int
    remainder: int
    why: str


type Command = Place | Cancel | End


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be worked.

    `entry` may be given up; an exit ends at the market. `started`, `opens` and `until` are UTC ns:
    when it was decided, when the session it trades in opens (time counts from the later of the
    two), and when it must be over.
    """

    quantity: int
    entry: bool
    started: int
    opens: int
    until: int


class _Stage(Enum):
    IDLE = auto()
    """Nothing is out."""
    OUT = auto()
    """A limit is out."""
    CANCELING = auto()
    """A limit was taken back; not confirmed."""
    LAST = auto()
    """A market order is out, which nothing follows."""
    OVER = auto()


class Work:
    """Works one order by a style.

    Every method that may lead to a next step returns it as a command, None when there is nothing
    to do; the caller carries it out. Times are UTC ns and never go back.

    Parameters
    ----------
    task : Task
        What to work.
    style : LimitStyle
        How.
    """

    def __init__(self, task: Task, style: LimitStyle) -> None:
        self.task = task
        self.filled = 0
        self.quantity = task.quantity
        self._style = style
        self._targets = targets(task.quantity, style.slices)
        clock = max(task.started, task.opens)
        self._begins = begins(clock, len(self._targets), style.slice_seconds * NANOSECONDS)
        self._timeout = style.timeout_seconds * NANOSECONDS
        self._stage = _Stage.IDLE
        self._slice = 0
        self._prices = 0
        self._base = clock
        self._child = 0
        self._ending = ""

    # -- facts -----------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """True when nothing will be sent any more and nothing is out."""
        return self._stage is _Stage.OVER

    @property
    def remainder(self) -> int:
        """Shares not filled."""
        return max(0, self.quantity - self.filled)

    @property
    def out(self) -> int:
        """Shares that the child may still fill; 0 when none is out."""
        return 0 if self._stage in (_Stage.IDLE, _Stage.OVER) else self._child

    @property
    def at_market(self) -> bool:
        """True while the market order that ends an exit is out."""
        return self._stage is _Stage.LAST

    @property
    def taken_back(self) -> bool:
        """True while a cancel is not confirmed."""
        return self._stage is _Stage.CANCELING

    @property
    def deadline(self) -> int | None:
        """When `on_time` has something to do (UTC ns); None while only an event can lead on."""
        if self._stage is _Stage.OUT:
            due = min(self._base + self._timeout, self.task.until)
            return due if self._last_slice else min(due, self._begins[self._slice + 1])
        if self._stage is _Stage.IDLE:
            waits = not self._last_slice
            return min(self._begins[self._slice + 1], self.task.until) if waits else self.task.until
        return None

    # -- what happens ----------------------------------------------------------------------------

    def begin(self, now: int) -> Command | None:
        """Return the first child."""
        return self._advance(now, confirmed=now)

    def on_time(self, now: int) -> Command | None:
        """Look at the clock; nothing happens before the `deadline`, something at it."""
        due = self.deadline
        if due is None or now < due:
            return None
        if self._stage is _Stage.IDLE:
            return self._advance(now, confirmed=now)
        self._base = now
        return self._take_back()

    def not_yet(self, now: int) -> None:
        """Begin the child's time anew: it has not left yet (it waits for approval)."""
        self._base = now

    def on_fill(self, shares: int, *, current: bool = True) -> Command | None:
        """Take a fill; `current` False when an earlier child filled after it was over.

        Such a late fill may leave more out than is wanted: then the child is taken back.
        """
        self.filled += shares
        if current:
            self._child = max(0, self._child - shares)
        if self._stage is _Stage.OUT and self._child > self.remainder:
            return self._take_back()
        if self._stage is _Stage.IDLE and not self.remainder:
            return self._end("filled")
        return None

    def on_over(self, how: Over, now: int, why: str = "") -> Command | None:
        """Take the end of the child; what it filled was told before."""
        ours = self._stage is _Stage.CANCELING
        last = self._stage is _Stage.LAST
        if self._stage not in (_Stage.OUT, _Stage.CANCELING, _Stage.LAST):
            return None
        self._stage, self._child = _Stage.IDLE, 0
        if not self.remainder:
            return self._end("filled")
        if self._ending:
            return self._end(self._ending)
        if last:
            return self._end(f"the market order came to nothing: {why or how.value}")
        if how is Over.FILLED or (how is Over.CANCELED and ours):
            return self._advance(self._base if ours else now, confirmed=now)
        if how is Over.CANCELED:
            return self._end(f"taken back by others: {why}" if why else "taken back by others")
        return self._finish(f"{how.value.lower()}: {why}" if why else how.value.lower())

    def denied(self, why: str) -> Command:
        """Take note that the child that was just asked for may not leave.

        An exit tries the market next, and ends when that may not be either.
        """
        last = self._stage is _Stage.LAST
        self._stage, self._child = _Stage.IDLE, 0
        return self._end(f"denied: {why}") if last else self._finish(f"denied: {why}")

    def needless(self, why: str) -> End:
        """End instead of sending the child that was just asked for."""
        return self._end(why)

    def shrunk(self, quantity: int) -> None:
        """Take note that the child that was just asked for is smaller: no more is held."""
        self._child = quantity

    def let_go(self, why: str) -> Command | None:
        """End as soon as nothing is out."""
        if self.over or self._ending:
            return None
        self._ending = why
        if self._stage is _Stage.IDLE:
            return self._end(why)
        return None if self._stage is _Stage.CANCELING else self._take_back()

    def split(self, numerator: int, denominator: int) -> None:
        """Restate shares by a split; fractions are cut."""
        self.quantity = self.quantity * numerator // denominator
        self.filled = self.filled * numerator // denominator
        self._child = self._child * numerator // denominator
        self._targets = [one * numerator // denominator for one in self._targets]

    # -- steps -----------------------------------------------------------------------------------

    @property
    def _last_slice(self) -> bool:
        return self._slice == len(self._targets) - 1

    def _advance(self, now: int, confirmed: int) -> Command | None:
        """Decide what comes next, with nothing out.

        `now` is when the step was due, so that a cancel that took its time does not shift those
        after it; `confirmed` is the time it is.
        """
        if max(now, confirmed) >= self.task.until:
            return self._finish("its time is over")
        while not self._last_slice and now >= self._begins[self._slice + 1]:
            self._slice, self._prices = self._slice + 1, 0
        if self._last_slice and self._prices and self._enough():
            return self._end("enough is filled")
        wanted = min(self._targets[self._slice], self.quantity) - self.filled
        tried = self._prices > self._style.reprices
        if self._last_slice and tried:
            return self._finish(f"not filled at {self._prices} prices")
        if tried or wanted <= 0:
            return None
        late = confirmed >= now + self._timeout
        self._base = max(confirmed if late else now, self.task.opens)
        self._prices += 1
        return self._send(_Stage.OUT, wanted)

    def _enough(self) -> bool:
        """Tell whether an entry has enough; exactly at the share it has."""
        parts = round(self._style.accept_percent * _MILLION)
        return self.task.entry and self.filled * 100 * _MILLION >= parts * self.quantity

    def _finish(self, why: str) -> Command:
        if self.task.entry:
            given = "enough is filled" if self._prices and self._enough() else f"given up: {why}"
            return self._end(given)
        self._prices += 1
        return self._send(_Stage.LAST, self.remainder)

    def _send(self, stage: _Stage, quantity: int) -> Place:
        self._stage, self._child = stage, quantity
        limit = stage is _Stage.OUT
        of = self._style.reprices + 1
        return Place(quantity, limit, self._prices, of, self._slice + 1, len(self._targets))

    def _take_back(self) -> Cancel:
        self._stage = _Stage.CANCELING
        return Cancel()

    def _end(self, why: str) -> End:
        self._stage = _Stage.OVER
        return End(self.filled, self.remainder, why)
