"""The account as Alpaca shows it, and its equity day by day."""

import datetime as dt
import uuid
from typing import Final

from tradingd.simalpaca import nyse
from tradingd.simalpaca.stamps import stamp
from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.errors import bad_field
from tradingd.simalpaca.trading.fields import Query
from tradingd.simalpaca.trading.power import power, worth
from tradingd.simalpaca.trading.rows import SPACE
from tradingd.simalpaca.trading.settings import Settings
from tradingd.simbroker.amounts import ONE, text

_TIMEFRAMES: Final = ("1Min", "5Min", "15Min", "1H", "1D")
_DAYS: Final = {"D": 1, "W": 7, "M": 31, "A": 366}


class Account:
    """Answers questions for the account.

    Parameters
    ----------
    book : Book
        Where its money and positions are.
    settings : Settings
        Its configuration.
    """

    def __init__(self, book: Book, settings: Settings) -> None:
        self._book = book
        self._settings = settings
        self._id = str(uuid.uuid5(SPACE, f"account:{book.account_id}"))

    def view(self) -> dict[str, object]:
        """Return the account as it is sent.

        Alpaca took the day-trading fields out in July 2026; they are not here.
        """
        desk, multiplier = self._book.desk, self._settings.multiplier
        now, left = worth(desk), power(desk, multiplier)
        day, last_equity, last_maintenance = self._book.marks.before_today()
        return {
            "id": self._id,
            "account_number": self._book.account_id,
            "status": "ACTIVE",
            "crypto_status": "INACTIVE",
            "currency": "USD",
            "cash": text(now.cash),
            "equity": text(now.equity),
            "portfolio_value": text(now.equity),
            "last_equity": text(last_equity),
            "balance_asof": day.isoformat(),
            "long_market_value": text(now.long_value),
            "short_market_value": text(now.short_value),
            "initial_margin": text(now.initial_margin),
            "maintenance_margin": text(now.maintenance_margin),
            "last_maintenance_margin": text(last_maintenance),
            "buying_power": text(left.whole),
            "regt_buying_power": text(left.regt),
            "non_marginable_buying_power": text(max(0, now.cash)),
            "options_buying_power": "0",
            "options_approved_level": 0,
            "options_trading_level": 0,
            "multiplier": str(multiplier),
            "shorting_enabled": self._settings.shorting and multiplier > 1,
            "sma": "0",
            "accrued_fees": "0",
            "pending_reg_taf_fees": "0",
            "pending_transfer_in": "0",
            "pending_transfer_out": "0",
            "intraday_adjustments": "0",
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": self._settings.suspended,
            "created_at": self._created(),
        }

    @property
    def id(self) -> str:
        """The account's UUID."""
        return self._id

    def _created(self) -> str:
        return stamp(int(self._book.desk.store.meta("alpaca_created", "0")))

    def history(self, query: Query) -> dict[str, object]:
        """Return the equity at the end of each day: days are the only resolution kept."""
        query.word("timeframe", _TIMEFRAMES, "1D")
        marks = self._book.marks
        known = dict(marks.days())
        if known:
            known[marks.today()] = worth(self._book.desk).equity
        first, last = self._range(query, marks.today())
        days = [(day, equity) for day, equity in known.items() if first <= day <= last]
        base = next((known[day] for day in sorted(known, reverse=True) if day < first), None)
        if base is None:
            opening = self._book.desk.store.rows("SELECT amount FROM cash ORDER BY number LIMIT 1")
            base = int(str(opening[0][0])) if opening else 0
        profits = [equity - base for _, equity in days]
        return {
            "timestamp": [_midnight(day) for day, _ in days],
            "equity": [_dollars(equity) for _, equity in days],
            "profit_loss": [_dollars(profit) for profit in profits],
            "profit_loss_pct": [profit / base if base else None for profit in profits],
            "base_value": _dollars(base),
            "base_value_asof": nyse.before(first).date.isoformat(),
            "timeframe": "1D",
            "cashflow": {},
        }

    def _range(self, query: Query, today: dt.date) -> tuple[dt.date, dt.date]:
        period = query.text("period", "1M")
        number, unit = period[:-1], period[-1:]
        if not (number.isascii() and number.isdigit() and len(number) <= 3 and unit in _DAYS):
            raise bad_field("invalid period")
        start, end = query.time("start"), query.time("end")
        last = today if end is None else _date(end)
        first = last - dt.timedelta(days=int(number) * _DAYS[unit])
        first = first if start is None else _date(start)
        return max(first, dt.date(2000, 2, 1)), last


def _date(ts: int) -> dt.date:
    return dt.datetime.fromtimestamp(ts // ONE, tz=dt.UTC).date()


def _midnight(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())


def _dollars(amount: int) -> float:
    return round(amount / ONE, 2)
