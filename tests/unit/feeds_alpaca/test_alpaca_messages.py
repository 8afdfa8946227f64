"""Frames to messages to the domain: exact, whatever a server adds."""

import datetime as dt
from decimal import Decimal

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.domain.money import nanos as exact_nanos
from tradingd.feeds.alpaca import convert
from tradingd.feeds.alpaca.messages import (
    BarMessage,
    Decoder,
    LuldMessage,
    QuoteMessage,
    StatusMessage,
)
from tradingd.vendors.alpaca.values import Unreadable


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("999999.99"), places=4))
def test_a_double_gives_back_the_decimal_it_stands_for(price: Decimal) -> None:
    assert convert.nanos(float(price)) == exact_nanos(price)


@given(st.decimals(min_value=0, max_value=900_000, places=9))
def test_nine_decimals_survive_below_a_million_dollars(price: Decimal) -> None:
    assert convert.nanos(float(price)) == exact_nanos(price)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_what_is_no_price_is_refused(value: float) -> None:
    with pytest.raises(Unreadable):
        convert.nanos(value)


def test_a_price_above_a_million_is_exact_too() -> None:
    assert convert.nanos(1_234_567.89) == 1_234_567_890_000_000


@pytest.mark.parametrize(
    "time",
    [
        msgpack.Timestamp(1_700_000_000, 0),
        msgpack.Timestamp(1_700_000_000, 123_456_789),
        msgpack.Timestamp(2**34, 5),
        msgpack.Timestamp(-1, 5),
    ],
    ids=["32 bit", "64 bit", "96 bit", "before 1970"],
)
def test_times_keep_their_nanoseconds_in_every_width(time: msgpack.Timestamp) -> None:
    frame = msgpack.packb([{"T": "q", "S": "A", "bp": 1, "ap": 2.5, "bs": 1, "as": 3, "t": time}])
    (message,) = Decoder().decode(frame)
    assert isinstance(message, QuoteMessage)
    quote = convert.quote(message)
    assert quote.ts == time.to_unix_nano()
    assert (quote.bid, quote.ask, quote.ask_size) == (10**9, 25 * 10**8, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-02-22T15:51:45.335689322Z", 1_614_009_105_335_689_322),
        ("2021-02-22T15:51:44.208Z", 1_614_009_104_208_000_000),
        ("2021-02-22T15:51:44Z", 1_614_009_104_000_000_000),
        ("2021-02-22T10:51:44.5-05:00", 1_614_009_104_500_000_000),
    ],
)
def test_times_in_text_keep_their_nanoseconds(text: str, expected: int) -> None:
    assert convert.nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "now", "2021-02-22", "2021-02-22T15:51:44", "2021-02-22T15:51:44.Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        convert.nanoseconds(text)


def test_the_three_kinds_of_bars_stay_apart() -> None:
    row = {"S": "A", "o": 1, "h": 2, "l": 1, "c": 1, "v": 5, "t": "2021-02-22T15:51:00Z"}
    frame = msgspec.json.encode([{"T": kind, **row} for kind in "bdu"]).decode()
    kinds = [type(one).__name__ for one in Decoder().decode(frame)]
    assert kinds == ["BarMessage", "DailyBarMessage", "UpdatedBarMessage"]


@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_raise(frame: bytes) -> None:
    decoder = Decoder()
    decoder.decode(frame)


@given(st.text(max_size=200))
def test_no_text_makes_the_decoder_raise(frame: str) -> None:
    Decoder().decode(frame)


def test_a_deeply_nested_frame_is_garbage() -> None:
    decoder = Decoder()
    assert decoder.decode("[" * 100_000) == []
    assert decoder.decode(b"\x91" * 100_000) == []
    assert decoder.garbage == 2


def test_names_of_unknown_types_do_not_fill_the_memory() -> None:
    decoder = Decoder()
    frame = msgspec.msgpack.encode([{"T": f"new{number}"} for number in range(1_000)])
    decoder.decode(frame)
    assert decoder.unknown.total() == 1_000
    assert len(decoder.unknown) < 100


NOW = 7


@pytest.mark.parametrize(
    ("code", "text", "halted"),
    [
        ("H", "Trading Halt", True),
        ("P", "Volatility Trading Pause", True),
        ("2", "Trading Halt", True),
        ("4", "No Open/No Resume", True),
        ("3", "Resume", False),
        ("T", "Trading Resumption", False),
        ("Q", "Quotation Resumption", None),
        ("7", "Market Imbalance Buy", None),
        ("X9", "New kind of halt", True),
        ("X8", "Halt resumption of a new kind", False),
        ("", "", None),
    ],
)
def test_statuses_are_halts_resumptions_or_neither(
    code: str, text: str, halted: bool | None
) -> None:
    told = convert.halt_of_status(StatusMessage(S="A", sc=code, sm=text, rc="T1"), NOW)
    assert (None if told is None else told.halted) == halted
    if told is not None:
        assert told.ts == NOW
        assert "T1" in told.reason


@pytest.mark.parametrize(
    ("indicator", "halted"), [("A", None), ("B", None), ("D", True), ("E", False), ("", None)]
)
def test_price_bands_tell_a_suspension_and_its_end(indicator: str, halted: bool | None) -> None:
    told = convert.halt_of_band(LuldMessage(S="A", i=indicator), NOW)
    assert (None if told is None else told.halted) == halted


def test_an_odd_bar_is_converted_as_it_is_and_judged_elsewhere() -> None:
    message = BarMessage(S="A", o=2.0, h=1.0, l=3.0, c=-1.0, v=1.0, t="2021-02-22T15:51:00Z")
    start, bar = convert.bar(message)
    moment = dt.datetime(2021, 2, 22, 15, 51, tzinfo=dt.UTC)
    assert start == int(moment.timestamp()) * 10**9
    assert (bar.high, bar.close) == (10**9, -(10**9))
