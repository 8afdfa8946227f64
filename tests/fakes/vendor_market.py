"""One market, told by two vendors in their own formats; tests damage what one of them tells."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.fakes.vendor_server import Asked, Reply, json_reply

NEW_YORK = ZoneInfo("America/New_York")
JANUARY = [
    dt.date(2024, 1, day)
    for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16, 17, 18, 19, 22, 23, 24, 25, 26, 29, 30, 31)
]
"""The sessions of January 2024: without the 1st, the 15th and the weekends."""

type Row = tuple[dt.date, Decimal, Decimal, Decimal, Decimal, int]
type Damage = Callable[[list[Row]], list[Row]]


def rows(days: Sequence[dt.date] = JANUARY) -> list[Row]:
    """Prices that wander a little; no two closes in a row are alike."""
    found = []
    for number, day in enumerate(days):
        close = Decimal(100) + Decimal(number % 5) + Decimal(number) / 10
        found.append((day, close - 1, close + 2, close - 2, close, 1_000_000 + number))
    return found


def untouched(found: list[Row]) -> list[Row]:
    return found


def without(*days: int) -> Damage:
    return lambda found: [row for row in found if row[0].day not in days]


def until(day: int) -> Damage:
    return lambda found: [row for row in found if row[0].day <= day]


def tripled(day: int) -> Damage:
    """A print that cannot be: one day at three and a half times the price."""
    factor = Decimal("3.5")
    return lambda found: [
        (one, *(price * factor for price in prices), volume)  # type: ignore[misc]
        if one.day == day
        else (one, *prices, volume)
        for one, *prices, volume in found
    ]


def twice(day: int) -> Damage:
    return lambda found: [
        row for one in found for row in ([one, one] if one[0].day == day else [one])
    ]


def standing(since: int) -> Damage:
    """A feed that stopped: every day repeats the last price."""

    def damage(found: list[Row]) -> list[Row]:
        last = next(row for row in found if row[0].day >= since)
        return [row if row[0].day < since else (row[0], *last[1:]) for row in found]

    return damage


class Vendor:
    """What one vendor tells: `damage` may be changed between requests."""

    def __init__(self, damage: Damage = untouched) -> None:
        self.damage = damage
        self.down = False
        self.known = {"AAA", "BBB"}
        self.splits: dict[dt.date, str] = {}

    def told(self, symbol: str, first: str, last: str) -> list[Row]:
        start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        return [one for one in self.damage(rows()) if start <= one[0] <= end]


class Tiingo(Vendor):
    """End-of-day CSV."""

    def __call__(self, asked: Asked) -> Reply:
        if self.down:
            return Reply(b"try later", 503)
        symbol = asked.path.split("/")[3]
        if symbol not in self.known:
            return json_reply({"detail": f"Error: Ticker '{symbol}' not found"}, 404)
        lines = ["date,close,high,low,open,volume,divCash,splitFactor"]
        for day, opened, high, low, close, volume in self.told(
            symbol, asked.query["startDate"], asked.query["endDate"]
        ):
            split = self.splits.get(day, "1.0")
            lines.append(f"{day},{close},{high},{low},{opened},{volume},0.0,{split}")
        return Reply("\n".join(lines).encode())


class Massive(Vendor):
    """Aggregates as JSON, two a page."""

    def __call__(self, asked: Asked) -> Reply:
        if self.down:
            return Reply(b"try later", 503)
        if not asked.path.startswith("/v2/aggs"):
            return json_reply({"status": "OK", "results": []})
        _, _, _, _, symbol, _, _, _, first, last = asked.path.split("/")
        found = self.told(symbol, first, last) if symbol in self.known else []
        page = int(asked.query.get("cursor", 0))
        results = [
            {
                "o": float(opened),
                "h": float(high),
                "l": float(low),
                "c": float(close),
                "v": volume,
                "t": int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 1000,
            }
            for day, opened, high, low, close, volume in found[page : page + 10]
        ]
        more = {"next_url": f"https://api.massive.com{asked.path}?cursor={page + 10}"}
        return json_reply(
            {"status": "OK", "results": results, **(more if len(found) > page + 10 else {})}
        )
