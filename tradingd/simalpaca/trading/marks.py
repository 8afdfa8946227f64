"""Closing values of days past: prices of symbols and equity, as the market's time passes."""

import datetime as dt
from collections.abc import Callable, Iterable

from tradingd.simalpaca import nyse
from tradingd.simalpaca.stamps import new_york_date
from tradingd.simalpaca.trading.power import worth
from tradingd.simbroker.desk import Desk

TABLES = """
CREATE TABLE IF NOT EXISTS alpaca_days (
    day TEXT PRIMARY KEY, equity INTEGER NOT NULL, cash INTEGER NOT NULL,
    maintenance INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alpaca_closes (
    symbol TEXT NOT NULL, day TEXT NOT NULL, price INTEGER NOT NULL, PRIMARY KEY (symbol, day));
"""


class Marks:
    """Keeps and reads closing values.

    Parameters
    ----------
    desk : Desk
        The book; its store keeps them.
    now : callable
        Data time of the market, UTC ns.
    """

    def __init__(self, desk: Desk, now: Callable[[], int]) -> None:
        self._desk = desk
        self._now = now

    def keep(self, symbols: Iterable[str]) -> None:
        """Write today's values over what was written of today before; inside a transaction."""
        desk, store = self._desk, self._desk.store
        day = new_york_date(desk.now).isoformat()
        now = worth(desk)
        store.replace("alpaca_days", [(day, now.equity, now.cash, now.maintenance_margin)], 4)
        rows = [(symbol, day, desk.last[symbol]) for symbol in symbols if symbol in desk.last]
        store.replace("alpaca_closes", rows, 3)

    def today(self) -> dt.date:
        """Return the New York date of the market's time."""
        return new_york_date(self._now())

    def last_day(self, symbol: str) -> int | None:
        """Return the last price of a symbol on a day before today, 1e-9 dollars."""
        found = self._desk.store.rows(
            "SELECT price FROM alpaca_closes WHERE symbol = ? AND day < ?"
            " ORDER BY day DESC LIMIT 1",
            (symbol, self.today().isoformat()),
        )
        return int(str(found[0][0])) if found else None

    def days(self) -> list[tuple[dt.date, int]]:
        """Return the equity at the end of every day seen, oldest first, 1e-9 dollars."""
        found = self._desk.store.rows("SELECT day, equity FROM alpaca_days ORDER BY day")
        return [(dt.date.fromisoformat(str(day)), int(str(equity))) for day, equity in found]

    def before_today(self) -> tuple[dt.date, int, int]:
        """Return date, equity and maintenance margin of the last day before today."""
        found = self._desk.store.rows(
            "SELECT day, equity, maintenance FROM alpaca_days WHERE day < ?"
            " ORDER BY day DESC LIMIT 1",
            (self.today().isoformat(),),
        )
        if found:
            day, equity, maintenance = found[0]
            return dt.date.fromisoformat(str(day)), int(str(equity)), int(str(maintenance))
        opening = self._desk.store.rows("SELECT amount FROM cash ORDER BY number LIMIT 1")
        first = int(str(opening[0][0])) if opening else 0
        return nyse.before(self.today()).date, first, 0
