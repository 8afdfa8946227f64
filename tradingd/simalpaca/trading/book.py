"""The one book: the admin socket's operations, and Alpaca's, each in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from tradingd.simalpaca import nyse
from tradingd.simalpaca.ports import Bar
from tradingd.simalpaca.stamps import new_york_date
from tradingd.simalpaca.trading import marks
from tradingd.simalpaca.trading.assets import Assets
from tradingd.simalpaca.trading.ledger import Ledger
from tradingd.simalpaca.trading.naming import AlpacaNaming
from tradingd.simalpaca.trading.rows import TABLE
from tradingd.simbroker.amounts import parse, text
from tradingd.simbroker.bars import Moment
from tradingd.simbroker.broker import Broker, Message, Reply
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.trading import Trading

_DAY: Final = 24 * 3600 * 1_000_000_000


class Hours:
    """Sessions of the exchange, for the book.

    Parameters
    ----------
    anytime : bool
        Let every day be one session from midnight to midnight, UTC.
    """

    def __init__(self, *, anytime: bool = False) -> None:
        self._anytime = anytime

    def session(self, ts: int) -> tuple[int, int] | None:
        """Return open and close of the session on the New York date of a time."""
        if self._anytime:
            return ts - ts % _DAY - 1, ts - ts % _DAY + _DAY + 1
        found = nyse.session(new_york_date(ts))
        return None if found is None else (found.open, found.close)


class Book(Broker):
    """The simulated broker's operations, watched by Alpaca's ledger.

    Parameters
    ----------
    desk : Desk
        The book, opened and not yet loaded; its watcher and naming are set here.
    wall : callable
        Wall time, UTC ns: the data time while no market has been told.
    account_id : str
        Number of the account.
    participation_percent : int or Decimal
        Share of a bar's volume that may be filled; 0: no bound.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        wall: Callable[[], int],
        account_id: str,
        participation_percent: int | Decimal,
    ) -> None:
        super().__init__(
            desk,
            account_id=account_id,
            unique_ids=False,
            participation_percent=participation_percent,
        )
        self.account_id = account_id
        self.desk = desk
        self._wall = wall
        self.ledger = Ledger(desk, self.now)
        self.assets = Assets(desk.store)
        self.marks = marks.Marks(desk, self.now)
        self.trading = Trading(desk, unique_ids=False)
        self.published: Callable[[int, Sequence[Bar]], None] = lambda ts, bars: None
        self.updated: Callable[[list[str]], None] = lambda updates: None
        desk.watcher, desk.naming = self.ledger, AlpacaNaming(desk, self.ledger)

    def now(self) -> int:
        """Return the market's data time, wall time before any market, UTC ns."""
        return self.desk.now or self._wall()

    def open(self) -> None:
        """Make the tables and read what was kept."""
        store = self.desk.store
        with store.transaction():
            for statement in (TABLE + self.assets.TABLE + marks.TABLES).split(";"):
                store.write(statement)
        self._load()

    def _load(self) -> None:
        self.desk.load()
        self.ledger.load()
        self.assets.load()

    def handle(self, op: str, message: Message, *, pieces: int = 0, injected: str = "") -> Reply:
        """Carry out a request of the admin socket; see `Broker.handle`."""
        if op == "asset":
            return self.change(lambda: self.assets.describe(message))
        try:
            reply = super().handle(op, message, pieces=pieces, injected=injected)
        except BaseException:
            self.ledger.load()
            raise
        if op == "market":
            self._publish(message)
        self._flush()
        return reply

    def _change(self, op: str, message: Message, pieces: int, injected: str) -> Reply:
        ts = message.get("ts")
        if op == "market" and isinstance(ts, int) and ts >= self.desk.now:
            if Moment.at(self.desk, ts).regular:
                self.ledger.route()
        reply = super()._change(op, message, pieces, injected)
        if op == "market":
            self.marks.keep(str(item[0]) for item in _items(message, "bars", "quotes"))
        return reply

    def change[T](self, work: Callable[[], T]) -> T:
        """Carry out a request of Alpaca's API: committed when this returns, or nothing of it."""
        try:
            with self.desk.store.transaction():
                done = work()
        except BaseException:
            self._load()
            raise
        self._flush()
        return done

    def tell(self, ts: int, bars: Sequence[Bar]) -> None:
        """Tell the market's bars that close at a time, UTC ns."""
        message = {"ts": ts, "bars": [_spoken(bar) for bar in bars]}
        self.handle("market", message)
        session = nyse.session(new_york_date(ts))
        if session is not None and ts >= session.close:
            self.handle("session_close", {})

    def _flush(self) -> None:
        updates = self.ledger.take_updates()
        if updates:
            self.updated(updates)

    def _publish(self, message: Message) -> None:
        bars = [_heard(item) for item in _items(message, "bars")]
        ts = message["ts"]
        if bars and isinstance(ts, int):
            self.published(ts, bars)


def _items(message: Message, *names: str) -> Iterator[Sequence[object]]:
    """Yield the items of a message that the book has understood already."""
    for name in names:
        items = message.get(name, [])
        assert isinstance(items, list)
        yield from items


def _spoken(bar: Bar) -> list[object]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return [bar.symbol, *(text(price) for price in prices), bar.volume]


def _heard(item: Sequence[object]) -> Bar:
    """Read a bar of a message that the book has understood already."""
    symbol, *prices, volume = item
    opened, high, low, close = (parse(price, "price") for price in prices)
    return Bar(str(symbol), opened, high, low, close, int(str(volume)))
