"""Alpaca as the primary: its real client against the Alpaca-compatible test server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.fakes.vendor_market import JANUARY, Tiingo, rows
from tests.fakes.vendor_server import vendor_server
from tests.fakes.web_peer import wait_for
from tradingd.cli.main import tradingd
from tradingd.domain.market import DataKind, Resolution
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "overlay"))
    monkeypatch.setenv("APCA_API_KEY_ID", "PKOFTHETEST")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret-of-the-test")
    monkeypatch.setenv("TIINGO_API_KEY", "tiingo-key-of-the-test")
    (tmp_path / "overlay").mkdir()


@pytest.fixture
def served(tmp_path: Path) -> Store:
    """What the test server serves: the market of the vendors' fakes."""
    calendar = SessionCalendar()
    closes = [session.close_ns for session in calendar.between(JANUARY[0], JANUARY[-1])]
    columns = list(zip(*rows(), strict=True))
    named = zip(("open", "high", "low", "close"), columns[1:5], strict=True)
    table = pa.table(
        {"ts_event": closes, "ts_init": closes, **dict(named), "volume": columns[5]}
    ).cast(BARS)
    store = Store(tmp_path / "served")
    with store.batch("test") as batch:
        batch.bars(Resolution.DAY, "AAA", table)
        batch.bars(Resolution.DAY, "BBB", table)
    return store


@pytest.fixture
def server(tmp_path: Path, served: Store) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    state = tmp_path / "state"
    words = ["--state", str(state), "--store", str(served.root), "--bars", "1d", "--speed", "0"]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tradingd.simalpaca", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        endpoint = state / "endpoint.json"
        wait_for(endpoint.exists, 30)
        yield json.loads(endpoint.read_text())["url"], process
    finally:
        process.kill()
        process.wait(10)


def test_alpaca_fills_the_store_and_when_it_is_gone_the_fallback_does(
    tmp_path: Path,
    served: Store,
    server: tuple[str, subprocess.Popen[bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, process = server
    store = Store(tmp_path / "store")
    with vendor_server(Tiingo()) as fallback:
        words = [
            "data",
            "sync",
            f"store.root={store.root}",
            f"sync.sources=[{{kind: alpaca, endpoint: '{url}', tries: 1}},"
            f" {{kind: tiingo, endpoint: '{fallback.url}', tries: 1}}]",
            "sync.start=2024-01-01",
            "sync.end=2024-01-31",
            "--json",
            "--symbols",
        ]
        assert tradingd([*words, "AAA"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["by_source"] == {"alpaca:iex": 1}
        assert fallback.asked == []
        process.kill()
        process.wait(10)
        assert tradingd([*words, "BBB"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["by_source"] == {"tiingo": 1}
        assert report["ranges"][0]["attempts"][0]["answer"] == "failed"
        # The host and the system's words: no URL of one symbol under the names of all.
        why = report["ranges"][0]["attempts"][0]["why"]
        assert f"{url.removeprefix('http://')}: ConnectionError, Connection refused" in why
        assert "/v2/" not in why
    for symbol in ("AAA", "BBB"):
        found = store.read(DataKind.BARS, symbol, Resolution.DAY)
        expected = served.read(DataKind.BARS, symbol, Resolution.DAY)
        assert found.drop_columns("ts_init").equals(expected.drop_columns("ts_init"))
