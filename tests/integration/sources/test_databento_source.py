import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes import vendor_answers as answers
from tests.fakes.vendor_server import Reply, VendorServer, vendor_server
from tradingd.config.source import DatabentoSource
from tradingd.domain.ports import Source
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", "db-" + "0123456789abcde" * 2)


@pytest.fixture
def vendor() -> answers.Databento:
    return answers.Databento()


@pytest.fixture
def server(vendor: answers.Databento) -> Iterator[VendorServer]:
    with vendor_server(vendor) as found:
        yield found


def source(server: VendorServer, **fields: Any) -> Source:
    given = {"symbols": ("AAPL",), "start": dt.date(2024, 1, 2), "end": dt.date(2024, 1, 5)}
    return make_source(DatabentoSource(endpoint=server.url, tries=2, **{**given, **fields}))


def rows(source: Source) -> list[dict[str, Any]]:
    return [row for task in source.tasks() for _, table in task.load() for row in table.to_pylist()]


def downloads(server: VendorServer) -> int:
    return sum(one.path.endswith("get_range") for one in server.asked)


def test_what_costs_money_is_refused_with_the_estimate_before_it_is_fetched(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.cost = 0.25
    with pytest.raises(Failure) as caught:
        rows(source(server))
    assert caught.value.code is ExitCode.SOURCE
    assert "costs 0.25 USD" in caught.value.found
    assert "leaves 0 USD" in caught.value.found
    assert downloads(server) == 0


def test_the_limit_is_for_all_downloads_together(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.cost = 0.25
    made = source(server, symbols=("AAPL", "MSFT", "IBM"), spending_limit=Decimal("0.6"))
    first, second, third = made.tasks()
    assert list(first.load())
    assert list(second.load())
    with pytest.raises(Failure, match=r"leaves 0\.1 USD"):
        list(third.load())
    assert downloads(server) == 2


def test_a_download_that_broke_off_is_not_paid_for_twice(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.cost = 0.25
    good = vendor

    def cut(asked: Any) -> Reply:
        reply = good(asked)
        return reply._replace(cut=True) if asked.path.endswith("get_range") else reply

    server.answer = cut
    with pytest.raises(Failure):
        rows(source(server, spending_limit=Decimal(1)))
    assert downloads(server) == 1


def test_an_error_instead_of_a_download_is_tried_again_also_when_it_would_cost(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.cost = 0.25
    spoilt = [Reply(b"", 503)]

    def answer(asked: Any) -> Reply:
        if asked.path.endswith("get_range") and spoilt:
            return spoilt.pop()
        return vendor(asked)

    server.answer = answer
    assert len(rows(source(server, spending_limit=Decimal(1)))) == 4


def test_minutes_are_stamped_at_their_end(server: VendorServer) -> None:
    found = rows(source(server, resolution="1m", end=dt.date(2024, 1, 2)))
    assert [str(one["ts_event"]) for one in found] == ["2024-01-02 14:31:00", "2024-01-02 14:32:00"]
    assert found[0]["close"] == Decimal("187.0001")
    assert server.asked[-1].form["dataset"] == "EQUS.MINI"
    assert server.asked[-1].form["start"].startswith("2024-01-02T05:00")


def test_days_come_from_the_official_summary(server: VendorServer) -> None:
    rows(source(server))
    assert server.asked[-1].form["dataset"] == "EQUS.SUMMARY"
    assert server.asked[-1].form["stype_in"] == "raw_symbol"


def test_the_request_ends_where_the_dataset_does(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.end = "2024-01-04T00:00:00.000000000Z"
    assert len(rows(source(server))) == 2
    assert server.asked[-1].form["end"].startswith("2024-01-04T00:00")


def test_a_range_after_the_end_of_the_dataset_is_empty_and_costs_nothing(
    server: VendorServer, vendor: answers.Databento
) -> None:
    vendor.end = "2023-06-01T00:00:00.000000000Z"
    assert rows(source(server)) == []
    assert len(server.asked) == 1


def test_days_without_a_session_and_bars_without_a_price_are_counted_out(
    server: VendorServer, vendor: answers.Databento
) -> None:
    saturday = answers.nanoseconds("2024-01-06")
    friday = answers.nanoseconds("2024-01-05")
    undefined = "9223372036.854775807"
    vendor.extra = [
        (friday, undefined, undefined, undefined, undefined, 0),
        (saturday, "1", "1", "1", "1", 5),
    ]
    (task,) = source(server, end=dt.date(2024, 1, 7)).tasks()
    (table,) = [table for _, table in task.load()]
    assert table.num_rows == 4
    assert dict(task.skipped) == {"undefined_price": 1, "no_session": 1}
