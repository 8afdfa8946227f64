"""What every vendor's source does alike: the vendor's real client against a server on loopback."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest

from tests.fakes import vendor_answers as answers
from tests.fakes.vendor_server import Asked, Reply, VendorServer, vendor_server
from tests.fakes.web_peer import black_hole, closed_port
from tradingd.config.source import (
    DatabentoSource,
    MassiveSource,
    RemoteSource,
    TiingoSource,
    YahooSource,
)
from tradingd.domain.market import ActionKind
from tradingd.domain.money import nanos
from tradingd.domain.ports import Source
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source

KEY = "db-" + "key0of0the0test" * 2


class Vendor(NamedTuple):
    """A vendor under test: its configuration, its server, and which of its requests are prices."""

    config: type[RemoteSource]
    answer: Callable[[], Callable[[Asked], Reply]]
    prices: str
    key: str
    actions: bool = True


VENDORS = {
    "tiingo": Vendor(TiingoSource, lambda: answers.tiingo, "/prices", "TIINGO_API_KEY"),
    "massive": Vendor(MassiveSource, lambda: answers.massive, "/v2/aggs", "MASSIVE_API_KEY"),
    "databento": Vendor(
        DatabentoSource, answers.Databento, "get_range", "DATABENTO_API_KEY", actions=False
    ),
    "yahoo": Vendor(YahooSource, lambda: answers.yahoo, "/v8/finance/chart", ""),
}


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for vendor in VENDORS.values():
        if vendor.key:
            monkeypatch.setenv(vendor.key, KEY)


@pytest.fixture(params=list(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


class Served:
    """A vendor's server that can be told to spoil the next answers about prices."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.spoilt: list[Reply] = []
        self._answer = vendor.answer()

    def __call__(self, asked: Asked) -> Reply:
        if self.spoilt and self.is_price(asked):
            return self.spoilt.pop(0)
        return self._answer(asked)

    def is_price(self, asked: Asked) -> bool:
        return self.vendor.prices in asked.path


@pytest.fixture
def server(vendor: Vendor) -> Iterator[VendorServer]:
    with vendor_server(Served(vendor)) as found:
        yield found


def spoil(server: VendorServer, *replies: Reply) -> None:
    server.answer.spoilt += replies  # type: ignore[attr-defined]


def asked_for_prices(server: VendorServer) -> int:
    return sum(server.answer.is_price(one) for one in server.asked)  # type: ignore[attr-defined]


def source(vendor: Vendor, url: str, symbol: str = "AAPL", tries: int = 2) -> Source:
    config = vendor.config(
        symbols=(symbol,),
        start=dt.date(2024, 1, 2),
        end=dt.date(2024, 1, 5),
        endpoint=url,
        tries=tries,
        timeout=5.0,
        requests_per_minute=1_000,
    )
    return make_source(config)  # type: ignore[arg-type]


def loaded(source: Source) -> pa.Table:
    (task,) = source.tasks()
    tables = [table for _, table in task.load()]
    return pa.concat_tables(tables) if tables else None


def refused(source: Source) -> Failure:
    with pytest.raises(Failure) as caught:
        loaded(source)
    assert KEY not in caught.value.line()
    return caught.value


def test_bars_come_as_traded_exact_and_stamped_at_the_close(
    vendor: Vendor, server: VendorServer
) -> None:
    table = loaded(source(vendor, server.url))
    assert [str(one) for one in table["ts_event"].to_pylist()] == [
        f"{day} 21:00:00" for day, *_ in answers.DAYS
    ]
    for place, name in enumerate(("open", "high", "low", "close"), start=1):
        assert table[name].to_pylist() == [Decimal(str(one[place])) for one in answers.DAYS], name
    assert table["volume"].to_pylist() == [one[5] for one in answers.DAYS]


def test_the_asked_days_are_a_limit(vendor: Vendor, server: VendorServer) -> None:
    config = vendor.config(
        symbols=("AAPL",),
        start=dt.date(2024, 1, 3),
        end=dt.date(2024, 1, 4),
        endpoint=server.url,
        requests_per_minute=1_000,
    )
    table = loaded(make_source(config))  # type: ignore[arg-type]
    assert [str(one)[:10] for one in table["ts_event"].to_pylist()] == ["2024-01-03", "2024-01-04"]


