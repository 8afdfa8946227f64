"""What is special about Tiingo, Massive and Yahoo."""

import datetime as dt
import importlib.util
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import vendor_answers as answers
from tests.fakes.vendor_server import Asked, Reply, json_reply, vendor_server
from tradingd.config.source import MassiveSource, TiingoSource, YahooSource
from tradingd.domain.ports import Source
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source
from tradingd.sources.remote.extras import imported

ASKED = {"symbols": ("AAPL",), "start": dt.date(2024, 1, 2), "end": dt.date(2024, 1, 5), "tries": 2}


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TIINGO_API_KEY", "tiingo-key-of-the-test")
    monkeypatch.setenv("MASSIVE_API_KEY", "massive-key-of-the-test")


def rows(source: Source) -> list[dict[str, Any]]:
    return [row for task in source.tasks() for _, table in task.load() for row in table.to_pylist()]


def test_massive_reads_every_page_and_tries_only_the_failed_one_again() -> None:
    spoilt = [Reply(b"", 502)]

    def answer(asked: Asked) -> Reply:
        return spoilt.pop() if spoilt and asked.query.get("cursor") else answers.massive(asked)

    with vendor_server(answer) as server:
        config = MassiveSource(endpoint=server.url, requests_per_minute=1_000, **ASKED)
        assert len(rows(make_source(config))) == 4
        assert [one.query.get("cursor") for one in server.asked] == [None, "2", "2"]
        assert server.asked[0].query["adjusted"] == "false"


def test_massive_sends_its_key_in_a_header_and_never_after_a_redirect() -> None:
    moved: list[Asked] = []

    def elsewhere(asked: Asked) -> Reply:
        moved.append(asked)
        return Reply(b"{}")

    with vendor_server(elsewhere) as other:
        redirect = Reply(b"", 302, {"Location": other.url})
        with vendor_server(lambda _asked: redirect) as server:
            config = MassiveSource(endpoint=server.url, requests_per_minute=1_000, **ASKED)
            with pytest.raises(Failure, match="HTTP 302"):
                rows(make_source(config))
            assert server.asked[0].headers["Authorization"] == "Bearer massive-key-of-the-test"
    assert moved == []


def test_massive_writes_nothing_on_our_output(capsys: pytest.CaptureFixture[str]) -> None:
    with vendor_server(lambda _asked: Reply(b"{nonsense")) as server:
        config = MassiveSource(endpoint=server.url, requests_per_minute=1_000, **ASKED)
        with pytest.raises(Failure):
            rows(make_source(config))
    assert capsys.readouterr() == ("", "")


def test_tiingo_and_massive_minutes_are_stamped_at_their_end() -> None:
    for kind, answer in ((TiingoSource, answers.tiingo), (MassiveSource, answers.massive)):
        with vendor_server(answer) as server:
            config = kind(endpoint=server.url, requests_per_minute=1_000, resolution="1m", **ASKED)
            found = rows(make_source(config))
        stamps = [str(one["ts_event"]) for one in found]
        assert stamps == ["2024-01-02 14:31:00", "2024-01-02 14:32:00"], kind
        assert found[0]["close"] == Decimal("187.0001"), kind


def test_tiingo_minutes_are_asked_for_in_pieces_that_are_not_cut_off() -> None:
    with vendor_server(answers.tiingo) as server:
        config = TiingoSource(
            symbols=("AAPL",),
            start=dt.date(2024, 1, 1),
            end=dt.date(2024, 2, 29),
            resolution="1m",
            endpoint=server.url,
        )
        assert len(rows(make_source(config))) == 2
        spans = [(one.query["startDate"], one.query["endDate"]) for one in server.asked]
    assert spans == [
        ("2024-01-01", "2024-01-20"),
        ("2024-01-21", "2024-02-09"),
        ("2024-02-10", "2024-02-29"),
    ]


def test_tiingo_prices_and_actions_are_one_request() -> None:
    with vendor_server(answers.tiingo) as server:
        source = make_source(TiingoSource(endpoint=server.url, **ASKED))
        rows(source)
        assert len(source.actions()) == 2
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Error: You have run over your hourly request allocation.", "allows no more requests"),
        ("Error: resampleFreq is not supported", "refuses the request"),
    ],
)
def test_tiingo_errors_in_words_are_errors(words: str, said: str) -> None:
    with vendor_server(lambda _asked: Reply(words.encode())) as server:
        with pytest.raises(Failure, match=said):
            rows(make_source(TiingoSource(endpoint=server.url, **ASKED)))
        assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"date,open,high,low,close,volume\n"])
