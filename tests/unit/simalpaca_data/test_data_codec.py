"""Numbers, times and frames on the wire of the test server's data streams."""

import datetime as dt
import json

import msgpack
import pytest

from tradingd.simalpaca.marketdata import amounts
from tradingd.simalpaca.marketdata.codec import JSON, MESSAGE_PACK, of_content_type
from tradingd.simalpaca.marketdata.splits import Splits
from tradingd.simalpaca.marketdata.store import StoredAction, StoredBar

ONE = 1_000_000_000


@pytest.mark.parametrize(
    "nanos", [0, 1, ONE, 470_250_000_000, 123_456_789, 999_999_999_999_999, 10**15 + 1, -5 * ONE]
)
def test_a_price_has_exactly_its_decimals_in_json(nanos: int) -> None:
    from decimal import Decimal

    text = JSON.encode({"p": amounts.number(nanos)})
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal)["p"] == Decimal(nanos) / ONE


@pytest.mark.parametrize("count", [0, 1, 15, 16, 70_000])
def test_frames_are_arrays_of_messages(count: int) -> None:
    for codec, read in ((JSON, json.loads), (MESSAGE_PACK, msgpack.unpackb)):
        frame = codec.frame([codec.encode({"n": n}) for n in range(count)])
        assert read(frame) == [{"n": n} for n in range(count)]


@pytest.mark.parametrize("ts", [1_704_205_860 * ONE, 1_704_205_860 * ONE + 123_456_789, 0])
def test_messagepack_times_are_timestamps(ts: int) -> None:
    (stamp,) = msgpack.unpackb(MESSAGE_PACK.frame([MESSAGE_PACK.encode(MESSAGE_PACK.time(ts))]))
    assert stamp.to_unix_nano() == ts


def test_the_content_type_chooses_the_codec() -> None:
    assert of_content_type("application/msgpack") is MESSAGE_PACK
    assert of_content_type("application/msgpack; charset=x") is MESSAGE_PACK
    assert of_content_type("application/json") is of_content_type("") is JSON


def test_all_later_splits_apply_and_round_half_up() -> None:
    def split(effective: int, numerator: int, denominator: int) -> StoredAction:
        day = dt.date(2024, 1, 1)
        return StoredAction("X", day, effective, "split", numerator, denominator, 0, "")

    splits = Splits([split(20, 1, 2), split(10, 3, 1)])
    assert splits.apply(StoredBar(21, 7, 7, 7, 7, 9)) == StoredBar(21, 7, 7, 7, 7, 9)
    assert splits.apply(StoredBar(20, 7, 7, 7, 7, 9)) == StoredBar(20, 14, 14, 14, 14, 5)
    assert splits.apply(StoredBar(10, 7, 8, 7, 7, 9)) == StoredBar(10, 5, 5, 5, 5, 14)
