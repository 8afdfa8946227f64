"""Alpaca's history over a real socket: exact prices, closes, paging, patience, refusals."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.fakes.alpaca_rest_peer import AlpacaRestPeer, alpaca_rest_peer
from tests.stopwatch import Stopwatch
from tradingd.config.secrets import Secret
from tradingd.config.source import AlpacaSource as AlpacaConfig
from tradingd.domain.market import ActionKind, Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.sources.alpaca.source import AlpacaSource
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.keys import Keys
from tradingd.vendors.alpaca.sessions import calendar_differences

CALENDAR = SessionCalendar()
NOW = local_midnight_ns(dt.date(2024, 7, 10))


@pytest.fixture
def peer() -> Iterator[AlpacaRestPeer]:
    with alpaca_rest_peer() as one:
        one.latest["AAPL"] = {"t": "2024-07-09T20:00:00Z", "p": 1.5, "s": 1}
        yield one


def client(peer: AlpacaRestPeer, **options: object) -> DataClient:
    given = {"per_minute": 6_000, "timeout": 5.0, **options}
    return DataClient(Keys("PKKEY", "SECRETXYZ"), endpoint=peer.url, **given)  # type: ignore[arg-type]


def source(peer: AlpacaRestPeer, **options: object) -> AlpacaSource:
    given = {"symbols": ("AAPL",), "start": dt.date(2024, 7, 1), "end": dt.date(2024, 7, 5)}
    config = AlpacaConfig(
        endpoint=peer.url, requests_per_minute=6_000, timeout=5.0, **{**given, **options}
    )  # type: ignore[arg-type]
    return AlpacaSource(
        config, CALENDAR, wall=lambda: NOW, secrets=lambda name: Secret(name, f"value-of-{name}")
    )


def minute(at: str, close: str = "178.21", volume: str = "1118") -> str:
    return f'{{"c":{close},"h":178.26,"l":178.2,"n":65,"o":178.26,"t":"{at}","v":{volume},"vw":1}}'


def rows(one: AlpacaSource) -> list[dict[str, object]]:
    (task,) = one.tasks()
    return [row for _, table in task.load() for row in table.to_pylist()]


def test_minutes_are_stamped_at_their_close_and_prices_are_exact(peer: AlpacaRestPeer) -> None:
    # 178.210000001 needs more digits than a float keeps beside nine decimals of a large price.
    peer.put_bar("AAPL", "1Min", minute("2024-07-01T13:30:00Z", "178.210000001"))
    (row,) = rows(source(peer, resolution="1m"))
    assert row["close"] == Decimal("178.210000001")
    assert str(row["ts_event"]).startswith("2024-07-01 13:31:00")
    assert row["volume"] == 1118


def test_a_day_closes_with_its_session_also_on_a_half_day(peer: AlpacaRestPeer) -> None:
    for at in ("2024-07-02T04:00:00Z", "2024-07-03T04:00:00Z"):
        peer.put_bar("AAPL", "1Day", minute(at))
    closes = [str(row["ts_event"])[:19] for row in rows(source(peer))]
    assert closes == ["2024-07-02 20:00:00", "2024-07-03 17:00:00"]
    assert peer.asked[0][1]["adjustment"] == "raw"


def test_pages_are_followed_to_the_last(peer: AlpacaRestPeer) -> None:
    peer.page = 2
    for number in range(5):
        peer.put_bar("AAPL", "1Min", minute(f"2024-07-01T13:3{number}:00Z"))
    assert len(rows(source(peer, resolution="1m"))) == 5
    assert [query.get("page_token") for _, query in peer.asked] == [None, "2", "4"]


def test_an_impossible_row_is_refused_with_its_place(peer: AlpacaRestPeer) -> None:
    peer.put_bar("AAPL", "1Min", minute("2024-07-01T13:30:00Z", "200"))
    with pytest.raises(Failure) as refused:
        rows(source(peer, resolution="1m"))
    assert refused.value.code is ExitCode.INVALID_ROW
    assert "close_outside_range" in refused.value.what
    assert "AAPL" in refused.value.where


@pytest.mark.parametrize("close", ["null", '"abc"', "true"])
def test_a_value_that_is_no_number_is_refused(peer: AlpacaRestPeer, close: str) -> None:
    peer.put_bar("AAPL", "1Min", minute("2024-07-01T13:30:00Z", close))
    with pytest.raises(Failure) as refused:
        rows(source(peer, resolution="1m"))
    assert refused.value.code is ExitCode.INVALID_ROW


def test_a_symbol_without_bars_in_the_range_is_fine_when_alpaca_knows_it(
    peer: AlpacaRestPeer,
) -> None:
    assert rows(source(peer)) == []


def test_a_symbol_that_alpaca_does_not_know_is_named(peer: AlpacaRestPeer) -> None:
    with pytest.raises(Failure) as refused:
        rows(source(peer, symbols=("APPL",)))
    assert refused.value.code is ExitCode.UNKNOWN_SYMBOL
    assert refused.value.found == "APPL"


def test_bars_that_are_not_over_are_left_for_later(peer: AlpacaRestPeer) -> None:
    one = AlpacaSource(
        AlpacaConfig(
            symbols=("AAPL",), start=dt.date(2024, 7, 1), endpoint=peer.url, resolution="1d"
        ),
        CALENDAR,
        wall=lambda: local_midnight_ns(dt.date(2024, 7, 2)) + 15 * 3_600 * 10**9,
        secrets=lambda name: Secret(name, name),
    )
    for at in ("2024-07-01T04:00:00Z", "2024-07-02T04:00:00Z"):
        peer.put_bar("AAPL", "1Day", minute(at))
    assert [str(row["ts_event"])[:10] for row in rows(one)] == ["2024-07-01"]


def test_actions_are_translated_joined_and_cut_to_the_range(peer: AlpacaRestPeer) -> None:
    common = {"symbol": "AAPL", "process_date": "2024-08-01"}
    peer.actions = {
        "cash_dividends": [
            {**common, "id": "1", "ex_date": "2024-07-02", "rate": 0.24},
            {**common, "id": "2", "ex_date": "2024-07-02", "rate": 1},
            {**common, "id": "2", "ex_date": "2024-07-02", "rate": 1},
            {**common, "id": "3", "ex_date": "2024-09-02", "rate": 0.24},
            {**common, "id": "4", "ex_date": "2024-07-02", "rate": 0.5, "currency": "CAD"},
        ],
        "reverse_splits": [
            {**common, "id": "5", "ex_date": "2024-07-03", "new_rate": 1, "old_rate": 10}
        ],
        "stock_dividends": [{**common, "id": "6", "ex_date": "2024-07-05", "rate": 0.05}],
        "name_changes": [
            {"id": "7", "old_symbol": "FB", "new_symbol": "META", "process_date": "2024-07-04"}
        ],
        "spin_offs": [{"id": "8", "source_symbol": "AAPL", "ex_date": "2024-07-04"}],
        "from_the_future": [{"id": "9"}],
    }
    found = source(peer).actions()
    assert [(str(one.ex_date), one.kind) for one in found] == [
        ("2024-07-02", ActionKind.DIVIDEND),
        ("2024-07-03", ActionKind.SPLIT),
        ("2024-07-04", ActionKind.RENAME),
        ("2024-07-05", ActionKind.SPLIT),
    ]
    assert found[0].amount == 1_240_000_000
    assert (found[1].numerator, found[1].denominator) == (1, 10)
    assert (found[2].symbol, found[2].old_symbol) == ("META", "FB")
    assert (found[3].numerator, found[3].denominator) == (21, 20)


def test_failures_of_server_and_network_are_asked_again(peer: AlpacaRestPeer) -> None:
    peer.put_bar("AAPL", "1Min", minute("2024-07-01T13:30:00Z"))

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    peer.next_answers = [(503, {}, "{}"), hang_up, (200, {}, "<html>no JSON</html>")]
    assert len(rows(source(peer, resolution="1m"))) == 1
    assert len(peer.asked) == 4


def test_too_many_requests_are_waited_out_as_long_as_the_server_says(
    peer: AlpacaRestPeer,
) -> None:
    peer.next_answers = [(429, {"Retry-After": "1"}, '{"message": "too many requests."}')]
    began = time.monotonic()
    assert list(client(peer).bars(["AAPL"], "1Min", start=0, feed="iex")) == [{}]
    assert time.monotonic() - began >= 1.0


def test_after_all_tries_the_last_answer_is_told_without_a_key(peer: AlpacaRestPeer) -> None:
    peer.next_answers = [(500, {}, '{"message": "key SECRETXYZ of PKKEY"}')] * 3
    with pytest.raises(Failure) as failed:
        client(peer, tries=2).latest("bars", ["AAPL"], feed="iex")
    assert len(peer.asked) == 2
    text = failed.value.line()
    assert "SECRETXYZ" not in text
    assert "PKKEY" not in text
    assert "HTTP 500" in text


def test_refused_keys_are_not_tried_again(peer: AlpacaRestPeer) -> None:
    peer.next_answers = [(403, {}, '{"message": "forbidden."}')]
    with pytest.raises(Failure) as refused:
        client(peer).latest("bars", ["AAPL"], feed="iex")
    assert len(peer.asked) == 1
    assert "keys" in refused.value.what


def test_a_server_that_says_nothing_is_given_up_in_time(peer: AlpacaRestPeer) -> None:
    def silence(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.0)
        handler.close_connection = True

    peer.next_answers = [silence, silence]
    with Stopwatch() as watch, pytest.raises(Failure):
        client(peer, tries=1, timeout=0.2).latest("bars", ["AAPL"], feed="iex")
    assert watch.seconds < 0.9


def test_a_closed_client_ends_its_wait_at_once(peer: AlpacaRestPeer) -> None:
    one = client(peer)
    peer.next_answers = [(429, {"Retry-After": "60"}, "{}")]
    threading.Timer(0.2, one.close).start()
    with Stopwatch() as watch, pytest.raises(Failure, match="called off"):
        one.latest("bars", ["AAPL"], feed="iex")
    assert watch.seconds < 5.0


def test_pages_that_go_round_are_told(peer: AlpacaRestPeer) -> None:
    page = '{"bars":{},"next_page_token":"same"}'
    peer.next_answers = [(200, {}, page)] * 5
    with pytest.raises(Failure, match="circle"):
        list(client(peer).bars(["AAPL"], "1Min", start=0, feed="iex"))


def test_requests_are_paced(peer: AlpacaRestPeer) -> None:
    one = client(peer, per_minute=600)
    began = time.monotonic()
    for _ in range(65):
        one.latest("bars", ["AAPL"], feed="iex")
    # 60 may go at once, the rest every tenth of a second.
    assert time.monotonic() - began >= 0.4


def test_another_host_must_be_on_this_machine() -> None:
    one = DataClient(Keys("a", "b"), endpoint="https://example.com")
    with pytest.raises(Failure) as refused:
        one.latest("bars", ["A"], feed="iex")
    assert refused.value.code is ExitCode.CONFIG


def test_differences_between_the_calendars_are_told_by_day(peer: AlpacaRestPeer) -> None:
    peer.sessions = [
        {"date": "2024-07-02", "open": "09:30", "close": "16:00"},
        {"date": "2024-07-03", "open": "09:30", "close": "16:00"},
        {"date": "2024-07-04", "open": "09:30", "close": "16:00"},
    ]
    told = calendar_differences(
        client(peer), CALENDAR, first=dt.date(2024, 7, 2), last=dt.date(2024, 7, 5)
    )
    assert told == [
        "2024-07-03: Alpaca 09:30-16:00, our calendar 09:30-13:00",
        "2024-07-04: Alpaca 09:30-16:00, our calendar closed",
        "2024-07-05: Alpaca closed, our calendar 09:30-16:00",
    ]


def test_an_import_keeps_its_provenance_and_repeats_without_change(
    peer: AlpacaRestPeer, tmp_path: Path
) -> None:
    peer.put_bar("AAPL", "1Min", minute("2024-07-01T13:30:00Z"))
    store = Store(tmp_path / "history")
    counts = []
    for _ in range(2):
        one = source(peer, resolution="1m")
        with store.batch(one.name) as batch:
            for task in one.tasks():
                for symbol, table in task.load():
                    counts.append(batch.bars(Resolution.MINUTE, symbol, table))
    assert [(one.rows_new, one.rows_same) for one in counts] == [(1, 0), (0, 1)]
    (record,) = Store(tmp_path / "history").contents().files()
    assert record.source == "alpaca:iex"