def test_tiingo_without_rows_is_empty(body: bytes) -> None:
    with vendor_server(lambda _asked: Reply(body)) as server:
        assert rows(make_source(TiingoSource(endpoint=server.url, **ASKED))) == []


@pytest.mark.parametrize(
    "line",
    [
        "2024-01-02,1,2,0.5",
        "2024-01-02,1,2,0.5,one,10",
        "someday,1,2,0.5,1,10",
        "2024-01-02,NaN,2,1,1,1",
    ],
)
def test_tiingo_lines_that_are_none_are_refused(line: str) -> None:
    text = f"date,close,high,low,open,volume\n{line}\n"
    with vendor_server(lambda _asked: Reply(text.encode())) as server:
        with pytest.raises(Failure) as caught:
            rows(make_source(TiingoSource(endpoint=server.url, **ASKED)))
    assert caught.value.code is ExitCode.UNREADABLE_INPUT


def test_an_impossible_bar_is_refused_by_name() -> None:
    text = "date,close,high,low,open,volume\n2024-01-02,5,4,3,3,10\n"
    with vendor_server(lambda _asked: Reply(text.encode())) as server:
        with pytest.raises(Failure, match="close_outside_range") as caught:
            rows(make_source(TiingoSource(endpoint=server.url, **ASKED)))
    assert caught.value.code is ExitCode.INVALID_ROW
    assert "tiingo AAPL" in caught.value.where


def test_yahoo_knows_days_only() -> None:
    with pytest.raises(Failure, match="no 1m bars") as caught:
        make_source(YahooSource(resolution="1m", **ASKED)).tasks()
    assert caught.value.code is ExitCode.CONFIG


def test_yahoo_is_asked_until_now_so_that_later_splits_are_known() -> None:
    with vendor_server(answers.yahoo) as server:
        config = YahooSource(
            symbols=("AAPL",),
            start=dt.date(2024, 1, 2),
            end=dt.date(2024, 1, 3),
            endpoint=server.url,
        )
        found = rows(make_source(config))
    assert [one["close"] for one in found] == [Decimal("185.64"), Decimal("184.25")]
    assert [one["volume"] for one in found] == [82_488_700, 58_414_500]


def test_yahoo_without_cookies_works_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(asked: Asked) -> Reply:
        return answers.yahoo(asked) if asked.path.startswith("/v8") else Reply(b"no", 503)

    with vendor_server(answer) as server:
        assert len(rows(make_source(YahooSource(endpoint=server.url, **ASKED)))) == 4
    assert capsys.readouterr() == ("", "")


def test_yahoo_days_without_prices_are_counted_out() -> None:
    def answer(asked: Asked) -> Reply:
        if not asked.path.startswith("/v8"):
            return Reply(b"crumb")
        chart = answers.yahoo_chart(asked)
        quote: Any = chart["indicators"]["quote"][0]  # type: ignore[index]
        for column in quote.values():
            if len(column) > 1:
                column[1] = None
        return json_reply({"chart": {"result": [chart], "error": None}})

    with vendor_server(answer) as server:
        (task,) = make_source(YahooSource(endpoint=server.url, **ASKED)).tasks()
        (table,) = [table for _, table in task.load()]
    assert (table.num_rows, dict(task.skipped)) == (3, {"missing_value": 1})


def test_a_client_that_is_not_installed_is_named_with_its_extra() -> None:
    with pytest.raises(Failure) as caught:
        imported("a_client_that_nobody_has", extra="tiingo")
    assert caught.value.code is ExitCode.INSTALL
    assert "tradingd[tiingo]" in caught.value.next_step


@pytest.mark.parametrize("kind", ["databento", "tiingo", "massive", "yahoo"])
def test_a_source_imports_its_client_only_when_it_asks(kind: str) -> None:
    client = {"yahoo": "yfinance"}.get(kind, kind)
    program = (
        "import sys; from tradingd.config import source; "
        "from tradingd.sources.make import make_source; "
        f"make_source(source.{kind.capitalize()}Source(symbols=('SPY',))); "
        f"sys.exit('{client}' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False).returncode == 0
    )
    assert importlib.util.find_spec(client) is not None