def test_splits_and_dividends_are_actions_of_their_day(
    vendor: Vendor, server: VendorServer
) -> None:
    found = source(vendor, server.url).actions()
    if not vendor.actions:
        assert found == []
        return
    by_kind = {one.kind: one for one in found}
    assert len(found) == 2
    split, paid = by_kind[ActionKind.SPLIT], by_kind[ActionKind.DIVIDEND]
    assert (split.ex_date.isoformat(), split.numerator, split.denominator) == ("2024-01-04", 4, 1)
    assert (paid.ex_date.isoformat(), paid.amount) == ("2024-01-03", nanos("0.24"))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(b"slow down", 429), id="429"),
        pytest.param(Reply(b"oops", 500), id="500"),
    ],
)
def test_a_passing_trouble_is_tried_again(
    vendor: Vendor, server: VendorServer, reply: Reply
) -> None:
    spoil(server, reply)
    assert loaded(source(vendor, server.url)).num_rows == 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_lasting_trouble_ends_after_the_tries(
    vendor: Vendor, server: VendorServer, status: int
) -> None:
    spoil(server, *[Reply(b"no", status)] * 9)
    failure = refused(source(vendor, server.url))
    assert failure.code is ExitCode.SOURCE
    assert str(status) in failure.found
    assert asked_for_prices(server) == 2


def test_a_cut_answer_is_tried_again(vendor: Vendor, server: VendorServer) -> None:
    spoil(server, Reply(b'{"chart": "half an answer', 200, cut=True))
    assert loaded(source(vendor, server.url)).num_rows == 4


def test_a_wrong_key_is_told_at_once_and_never_shown(vendor: Vendor, server: VendorServer) -> None:
    spoil(server, *[Reply(f"the key {KEY} is wrong".encode(), 401)] * 9)
    failure = refused(source(vendor, server.url))
    assert failure.code is ExitCode.SOURCE
    assert "does not accept the key" in failure.what
    assert asked_for_prices(server) <= 2


def test_an_unknown_symbol_is_told_or_empty(vendor: Vendor, server: VendorServer) -> None:
    if vendor.config is MassiveSource:
        assert loaded(source(vendor, server.url, "ZZZ")) is None
        return
    failure = refused(source(vendor, server.url, "ZZZ"))
    assert failure.code is ExitCode.UNKNOWN_SYMBOL
    assert "ZZZ" in failure.where


def test_an_unknown_symbol_has_no_actions_and_does_not_hide_those_of_others(
    vendor: Vendor, server: VendorServer
) -> None:
    config = vendor.config(
        symbols=("ZZZ", "AAPL"),
        start=dt.date(2024, 1, 2),
        end=dt.date(2024, 1, 5),
        endpoint=server.url,
        requests_per_minute=1_000,
    )
    if vendor.config is MassiveSource:
        pytest.skip("its server tells the actions of one symbol, whoever asks")
    found = make_source(config).actions()  # type: ignore[arg-type]
    assert {one.symbol for one in found} == ({"AAPL"} if vendor.actions else set())


def test_garbage_is_no_data(vendor: Vendor, server: VendorServer) -> None:
    spoil(server, *[Reply(b"<html>maintenance</html>")] * 9)
    failure = refused(source(vendor, server.url))
    assert failure.code is ExitCode.UNREADABLE_INPUT


def test_nobody_listening_is_told(vendor: Vendor) -> None:
    failure = refused(source(vendor, f"http://127.0.0.1:{closed_port()}"))
    assert failure.code is ExitCode.SOURCE
    assert "cannot be reached" in failure.what


def test_a_silent_server_is_waited_for_no_longer_than_configured(vendor: Vendor) -> None:
    with black_hole() as port:
        config = vendor.config(
            symbols=("AAPL",),
            start=dt.date(2024, 1, 2),
            end=dt.date(2024, 1, 5),
            endpoint=f"http://127.0.0.1:{port}",
            timeout=0.2,
            tries=1,
        )
        began = time.monotonic()
        failure = refused(make_source(config))  # type: ignore[arg-type]
    assert failure.code is ExitCode.SOURCE
    assert time.monotonic() - began < 10.0


def test_a_missing_key_is_a_matter_of_configuration(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not vendor.key:
        pytest.skip("this vendor needs no key")
    monkeypatch.delenv(vendor.key)
    failure = refused(source(vendor, "http://127.0.0.1:1"))
    assert failure.code is ExitCode.CONFIG
    assert vendor.key in failure.line()


def test_without_symbols_nothing_is_asked(vendor: Vendor) -> None:
    with pytest.raises(Failure) as caught:
        make_source(vendor.config()).tasks()  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.where) == (ExitCode.CONFIG, "source.symbols")


def test_keys_go_to_the_vendor_or_to_this_machine_only(vendor: Vendor) -> None:
    with pytest.raises(ValueError, match="on this machine"):
        vendor.config(endpoint="https://prices.example.com")


def test_constructing_a_source_touches_nothing(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    if vendor.key:
        monkeypatch.delenv(vendor.key)
    made = source(vendor, "http://127.0.0.1:1")
    assert made.name in VENDORS
