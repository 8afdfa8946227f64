"""Answers in the shapes that Databento, Tiingo, Massive and Yahoo send, for one symbol and market.

AAPL, 2024-01-02 to 2024-01-05; a dividend of 0.24 on the 3rd and, invented, a 4:1 split on the 4th:
what follows it is at a quarter of the price.
"""

import calendar
import datetime as dt
import struct
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import databento_dbn as dbn

from tests.fakes.vendor_server import Asked, Reply, json_reply

NEW_YORK = ZoneInfo("America/New_York")

DAYS = [
    ("2024-01-02", "187.15", "188.44", "183.885", "185.64", 82_488_700),
    ("2024-01-03", "184.22", "185.88", "183.43", "184.25", 58_414_500),
    ("2024-01-04", "45.5375", "45.7718", "45.22", "45.4775", 287_934_400),
    ("2024-01-05", "45.4975", "45.69", "45.0425", "45.295", 249_213_200),
]
SPLIT_DAY = "2024-01-04"
DIVIDEND_DAY = "2024-01-03"

MINUTES = [
    ("2024-01-02T14:30:00+00:00", "187.15", "187.44", "186.885", "187.0001", 4_100),
    ("2024-01-02T14:31:00+00:00", "187.0001", "187.2", "186.9", "187.1", 1_900),
]


def within(first: str, last: str) -> list[tuple[str, str, str, str, str, int]]:
    return [one for one in DAYS if first <= one[0] <= last]


def tiingo(asked: Asked) -> Reply:
    kind, symbol = asked.path.split("/")[-3:-1]
    if symbol == "ZZZ":
        return json_reply({"detail": "Error: Ticker 'ZZZ' not found"}, 404)
    if kind == "iex":
        lines = ["date,open,high,low,close,volume"]
        lines += [
            f"{time.replace('T', ' ')},{o},{h},{low},{c},{volume}.0"
            for time, o, h, low, c, volume in MINUTES
            if asked.query["startDate"] <= time[:10] <= asked.query["endDate"]
        ]
        return Reply("\n".join(lines).encode())
    lines = [
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,"
        "splitFactor"
    ]
    for day, o, h, low, c, volume in within(asked.query["startDate"], asked.query["endDate"]):
        paid = "0.24" if day == DIVIDEND_DAY else "0.0"
        split = "4.0" if day == SPLIT_DAY else "1.0"
        lines.append(f"{day},{c},{h},{low},{o},{volume},1,1,1,1,1,{paid},{split}")
    return Reply("\n".join(lines).encode())


def _milliseconds(day: str) -> int:
    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), NEW_YORK)
    return int(midnight.timestamp()) * 1000


def massive(asked: Asked) -> Reply:
    if asked.path == "/stocks/v1/splits":
        split = {"execution_date": SPLIT_DAY, "split_from": 1, "split_to": 4.0, "ticker": "AAPL"}
        return json_reply({"status": "OK", "results": [{**split, "id": "E1"}]})
    if asked.path == "/stocks/v1/dividends":
        paid = {"ex_dividend_date": DIVIDEND_DAY, "currency": "USD", "ticker": "AAPL"}
        halves = [
            {**paid, "cash_amount": 0.2, "id": "D1"},
            {**paid, "cash_amount": 0.04, "id": "D2"},
        ]
        foreign = {**paid, "ex_dividend_date": "2024-01-05", "currency": "CAD", "cash_amount": 1.5}
        return json_reply({"status": "OK", "results": [*halves, foreign]})
    words = asked.path.split("/")
    symbol, span, first, last = words[4], words[7], words[8], words[9]
    if symbol == "ZZZ":
        return json_reply({"status": "OK", "resultsCount": 0, "queryCount": 0, "adjusted": False})
    if span == "day":
        found = [(_milliseconds(day), *rest) for day, *rest in within(first, last)]
    else:
        found = [
            (int(dt.datetime.fromisoformat(time).timestamp()) * 1000, *rest)
            for time, *rest in MINUTES
        ]
    page = int(asked.query.get("cursor", 0))
    texts = [
        f'{{"t":{time},"o":{o},"h":{h},"l":{low},"c":{c},"v":{volume},"n":7,"vw":1.0}}'
        for time, o, h, low, c, volume in found[page : page + 2]
    ]
    following = f',"next_url":"https://api.massive.com{asked.path}?cursor={page + 2}"'
    more = following if len(found) > page + 2 else ""
    return Reply(f'{{"status":"OK","results":[{",".join(texts)}]{more}}}'.encode())


