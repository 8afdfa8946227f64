"""Databento as a provider: nothing is paid unawares, or bought twice without room for it."""

import datetime as dt
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.servers.databento_history import (
    KEY,
    Fault,
    HistoryServer,
    books,
    history_server,
    until,
)
from tradingd.backfill.provider import Retry, Window
from tradingd.backfill.providers.databento import DatabentoBookProvider, make
from tradingd.config.backfill import BackfillConfig, DatabentoBooks
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.databento.dbn import DbnFile

pytestmark = pytest.mark.real_data

HOUR = 3_600 * 10**9
DAY = dt.date(2025, 4, 3)
OPEN = 1_743_687_000 * 10**9
"""2025-04-03 13:30 UTC."""

WINDOW = Window(start_ns=OPEN, end_ns=OPEN + HOUR)
ODD = Window(start_ns=OPEN + 61 * 10**9, end_ns=OPEN + HOUR)
"""Not whole ten minutes: the vendor's estimates are high."""

FROG = (DAY, "FROG", WINDOW)
PRICE = Decimal(repr(4_934 * 368 * 1_000 / 2**30))
"""Of FROG's window, at 1,000 USD a gigabyte."""


@pytest.fixture(scope="module")
def shared(real_data: Path) -> Iterator[HistoryServer]:
    names = {f"FROG{number}": "FROG" for number in range(40)}
    with history_server(books(real_data), unit_price=Decimal(1_000), aliases=names) as server:
        yield server


@pytest.fixture
def server(shared: HistoryServer, monkeypatch: pytest.MonkeyPatch) -> HistoryServer:
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)
    shared.forget()
    return shared


def provider(server: HistoryServer, limit: str = "100", tries: int = 3) -> DatabentoBookProvider:
    config = DatabentoBooks(endpoint=server.url, spending_limit=Decimal(limit), timeout=2.0)
    return make(config, BackfillConfig(tries=tries, backoff_initial_ms=1, backoff_max_ms=5))


def fetched(provider: DatabentoBookProvider, folder: Path, window: Window = WINDOW) -> int:
    """Return how many records arrived."""
    path = provider.fetch_l2(DAY, "FROG", window, folder)
    return sum(len(chunk) for chunk in DbnFile(path).open().chunks())


def test_the_estimate_is_of_all_tasks_and_pays_for_nothing(server: HistoryServer) -> None:
    night = Window(start_ns=OPEN - 5 * HOUR, end_ns=OPEN - 4 * HOUR)
    apple = Window(start_ns=1_729_512_000 * 10**9, end_ns=1_729_512_000 * 10**9 + HOUR)
    tasks = [FROG, (dt.date(2024, 10, 21), "AAPL", apple), (DAY, "FROG", night), FROG]
    found = provider(server).estimate(tasks)
    assert found is not None
    assert found > PRICE
    assert server.count("get_cost") == 3, "the same request is asked for once"
    assert (server.downloads.total(), server.billed) == (0, 0)


def test_what_was_estimated_is_what_is_charged(server: HistoryServer, tmp_path: Path) -> None:
    made = provider(server)
    assert made.estimate([FROG]) == PRICE
    assert fetched(made, tmp_path) == 4_934
    assert made.spent == PRICE
    assert abs(server.billed - PRICE) < Decimal("1e-9")
    assert server.count("get_cost") == 1, "the estimate is remembered"


def test_many_estimates_are_asked_for_at_once_but_boundedly(server: HistoryServer) -> None:
    server.delay = lambda asked: 0.6
    tasks = [(DAY, f"FROG{number}", WINDOW) for number in range(12)]
    assert provider(server).estimate(tasks) == 12 * PRICE
    assert 2 <= server.most_running <= 8


def test_an_estimate_that_fails_is_asked_for_again_after_the_vendors_wait(
    server: HistoryServer,
) -> None:
    server.fail("get_cost", Fault("status", 429, retry_after="0.3"), Fault("status", 503))
    began = time.monotonic()
    assert provider(server).estimate([FROG]) == PRICE
    assert time.monotonic() - began >= 0.3
    assert server.count("get_cost") == 3


def test_an_estimate_that_never_comes_is_told_as_such(server: HistoryServer) -> None:
    server.fail("get_cost", *[Fault("status", 503)] * 3)
    with pytest.raises(Retry, match="HTTP 503"):
        provider(server).estimate([FROG])


def test_a_refused_task_costs_nothing_in_the_estimate_and_tells_why_when_fetched(
    server: HistoryServer, tmp_path: Path
) -> None:
    made = provider(server)
    assert made.estimate([FROG, (DAY, "ZZZZ", WINDOW)]) == PRICE
    with pytest.raises(Failure, match="does not know the symbol") as caught:
        made.fetch_l2(DAY, "ZZZZ", WINDOW, tmp_path)
    assert caught.value.code is ExitCode.UNKNOWN_SYMBOL
    assert "backfill.mapping" in caught.value.next_step
    assert server.count("get_range") == 0


