"""End equity on real prices against arithmetic that uses nothing of ours but the command.

The prices are read from the LEAN archives by the standard library alone.
"""

import csv
import datetime as dt
import io
import itertools
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from tests.acceptance.command import folder_of

pytestmark = pytest.mark.real_data

NEW_YORK = ZoneInfo("America/New_York")
CASH = Decimal(100_000)


def rows_of(archive: Path) -> list[list[str]]:
    """Rows of the one CSV inside a LEAN archive."""
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(opened.namelist()[0]).decode()
    return list(csv.reader(io.StringIO(text)))


def minute_bars(lean: Path, symbol: str, day: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Open and close in dollars by the bar's start, New York time of day."""
    bars = {}
    for milliseconds, opened, _, _, closed, _ in rows_of(
        lean / "minute" / symbol / f"{day}_trade.zip"
    ):
        hour, minute = divmod(int(milliseconds) // 60_000, 60)
        bars[f"{hour:02}:{minute:02}"] = (Decimal(opened) / 10_000, Decimal(closed) / 10_000)
    return bars


def daily_bars(lean: Path, symbol: str) -> dict[dt.date, tuple[Decimal, Decimal]]:
    """Open and close in dollars by session day."""
    return {
        dt.date.fromisoformat(stamp.partition(" ")[0]): (
            Decimal(opened) / 10_000,
            Decimal(closed) / 10_000,
        )
        for stamp, opened, _, _, closed, _ in rows_of(lean / "daily" / f"{symbol}.zip")
    }


def test_holding_spy_ends_at_the_cent_that_hand_arithmetic_gives(on_lean, real_data):
    ended = on_lean(
        "backtest",
        "strategy=buy_and_hold",
        "strategy.bars=1m",
        "strategy.quantity=100",
        "universe=symbols",
        "universe.symbols=[SPY]",
        "risk=open",
        "broker.fees=ibkr_fixed",
        "--json",
    )
    folder = folder_of(ended)
    first = minute_bars(real_data / "lean", "spy", "20131004")
    last = minute_bars(real_data / "lean", "spy", "20131011")
    # The first regular bar starts 09:30 and closes 09:31; a quarter of a second later the order
    # is at the venue and meets the 09:31 bar's open.
    touch = first["09:31"][0]
    assert touch == Decimal("167.76")
    # One basis point of 167.76 is 0.016776; no return is known yet, so there is no volatility
    # part; the next whole cent against the buyer is 0.02.
    price = touch + Decimal("0.02")
    # 100 shares at 0.005 are 0.50; the minimum is 1.00. Buys pay no regulatory fee.
    commission = Decimal("1.00")
    close = last["15:59"][1]
    expected = CASH - 100 * price - commission + 100 * close
    (fill,) = pq.read_table(folder / "fills.parquet").to_pylist()
    assert (fill["price"], fill["touch_price"]) == (price, touch)
    assert (fill["slippage"], fill["commission"]) == (Decimal("2.00"), commission)
    equity = pq.read_table(folder / "equity.parquet").to_pylist()[-1]
    assert equity["equity"] == expected == Decimal("100251.00")


SPLIT_DAY = dt.date(2014, 6, 9)  # 7 for 1
DIVIDENDS = {  # Apple's investor relations page: declared cash dividends per share
    dt.date(2014, 5, 8): Decimal("3.29"),
    dt.date(2014, 8, 7): Decimal("0.47"),
}


def hold_apple(on_lean, *overrides: str) -> Path:
    """Run buy and hold of 100 AAPL from 2014-05-01 to 2014-08-15 without fees and slippage."""
    return folder_of(
        on_lean(
            "backtest",
            "strategy=buy_and_hold",
            "strategy.quantity=100",
            "universe=symbols",
            "universe.symbols=[AAPL]",
            "risk=open",
            "broker.fees=none",
            "execution.slippage.kind=none",
            "mode.start=2014-05-01",
            "mode.end=2014-08-15",
            *overrides,
            "--json",
        )
    )


def equity_at_closes(folder: Path) -> dict[dt.date, Decimal]:
    """Last equity sample of every session day."""
    return {
        row["ts"].replace(tzinfo=dt.UTC).astimezone(NEW_YORK).date(): row["equity"]
        for row in pq.read_table(folder / "equity.parquet").to_pylist()
    }


def equity_by_hand(lean: Path, sign: int) -> dict[dt.date, Decimal]:
    """Cash and shares, day by day: buy at the second day's open, seven for one, two dividends."""
    path = {}
    cash, shares = CASH, Decimal(0)
    days = {
        day: bar
        for day, bar in sorted(daily_bars(lean, "aapl").items())
        if dt.date(2014, 5, 1) <= day <= dt.date(2014, 8, 15)
    }
    for number, (day, (opened, closed)) in enumerate(days.items()):
        if day == SPLIT_DAY:
            shares *= 7
        cash += shares * DIVIDENDS.get(day, 0)
        if number == 1:
            shares = Decimal(sign * 100)
            cash -= shares * opened
        path[day] = cash + shares * closed
    return path


@pytest.mark.parametrize(("sign", "short"), [(1, "false"), (-1, "true")], ids=["long", "short"])
def test_holding_apple_through_its_split_and_dividends_equals_hand_arithmetic_every_day(
    on_lean, real_data, sign, short
):
    folder = hold_apple(on_lean, f"strategy.short={short}", "broker.borrow_rate=0")
    by_hand = equity_by_hand(real_data / "lean", sign)
    measured = equity_at_closes(folder)
    assert {day: measured.get(day) for day in by_hand} == by_hand
    # 645.57 before and 93.70 after the split: unsplit, this day would move equity by half.
    before, after = measured[dt.date(2014, 6, 6)], measured[SPLIT_DAY]
    assert abs(after / before - 1) < Decimal("0.02")
    # The order that books the split is nobody's trade.
    trades = json.loads((folder / "metrics.json").read_text())["trades"]
    assert (trades["orders"], trades["fills"]) == (1, 1)


def test_a_short_pays_borrow_for_every_night_on_that_evening_s_value(on_lean, real_data):
    free = equity_at_closes(hold_apple(on_lean, "strategy.short=true", "broker.borrow_rate=0"))
    folder = hold_apple(on_lean, "strategy.short=true", "broker.borrow_rate=3.6")
    closes = {
        day: bar[1]
        for day, bar in sorted(daily_bars(real_data / "lean", "aapl").items())
        if dt.date(2014, 5, 2) <= day <= dt.date(2014, 8, 15)
    }
    days = list(closes)
    expected = Decimal(0)
    for evening, morning in itertools.pairwise(days):
        shares = 700 if evening >= SPLIT_DAY else 100
        # 3.6 percent over 360 days are a hundredth of a percent a night.
        expected += (shares * closes[evening] * (morning - evening).days) / 10_000
    charged = sum(
        row["amount"]
        for row in pq.read_table(folder / "cash.parquet").to_pylist()
        if row["kind"] == "borrow"
    )
    paid = free[days[-1]] - equity_at_closes(folder)[days[-1]]
    assert paid == -charged
    # Brokers charge whole cents a night: half a cent each at most.
    assert abs(paid - expected) <= Decimal("0.005") * len(days)