def dbn_bytes(schema: str, records: Sequence[tuple[int, str, str, str, str, int]]) -> bytes:
    """Bars as Databento streams them: metadata, then fixed-size records with nanos."""
    rtypes = {"ohlcv-1m": 33, "ohlcv-1h": 34, "ohlcv-1d": 35}
    head = dbn.Metadata(
        dataset="EQUS.SUMMARY",
        start=1,
        end=2,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.from_str(schema),
        symbols=["AAPL"],
    )
    body = b"".join(
        bytes(
            dbn.OHLCVMsg(
                rtypes[schema], 1, 38, ts, *(int(Decimal(one) * 10**9) for one in prices), volume
            )
        )
        for ts, *prices, volume in records
    )
    return bytes(head) + body


def nanoseconds(time: str) -> int:
    moment = dt.datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return calendar.timegm(moment.utctimetuple()) * 10**9


class Databento:
    """`cost` is what every estimate says."""

    def __init__(self, cost: float = 0.0) -> None:
        self.cost = cost
        self.end = "2024-06-01T00:00:00.000000000Z"
        self.extra: list[tuple[int, str, str, str, str, int]] = []

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.endswith("metadata.get_dataset_range"):
            return json_reply({"start": "2018-05-01T00:00:00.000000000Z", "end": self.end})
        if asked.form["symbols"] == "ZZZ":
            detail = {
                "case": "symbology_invalid_request",
                "message": "None of the symbols could be resolved",
            }
            return json_reply({"detail": detail}, 422)
        if asked.path.endswith("metadata.get_cost"):
            return json_reply(self.cost)
        first, last = asked.form["start"][:10], asked.form["end"][:10]
        schema = asked.form["schema"]
        if schema == "ohlcv-1d":
            records = [(nanoseconds(day), *rest) for day, *rest in DAYS if first <= day < last]
        else:
            records = [(nanoseconds(time), *rest) for time, *rest in MINUTES]
        return Reply(dbn_bytes(schema, [*records, *self.extra]))  # type: ignore[list-item]


def _single(text: str, factor: int) -> float:
    """A price as Yahoo sends it: divided by the later splits, in single precision."""
    value: float = struct.unpack("f", struct.pack("f", float(Decimal(text) / factor)))[0]
    return value


def _open_seconds(day: str) -> int:
    moment = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(9, 30), NEW_YORK)
    return int(moment.timestamp())


def yahoo(asked: Asked) -> Reply:
    if not asked.path.startswith("/v8/finance/chart/"):
        return Reply(b"a-crumb")
    if asked.path.endswith("/ZZZ"):
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return json_reply({"chart": {"result": None, "error": error}}, 404)
    return json_reply({"chart": {"result": [yahoo_chart(asked)], "error": None}})


def yahoo_chart(asked: Asked) -> dict[str, object]:
    start = int(asked.query.get("period1", 0))
    days = [one for one in DAYS if _open_seconds(one[0]) >= start]
    factors = [4 if day < SPLIT_DAY else 1 for day, *_ in days]
    period = {"start": 1, "end": 2, "timezone": "EST", "gmtoffset": -18_000}
    columns = {
        name: [_single(str(one[place]), factor) for one, factor in zip(days, factors, strict=True)]
        for place, name in enumerate(("open", "high", "low", "close"), start=1)
    }
    volumes = [one[5] * factor for one, factor in zip(days, factors, strict=True)]
    split, paid = _open_seconds(SPLIT_DAY), _open_seconds(DIVIDEND_DAY)
    return {
        "meta": {
            "currency": "USD",
            "symbol": "AAPL",
            "exchangeTimezoneName": "America/New_York",
            "instrumentType": "EQUITY",
            "regularMarketTime": _open_seconds(DAYS[-1][0]),
            "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
            "priceHint": 2,
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "max"],
        },
        "timestamp": [_open_seconds(one[0]) for one in days],
        "events": {
            "dividends": {str(paid): {"amount": 0.06, "date": paid}},
            "splits": {
                str(split): {
                    "date": split,
                    "numerator": 4.0,
                    "denominator": 1.0,
                    "splitRatio": "4:1",
                }
            },
        },
        "indicators": {
            "quote": [{**columns, "volume": volumes}],
            "adjclose": [{"adjclose": columns["close"]}],
        },
    }