def test_a_wrong_key_ends_the_estimate_at_once_and_is_not_shown(
    server: HistoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "db-" + KEY[:2:-1]
    monkeypatch.setenv("DATABENTO_API_KEY", wrong)
    with pytest.raises(Failure, match="does not accept the key") as caught:
        provider(server).estimate([(DAY, f"FROG{number}", WINDOW) for number in range(40)])
    assert wrong[3:] not in f"{caught.value.line()} {caught.getrepr(style='long')}"
    assert len(server.asked) <= 20, "nobody asks on with a key that is wrong"


@pytest.mark.parametrize("limit", ["0", "1.69"])
def test_over_the_limit_not_a_byte_is_bought(
    server: HistoryServer, tmp_path: Path, limit: str
) -> None:
    with pytest.raises(Failure, match="costs more than may be spent") as caught:
        fetched(provider(server, limit), tmp_path)
    assert f"{PRICE} USD" in caught.value.found
    assert (server.billed, server.count("get_range")) == (0, 0)


def test_several_workers_together_stay_within_the_limit(
    server: HistoryServer, tmp_path: Path
) -> None:
    made = provider(server, str(3 * PRICE + Decimal("0.1")))
    server.delay = lambda asked: 0.02
    refused: list[Failure] = []

    def work(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            made.fetch_l2(DAY, f"FROG{number}", WINDOW, folder)
        except Failure as failure:
            refused.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5
    assert server.downloads.total() == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut"),
        Fault("frame"),
        Fault("frame_clean"),
        Fault("short"),
        Fault("long"),
        Fault("garbage"),
        Fault("lost"),
    ],
    ids=lambda one: one.kind,
)
def test_an_answer_that_broke_off_is_bought_again_and_counted_twice(
    server: HistoryServer, tmp_path: Path, fault: Fault
) -> None:
    made = provider(server)
    server.fail("get_range", fault)
    with pytest.raises(Retry, match=r"1\.69\d* USD (may have been charged|paid)"):
        fetched(made, tmp_path)
    (tmp_path / "again").mkdir()
    assert fetched(made, tmp_path / "again") == 4_934
    assert made.spent == 2 * PRICE
    assert abs(server.billed - made.spent) < Decimal("1e-9")


@pytest.mark.parametrize("fault", [Fault("cut"), Fault("frame_clean")], ids=lambda one: one.kind)
def test_without_room_for_a_second_purchase_there_is_none(
    server: HistoryServer, tmp_path: Path, fault: Fault
) -> None:
    made = provider(server, str(PRICE + Decimal(1)))
    server.fail("get_range", fault)
    with pytest.raises(Failure, match="did not arrive whole, and may have been charged") as caught:
        fetched(made, tmp_path)
    assert caught.value.where == "backfill.provider.spending_limit"
    assert server.downloads.total() == 1


def test_what_is_free_of_charge_is_simply_tried_again(
    server: HistoryServer, tmp_path: Path
) -> None:
    night = Window(start_ns=OPEN - 5 * HOUR, end_ns=OPEN - 4 * HOUR)
    made = provider(server, "0")
    server.fail("get_range", Fault("cut"))
    with pytest.raises(Retry):
        fetched(made, tmp_path, night)
    assert fetched(made, tmp_path, night) == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_error_in_place_of_a_download_is_not_counted_as_paid(
    server: HistoryServer, tmp_path: Path, status: int
) -> None:
    made = provider(server, str(PRICE))
    server.fail("get_range", Fault("status", status, retry_after="2"))
    with pytest.raises(Retry) as caught:
        fetched(made, tmp_path)
    assert caught.value.wait == 2.0
    assert made.spent == 0
    assert fetched(made, tmp_path) == 4_934


def test_the_same_short_answer_twice_is_all_there_is(server: HistoryServer, tmp_path: Path) -> None:
    made = provider(server)
    server.fail("get_range", Fault("frame_clean"), Fault("frame_clean"))
    with pytest.raises(Retry, match="2400 records of 4934"):
        fetched(made, tmp_path)
    assert fetched(made, tmp_path) == 2_400
    assert server.downloads.total() == 2


def test_a_count_that_is_high_by_design_is_no_reason_to_doubt_an_answer(
    server: HistoryServer, tmp_path: Path
) -> None:
    count = fetched(provider(server), tmp_path, ODD)
    assert 0 < count < 4_934
    assert server.count("get_record_count") == 0


def test_a_provider_without_a_key_says_so_and_asks_nobody(
    server: HistoryServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert provider(server).is_available() == ""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABENTO_API_KEY")
    assert "env:DATABENTO_API_KEY is not set" in provider(server).is_available()
    assert server.asked == []


def test_a_provider_without_the_vendors_package_says_how_to_get_it(
    server: HistoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "databento", None)
    assert "pip install 'tradingd[databento]'" in provider(server).is_available()


def test_an_estimate_that_is_refused_waits_for_nobody(
    server: HistoryServer, tmp_path: Path
) -> None:
    server.fail("get_cost", Fault("status", 429, retry_after="50"), symbol="FROG")
    server.fail("get_cost", Fault("status", 401), symbol="FROG1")
    server.delay = lambda asked: 0.3 if asked.symbols == ["FROG1"] else 0.0
    began = time.monotonic()
    with pytest.raises(Failure, match="does not accept the key"):
        provider(server).estimate([(DAY, "FROG1", WINDOW), FROG])
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("asking")])
    assert time.monotonic() - began < 25
