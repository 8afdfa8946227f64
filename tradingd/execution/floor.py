"""Works the orders of one strategy: asks for prices, sends children, hears what becomes of them.

Knows neither engine nor broker: a `Venue` sends and cancels for it. The same code runs in a
backtest and in a session.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from tradingd.config.execution import LimitStyle
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos, decimal
from tradingd.domain.orders import Side
from tradingd.execution.price import limit_price
from tradingd.execution.touch import Touch, around
from tradingd.execution.venue import Child, Ended, Venue
from tradingd.execution.volatility import Closes
from tradingd.execution.work import Cancel, Command, End, Over, Place, Task, Work

_CENTS: Final = Decimal("0.01")
_DAY: Final = 86_400 * NANOSECONDS


class Job(msgspec.Struct, kw_only=True):
    """One worked order with its facts. Mutable on purpose."""

    parent_id: str
    symbol: str
    side: Side
    reason: str
    mark: Nanos
    until: int
    expires: int
    work: Work
    stop: Nanos | None = None
    child_id: str = ""
    children: set[str] = set()
    asleep: Callable[[], None] | None = None


class Floor:
    """The worked orders of one strategy.

    Parameters
    ----------
    style : LimitStyle
        How orders are worked.
    venue : Venue
        Sends them.
    touch : Touch, optional
        Quotes; without one, or where it knows nothing, the last close and half a spread.
    half_spread_bps : float
        That half spread.
    timed : bool
        True on a wall clock: deadlines wake up by themselves. False where data is the clock:
        deadlines are looked at when a bar of the symbol has come (`after_bars`), since nothing
        is known of the market between two bars.
    """

    def __init__(
        self,
        style: LimitStyle,
        venue: Venue,
        *,
        touch: Touch | None = None,
        half_spread_bps: float = 0.0,
        timed: bool = False,
    ) -> None:
        self.style = style
        self._venue = venue
        self._touch = touch
        self._half_spread = half_spread_bps
        self._timed = timed
        self._closes = Closes(style.window)
        self._jobs: dict[str, dict[str, Job]] = {}
        self._by_child: dict[str, Job] = {}
        self._stopped = False

    # -- the strategy's verbs --------------------------------------------------------------------

    def knows_price(self, symbol: str) -> bool:
        """Tell whether there is anything to derive a limit from."""
        return self._closes.last(symbol) > 0

    def enter(
        self, symbol: str, side: Side, quantity: int, *, reason: str, stop: Nanos | None
    ) -> str | None:
        """Begin to work an entry; return its id, None when its first child was denied."""
        return self._begin(symbol, side, quantity, reason, stop, entry=True)

    def exit(self, symbol: str, *, reason: str, quantity: int | None) -> str | None:
        """Begin to work an exit; never more than is held and not leaving already.

        An exit of all that is held lets go of what is still being entered.
        """
        if quantity is None:
            self.let_go(symbol, "the position is being closed", entries=True)
        held = self._venue.held(symbol)
        shares = max(0, abs(held) - self.leaving(symbol))
        shares = shares if quantity is None else min(shares, quantity)
        if shares <= 0:
            return None
        side = Side.SELL if held > 0 else Side.BUY
        return self._begin(symbol, side, shares, reason, None, entry=False)

    def leaving(self, symbol: str) -> int:
        """Return the shares that exits, worked or not, are taking out."""
        exits = [job for job in self.jobs(symbol) if not job.work.task.entry]
        at_market = sum(job.work.out for job in exits if job.work.at_market)
        worked = sum(job.work.remainder for job in exits)
        return worked + max(0, self._venue.leaving(symbol) - at_market)

    def pending(self, symbol: str) -> bool:
        """Tell whether an order of a symbol is being worked."""
        return bool(self._jobs.get(symbol))

    def cancel(self, parent_id: str, why: str = "the strategy cancels") -> bool:
        """Let go of a worked order; False when there is none of that id."""
        for jobs in self._jobs.values():
            if (job := jobs.get(parent_id)) is not None:
                self._do(job, job.work.let_go(why))
                return True
        return False

    def let_go(self, symbol: str, why: str, *, entries: bool = False) -> None:
        """Let go of what is worked for a symbol (only of entries)."""
        for job in self.jobs(symbol):
            if job.work.task.entry or not entries:
                self._do(job, job.work.let_go(why))

    def move_stop(self, symbol: str, stop: Nanos) -> None:
        """Give what is still to be entered another protective stop."""
        for job in self.jobs(symbol):
            if job.work.task.entry:
                job.stop = stop

    def jobs(self, symbol: str) -> list[Job]:
        """Return what is worked for a symbol, oldest first."""
        return list(self._jobs.get(symbol, {}).values())

    def symbols(self) -> list[str]:
        """Return the symbols that something is worked for."""
        return [symbol for symbol, jobs in self._jobs.items() if jobs]

    # -- the market and the clock ----------------------------------------------------------------

    def observe(self, symbol: str, close: Nanos) -> None:
        """Take a bar's close, before the strategy sees the bar."""
        self._closes.observe(symbol, close)

    def after_bars(self, ts: int, symbols: Iterable[str]) -> None:
        """Look at the deadlines of symbols whose bars ended at `ts` and were seen."""
        for symbol in symbols:
            for job in self.jobs(symbol):
                self._look(job, ts)

    def closed(self, ts: int) -> None:
        """Look at every deadline: the session ended at `ts`."""
        self.after_bars(ts, self.symbols())

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate shares and prices by a split."""
        self._closes.split(symbol, numerator, denominator)
        for job in self.jobs(symbol):
            job.work.split(numerator, denominator)
            job.mark = job.mark * denominator // numerator
            if job.stop is not None:
                job.stop = job.stop * denominator // numerator

    def stop(self) -> None:
        """Send nothing more: what is out is left to whoever ends the session."""
        self._stopped = True
        for symbol in self.symbols():
            for job in self.jobs(symbol):
                self._wake_no_more(job)

    # -- what becomes of children ----------------------------------------------------------------

    def filled(self, child_id: str, shares: int) -> None:
        """Take a fill of a child, before the strategy hears of it."""
        job = self._by_child.get(child_id)
        if job is not None:
            self._soon(job, job.work.on_fill(shares, current=job.child_id == child_id))

    def over(self, child_id: str, how: Over, why: str = "") -> None:
        """Take the end of a child."""
        job = self._by_child.get(child_id)
        if job is not None and job.child_id == child_id:
            job.child_id = ""
            self._soon(job, job.work.on_over(how, self._venue.now(), why))

    # -- private ---------------------------------------------------------------------------------

    def _begin(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        reason: str,
        stop: Nanos | None,
        *,
        entry: bool,
    ) -> str | None:
        now = self._venue.now()
        opens, until, closes = self._times(now, entry=entry)
        task = Task(quantity=quantity, entry=entry, started=now, opens=opens, until=until)
        job = Job(
            parent_id=self._venue.next_id(),
            symbol=symbol,
            side=side,
            reason=reason,
            mark=self._closes.last(symbol),
            until=until,
            # One nanosecond after the last bar that may fill it.
            expires=closes + 1,
            work=Work(task, self.style),
            stop=stop,
            children=set(),
        )
        self._jobs.setdefault(symbol, {})[job.parent_id] = job
        self._do(job, job.work.begin(now))
        return job.parent_id if job.children else None

    def _times(self, now: int, *, entry: bool) -> tuple[int, int, int]:
        """Return when time begins to count, when an order must be over, when the session ends.

        An exit leaves one timeout before the close for the market order that ends it.
        """
        session = self._venue.session(now)
        if session is None:
            # Beyond the calendar: an entry may rest for a day, an exit goes out at once.
            return now, now + _DAY if entry else now, now + _DAY
        left = 0 if entry else self.style.timeout_seconds * NANOSECONDS
        return session.open_ns, session.close_ns - left, session.close_ns

    def _look(self, job: Job, now: int) -> None:
        if job.work.over or self._stopped:
            return
        if self._turned(job):
            self._do(job, job.work.let_go("the position was closed meanwhile"))
            return
        due = job.work.deadline
        entry = job.work.task.entry
        waits = entry and due is not None and due <= now < job.until and job.child_id
        if waits and self._venue.waits(job.child_id):
            job.work.not_yet(now)
        self._do(job, job.work.on_time(now))

    def _turned(self, job: Job) -> bool:
        """Tell whether what an entry has opened is not there any more."""
        work = job.work
        return bool(
            work.task.entry and work.filled and self._venue.held(job.symbol) * job.side.sign <= 0
        )

    def _soon(self, job: Job, command: Command | None) -> None:
        """Carry a command out; what sends something, outside of the event that led to it."""
        if command is None or isinstance(command, End) or self._stopped:
            self._do(job, command)
        else:
            self._venue.later(lambda: self._do(job, command))

    def _do(self, job: Job, command: Command | None) -> None:
        while isinstance(command, Place):
            command = self._place(job, command)
        if isinstance(command, Cancel) and job.child_id:
            self._venue.cancel(job.child_id, f"{job.parent_id}: its time is over or it is let go")
        if isinstance(command, End):
            self._end(job, command)
        else:
            self._arm(job)

    def _place(self, job: Job, wanted: Place) -> Command | None:
        """Send a child; return what comes of it when it may not leave."""
        quantity = wanted.quantity
        if self._stopped:
            return job.work.needless("the session was stopped")
        if self._turned(job):
            return job.work.needless("the position was closed meanwhile")
        if not job.work.task.entry:
            held = self._venue.held(job.symbol)
            quantity = min(quantity, abs(held) if held * job.side.sign < 0 else 0)
            if not quantity:
                return job.work.needless("the position is closed")
            job.work.shrunk(quantity)
        limit = self._price(job) if wanted.limit else None
        child = Child(
            symbol=job.symbol,
            side=job.side,
            quantity=quantity,
            entry=job.work.task.entry,
            reason=f"{job.reason} | {_step(job.work, wanted, limit)}",
            parent_id=job.parent_id,
            limit=limit,
            stop=self._guard(job),
            expires=None if limit is None else job.expires,
        )
        child_id, why = self._venue.place(child)
        if not child_id:
            return job.work.denied(why)
        job.child_id = child_id
        job.children.add(child_id)
        self._by_child[child_id] = job
        return None

    def _guard(self, job: Job) -> Nanos | None:
        """Return the stop a child brings along: the one that stands, where the order has one."""
        standing = self._venue.stop(job.symbol) if job.work.filled else None
        return job.stop if standing is None or not job.work.task.entry else standing

    def _price(self, job: Job) -> Nanos:
        found = None if self._touch is None else self._touch.touch(job.symbol)
        bid, ask = found or around(self._closes.last(job.symbol), self._half_spread)
        return limit_price(
            self.style,
            job.side,
            bid=bid,
            ask=ask,
            sigma=self._closes.sigma(job.symbol),
            mark=job.mark,
            tick=self._venue.tick(job.symbol),
        )

    def _end(self, job: Job, ended: End) -> None:
        self._wake_no_more(job)
        self._jobs.get(job.symbol, {}).pop(job.parent_id, None)
        for child_id in job.children:
            self._by_child.pop(child_id, None)
        # A first child that was denied has its own record; who holds nothing misses nothing.
        gone = not job.work.task.entry and self._venue.held(job.symbol) * job.side.sign >= 0
        if ended.remainder and job.children and not gone:
            self._venue.report(
                Ended(
                    parent_id=job.parent_id,
                    symbol=job.symbol,
                    side=job.side,
                    quantity=job.work.quantity,
                    filled=ended.filled,
                    remainder=ended.remainder,
                    reason=job.reason,
                    why=ended.why,
                )
            )

    def _arm(self, job: Job) -> None:
        if not self._timed or self._stopped:
            return
        self._wake_no_more(job)
        due = job.work.deadline
        if due is not None:
            job.asleep = self._venue.wake(
                due, job.parent_id, lambda: self._look(job, max(due, self._venue.now()))
            )

    @staticmethod
    def _wake_no_more(job: Job) -> None:
        if job.asleep is not None:
            job.asleep()
            job.asleep = None


def _step(work: Work, wanted: Place, limit: Nanos | None) -> str:
    """Return what a child is, for its reason."""
    filled = f"{work.filled} of {work.quantity} filled"
    if limit is None:
        return f"worked: the rest at the market, {filled}"
    part = f"part {wanted.part}/{wanted.parts}, " if wanted.parts > 1 else ""
    price = decimal(limit).normalize()
    shown = price if price.as_tuple().exponent < -2 else price.quantize(_CENTS)  # type: ignore[operator]
    return f"{part}worked {wanted.number}/{wanted.of} at {shown:f}, {filled}"
