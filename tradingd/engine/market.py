"""What a run trades in: bars, or order books. The rest of a run does not know which."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from nautilus_trader.backtest import BacktestEngine
from nautilus_trader.model import BarType

from tradingd.domain.market import CorporateAction
from tradingd.domain.money import Nanos
from tradingd.domain.ports import CommissionModel
from tradingd.engine.bound import Books
from tradingd.engine.desk import Desk
from tradingd.engine.faults import Faults
from tradingd.engine.fees import VenueFees
from tradingd.engine.plan import BacktestPlan
from tradingd.engine.tape import Prices
from tradingd.engine.ticket import Ticket
from tradingd.engine.wire import Wire
from tradingd.gate.book import Book
from tradingd.session.calendar import SessionCalendar

type Alert = Callable[[str, int, Callable[[], None]], None]


class Shared(NamedTuple):
    """Parts of a run that its market needs too."""

    plan: BacktestPlan
    calendar: SessionCalendar
    commissions: CommissionModel
    book: Book
    tickets: dict[str, Ticket]
    faults: Faults
    now: Callable[[], int]


class Chunk(Protocol):
    """A span of data."""

    @property
    def start_ns(self) -> int:
        """Time of the first row, UTC ns."""
        ...

    @property
    def end_ns(self) -> int:
        """Time of the last row, UTC ns."""
        ...


class Market[C: Chunk](Protocol):
    """The data of a run, as engine objects, and the rules by which orders meet it."""

    @property
    def prices(self) -> Prices:
        """Last prices and row counts."""
        ...

    @property
    def fees(self) -> VenueFees:
        """The fee model of the run."""
        ...

    @property
    def ticks(self) -> dict[str, Nanos]:
        """Price increment per symbol."""
        ...

    @property
    def bar_types(self) -> Mapping[str, BarType]:
        """The engine's bar type of every symbol; empty in a run over books."""
        ...

    @property
    def books(self) -> Books | None:
        """The books that strategies hear of; None in a run over bars."""
        ...

    @property
    def desk(self) -> type[Desk]:
        """The kind of desk that leads orders to this market."""
        ...

    @property
    def sample_ns(self) -> int:
        """Time between equity samples; 0: only at session closes."""
        ...

    def wire(self, alert: Alert, now: Callable[[], int]) -> Wire:
        """Return the way of orders to this market."""
        ...

    def connect(self, desk: Desk) -> None:
        """Take the desk, once it exists."""
        ...

    def engine(self) -> BacktestEngine:
        """Return a fresh engine with this market's venue; the market does not keep it."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends inside the range."""
        ...

    def restate(self, symbol: str, now: int, numerator: int, denominator: int) -> None:
        """Restate remembered prices for a split."""
        ...

    def load(self, chunk: C) -> list[Sequence[Any]]:
        """Make a chunk the data in memory; return it as engine objects, each lane in time order."""
        ...

    def rows(self, chunk: C) -> int:
        """Return the rows of a chunk."""
        ...

    def ran(self, open_orders: list[Ticket], until: int) -> None:
        """Look back on the chunk that was run.

        Raises
        ------
        Failure
            ENGINE_FAILED for an order that the engine lost.
        """
        ...
