"""The vendor's own client against its service on loopback: every way in which an answer fails."""

import logging
import resource
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from databento import DBNStore

from tests.fakes.web_peer import closed_port
from tests.servers.databento_history import (
    KEY,
    Fault,
    HistoryServer,
    books,
    history_server,
    warning,
)
from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.databento.historical import HistoricalClient, Request
from tradingd.vendors.databento.trouble import Kind, Trouble

pytestmark = pytest.mark.real_data

HOUR = 3_600 * 10**9
OPEN = 1_743_687_000 * 10**9
"""2025-04-03 13:30 UTC."""

FROG = Request(
    dataset="XNAS.ITCH", schema="mbp-10", symbol="FROG", start_ns=OPEN, end_ns=OPEN + HOUR
)


@pytest.fixture(scope="module")
def shared(real_data: Path) -> Iterator[HistoryServer]:
    with history_server(books(real_data), unit_price=Decimal(2)) as server:
        yield server


@pytest.fixture
def server(shared: HistoryServer) -> HistoryServer:
    shared.forget()
    return shared


@pytest.fixture
def client(server: HistoryServer) -> HistoricalClient:
    return HistoricalClient(Secret("env:KEY", KEY), endpoint=server.url, timeout=1.0)


def test_a_download_holds_exactly_the_records_that_were_asked_for(
    server: HistoryServer, client: HistoricalClient, real_data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "frog.dbn.zst"
    count = client.download(FROG, path)
    got, source = DBNStore.from_file(path), DBNStore.from_file(books(real_data)[1])
    rows, every = got.to_ndarray(), source.to_ndarray()
    for store in (got, source):
        store.reader.close()
    inside = (every["ts_recv"] >= FROG.start_ns) & (every["ts_recv"] < FROG.end_ns)
    assert rows.tobytes() == every[inside].tobytes()
    assert count == len(rows) == client.record_count(FROG) == 4_934
    assert got.metadata.start == FROG.start_ns
    assert got.metadata.end == FROG.end_ns
    assert got.metadata.mappings["FROG"][0]["symbol"] == "6292"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_estimate_is_the_price_of_the_bytes_and_costs_nothing(
    server: HistoryServer, client: HistoricalClient, tmp_path: Path
) -> None:
    estimate = client.cost(FROG)
    assert estimate == Decimal(repr(float(server.price(4_934 * 368))))
    assert (server.billed, server.downloads.total()) == (0, 0)
    client.download(FROG, tmp_path / "frog.dbn.zst")
    assert abs(server.billed - estimate) < Decimal("1e-12")


def test_a_time_without_records_is_an_answer_without_records(
    server: HistoryServer, client: HistoricalClient, tmp_path: Path
) -> None:
    night = msgspec.structs.replace(FROG, start_ns=OPEN - 5 * HOUR, end_ns=OPEN - 4 * HOUR)
    assert client.download(night, tmp_path / "night.dbn.zst") == 0
    assert client.cost(night) == 0


FAULTS = {
    "429 with a wait": (Fault("status", 429, retry_after="7"), Kind.BUSY, False),
    "429": (Fault("status", 429), Kind.BUSY, False),
    "500": (Fault("status", 500), Kind.DOWN, False),
    "502": (Fault("status", 502), Kind.DOWN, False),
    "503": (Fault("status", 503), Kind.DOWN, False),
    "504": (Fault("status", 504), Kind.DOWN, False),
    "401": (Fault("status", 401), Kind.KEY, False),
    "403": (Fault("status", 403), Kind.LICENCE, False),
    "422": (Fault("status", 422), Kind.REFUSED, False),
    "reset": (Fault("reset"), Kind.DOWN, True),
    "charged, then silence": (Fault("lost"), Kind.DOWN, True),
    "cut in the stream": (Fault("cut"), Kind.DOWN, True),
    "cut at its first bytes": (Fault("cut", at=0.0001), Kind.DOWN, True),
    "cut between frames": (Fault("frame"), Kind.DOWN, True),
    "stalled": (Fault("stall", seconds=30.0), Kind.DOWN, True),
    "too long a length": (Fault("long"), Kind.DOWN, True),
    "too short a length": (Fault("short"), Kind.GARBLED, True),
    "a length of some bytes": (Fault("short", at=0.0001), Kind.GARBLED, True),
    "garbage": (Fault("garbage"), Kind.GARBLED, True),
    "nothing": (Fault("empty"), Kind.GARBLED, True),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_failed_download_says_what_helps_and_whether_it_may_have_been_charged(
    server: HistoryServer, client: HistoricalClient, tmp_path: Path, name: str
) -> None:
    fault, kind, lost = FAULTS[name]
    server.fail("get_range", fault)
    began = time.monotonic()
    with pytest.raises(Trouble) as caught:
        client.download(FROG, tmp_path / "frog.dbn.zst")
    assert time.monotonic() - began < 25
    trouble = caught.value
    assert (trouble.kind, trouble.lost) == (kind, lost), trouble
    assert trouble.wait == (7.0 if fault.retry_after else None)
    assert lost or server.billed == 0, "what was charged for may be lost, never the reverse"
    assert list(tmp_path.iterdir()) == []
    # The same client goes on.
    assert client.download(FROG, tmp_path / "frog.dbn.zst") == 4_934


def test_a_slow_answer_that_never_pauses_for_long_is_waited_for(
    server: HistoryServer, client: HistoricalClient, tmp_path: Path
) -> None:
    server.fail("get_range", Fault("drip", seconds=0.2))
    assert client.download(FROG, tmp_path / "frog.dbn.zst") == 4_934


def test_where_nobody_listens_nothing_was_charged(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    client = HistoricalClient(Secret("env:KEY", KEY), endpoint=url, timeout=1.0)
    with pytest.raises(Trouble, match="no connection") as caught:
        client.download(FROG, tmp_path / "frog.dbn.zst")
    assert (caught.value.again, caught.value.lost) == (True, False)


@pytest.mark.parametrize("text", [warning("mbp-10 will end", "really"), "{not json", "null", '"x"'])
def test_a_warning_of_the_vendor_is_logged_and_the_paid_answer_kept(
    server: HistoryServer,
    client: HistoricalClient,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    text: str,
) -> None:
    # Warnings are errors in these tests: raised as such, the answer would be thrown away.
    server.fail("get_range", Fault("warn", text=text))
    server.fail("get_cost", Fault("warn", text=text))
    client.cost(FROG)
    assert client.download(FROG, tmp_path / "frog.dbn.zst") == 4_934
    lines = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert len(lines) == (4 if "mbp-10" in text else 2)


def test_a_symbol_that_did_not_trade_is_unknown_in_the_estimate_and_the_download(
    client: HistoricalClient, tmp_path: Path
) -> None:
    for request in (
        msgspec.structs.replace(FROG, symbol="ZZZZ"),
        msgspec.structs.replace(FROG, start_ns=OPEN - 48 * HOUR, end_ns=OPEN - 47 * HOUR),
    ):
        for ask in (client.cost, lambda one: client.download(one, tmp_path / "none")):
            with pytest.raises(Trouble, match="could be resolved") as caught:
                ask(request)
            assert caught.value.kind is Kind.UNKNOWN


def test_a_time_that_is_not_available_yet_is_refused_with_the_vendors_words(
    server: HistoryServer, client: HistoricalClient
) -> None:
    server.available_end = FROG.end_ns - HOUR // 2
    with pytest.raises(Trouble, match="data available up to '2025-04-03T14:00:00") as caught:
        client.cost(FROG)
    assert caught.value.kind is Kind.REFUSED
    assert client.available_end("XNAS.ITCH", "mbp-10").startswith("2025-04-03T14:00:00")


@pytest.mark.parametrize("answer", ["-1.0", "NaN", "Infinity", '"free"', "null", "true", "{}"])
def test_an_estimate_that_is_no_amount_is_no_estimate(
    server: HistoryServer, client: HistoricalClient, answer: str
) -> None:
    server.fail("get_cost", Fault("answer", text=answer))
    with pytest.raises(Trouble) as caught:
        client.cost(FROG)
    assert caught.value.kind is Kind.GARBLED


def test_no_error_log_or_text_shows_the_key(
    server: HistoryServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other = "db-" + KEY[:2:-1]
    client = HistoricalClient(Secret("env:KEY", other), endpoint=server.url, timeout=1.0)
    server.fail("get_cost", Fault("status", 401, text=f"the key {other} is wrong"))
    server.fail("get_range", Fault("warn", text=warning(f"key {KEY} expires")))
    said = ""
    for ask in (
        lambda: client.cost(FROG),
        lambda: client.cost(FROG),
        lambda: client.download(FROG, tmp_path / "frog.dbn.zst"),
    ):
        with pytest.raises(Trouble) as caught:
            ask()
        assert caught.value.kind is Kind.KEY
        said += f"{caught.value} {caught.value!r} {caught.getrepr(style='long')}"
    said += f"{client!r} {vars(client)} {caplog.text}"
    assert other not in said
    assert other[3:] not in said
    assert server.billed == 0


def test_a_key_goes_to_no_other_machine() -> None:
    client = HistoricalClient(Secret("env:KEY", KEY), endpoint="http://192.0.2.1:80", timeout=1.0)
    with pytest.raises(Failure, match="own host only") as caught:
        client.cost(FROG)
    assert caught.value.code is ExitCode.CONFIG


def test_a_disk_that_takes_no_more_is_not_a_reason_to_buy_again(
    server: HistoryServer, client: HistoricalClient, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    client.cost(FROG)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(Failure) as caught:
            client.download(FROG, tmp_path / "frog.dbn.zst")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code is ExitCode.STORE_WRITE
    assert list(tmp_path.iterdir()) == []
    assert server.downloads.total() == 1
