"""The gate: every order is checked against every limit before it may leave."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from tradingd.config.risk import RiskConfig
from tradingd.domain.market import NANOSECONDS, ReferenceData, Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderIntent, Purpose, Verdict
from tradingd.gate.book import Book
from tradingd.gate.limits.base import Limit, Settings, StopMove
from tradingd.gate.limits.table import LIMITS
from tradingd.gate.situation import Situation
from tradingd.gate.working import is_increase

_ALLOWED: Final = Verdict()
_MINUTE: Final = 60 * NANOSECONDS


class Gate:
    """Checks order intents against a book; pure and clocked, the caller brings the time.

    Parameters
    ----------
    limits : RiskConfig
        The configured limits.
    book : Book
        The account; the caller feeds it marks, fills and working orders.
    reference : ReferenceData
        Earnings dates and borrowable shares.
    account : {"margin", "cash"}
        Kind of account.
    bar_seconds : int
        Length of the bars that decisions are made on.
    broker : str
        Kind of broker: since when it applies which margin rule.
    table : tuple of Limit classes
        The limits to evaluate.
    """

    def __init__(
        self,
        limits: RiskConfig,
        book: Book,
        *,
        reference: ReferenceData,
        account: Literal["margin", "cash"],
        bar_seconds: int,
        broker: str = "",
        table: tuple[type[Limit], ...] = LIMITS,
    ) -> None:
        self._settings = Settings(
            limits=limits,
            reference=reference,
            account=account,
            bar_seconds=bar_seconds,
            broker=broker,
        )
        self._table = table
        self._book = book
        self._limits: tuple[Limit, ...] = ()
        self._all: tuple[Callable[[Situation], Denial | None], ...] = ()
        self._for_reductions: tuple[Callable[[Situation], Denial | None], ...] = ()
        self.set_limits(limits)
        self._increases = 0
        self._reductions = 0
        self._denied: dict[str, int] = {limit.key: 0 for limit in table}
        self._sent: deque[int] = deque()

    @property
    def limits(self) -> RiskConfig:
        """The limits in force."""
        return self._settings.limits

    def set_limits(self, limits: RiskConfig) -> None:
        """Put other limits in force from the next check on; counts and the order rate go on."""
        self._settings = msgspec.structs.replace(self._settings, limits=limits)
        self._limits = tuple(limit(self._settings) for limit in self._table)
        self._all = tuple(limit.check for limit in self._limits)
        self._for_reductions = tuple(limit.check for limit in self._limits if limit.reductions)

    def set_reference(self, reference: ReferenceData) -> None:
        """Put other reference data in force from the next check on, as that of a new day."""
        self._settings = msgspec.structs.replace(self._settings, reference=reference)
        self.set_limits(self._settings.limits)

    def check(
        self, intent: OrderIntent, now: int, session: Session | None, *, guards: int = 0
    ) -> Verdict:
        """Evaluate every limit on an order that is about to leave.

        Parameters
        ----------
        intent : OrderIntent
            The order; its purpose is a claim, not a fact: what enlarges, opens or flips a position
            is checked as an increase.
        now : int
            Data time of the decision, UTC ns.
        session : Session or None
            The session the order would trade in; None when the exchange is closed.
        guards : int
            Shares of an unfilled parent entry whose fill releases this order (the stop and the
            target of a bracket): they count as held.

        Returns
        -------
        Verdict
            With one denial per broken limit. An allowed order counts towards the order rate.

        Raises
        ------
        ValueError
            When the quantity is not positive.
        """
        if intent.quantity <= 0:
            raise ValueError(f"order {intent.order_id}: quantity {intent.quantity} is not positive")
        if intent.purpose is Purpose.CORPORATE:
            return _ALLOWED
        increase = is_increase(intent, self._book.position(intent.symbol), guards)
        recent = self._recent(now)
        order = Situation(intent, self._book, now, session, recent, increase)
        if increase:
            self._increases += 1
            checks = self._all
        else:
            self._reductions += 1
            checks = self._for_reductions
        denials: list[Denial] | None = None
        for check in checks:
            denial = check(order)
            if denial is not None:
                self._denied[denial.limit] += 1
                denials = [denial] if denials is None else [*denials, denial]
        if denials is None:
            self._sent.append(now)
            return _ALLOWED
        return Verdict(tuple(denials))

    def check_stop(self, symbol: str, stop: Nanos, standing: Nanos | None = None) -> Verdict:
        """Evaluate the limits on risk before a protective stop moves.

        `standing` is where it stands now, None for the stop the book knows.

        A stop that comes closer always passes. One that moves away may not bring the loss above
        what an entry may risk: else any entry could pass with a near stop and drop it afterwards.
        """
        line = self._book.position(symbol)
        if line is None:
            return _ALLOWED
        before = line.stop_risk() if standing is None else line.risk_to(standing)
        risk = line.risk_to(stop)
        if risk <= before:
            return _ALLOWED
        open_risk = self._book.open_risk - before + risk
        move = StopMove(abs(line.quantity), risk, open_risk, self._book.equity)
        found = [limit.check_stop(move) for limit in self._limits]
        denials = tuple(denial for denial in found if denial is not None)
        for denial in denials:
            self._denied[denial.limit] += 1
        return Verdict(denials)

    def count(self) -> Mapping[str, tuple[int, int]]:
        """Return how often each limit was evaluated and how often it denied."""
        return {
            limit.key: (
                self._increases + (self._reductions if limit.reductions else 0),
                self._denied[limit.key],
            )
            for limit in self._limits
        }

    def _recent(self, now: int) -> int:
        """Forget orders that left a minute ago or more; return how many remain."""
        sent = self._sent
        while sent and sent[0] <= now - _MINUTE:
            sent.popleft()
        return len(sent)
