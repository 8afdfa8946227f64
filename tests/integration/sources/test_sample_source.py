import datetime as dt
from decimal import Decimal

from tradingd.config.source import SampleSource
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.sources.make import make_source

SOURCE = make_source(SampleSource())


def at(utc: str) -> dt.datetime:
    """Read a naive UTC time, as the store's columns hold it."""
    return dt.datetime.fromisoformat(utc)


def actions(symbol: str, kind: ActionKind) -> list[CorporateAction]:
    return [one for one in SOURCE.actions() if one.symbol == symbol and one.kind is kind]


def amounts(symbol: str) -> dict[dt.date, int]:
    return {one.ex_date: one.amount for one in actions(symbol, ActionKind.DIVIDEND)}


def test_the_package_holds_five_symbols_of_daily_bars() -> None:
    tables = dict(pair for task in SOURCE.tasks() for pair in task.load())
    assert {symbol: table.num_rows for symbol, table in tables.items()} == {
        "AAPL": 3270,
        "FB": 196,
        "GOOG": 2148,
        "IBM": 3270,
        "MSFT": 3270,
    }
    first = tables["AAPL"].slice(0, 1).to_pylist()[0]
    assert first["ts_event"] == at("2000-03-01T21:00")
    assert (first["open"], first["close"], first["volume"]) == (
        Decimal("118.56"),
        Decimal("130.31"),
        9_616_100,
    )


def test_the_splits_are_the_known_ones() -> None:
    def splits(symbol: str) -> list[tuple[str, int, int]]:
        return [
            (str(one.ex_date), one.numerator, one.denominator)
            for one in actions(symbol, ActionKind.SPLIT)
        ]

    assert splits("AAPL") == [("2000-06-21", 2, 1), ("2005-02-28", 2, 1)]
    assert splits("MSFT") == [("2003-02-18", 2, 1)]
    assert [splits(symbol) for symbol in ("FB", "GOOG", "IBM")] == [[], [], []]


def test_the_dividends_are_the_known_ones() -> None:
    assert amounts("AAPL") == {
        dt.date(2012, 8, 9): nanos("2.65"),
        dt.date(2012, 11, 7): nanos("2.65"),
        dt.date(2013, 2, 7): nanos("2.65"),
    }
    # The special dividend of $3.00 and the regular one of $0.08 had one ex-date.
    assert amounts("MSFT")[dt.date(2004, 11, 15)] == nanos("3.08")
    assert amounts("MSFT")[dt.date(2003, 2, 19)] == nanos("0.08")
    # IBM paid every quarter: 52 from May 2000 to February 2013, from $0.13 to $0.85.
    assert len(amounts("IBM")) == 52
    assert amounts("IBM")[dt.date(2000, 5, 8)] == nanos("0.13")
    assert amounts("IBM")[dt.date(2012, 8, 8)] == nanos("0.85")
