"""`tradingd sim alpaca`: what a person sees when it begins, and what it refuses."""

import json
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import started_in, tradingd_in
from tests.acceptance.daemon.notified import eventually
from tradingd.app.sim.drill import Terms, patience, rate
from tradingd.kits.failure import ExitCode


def _account(endpoint: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{endpoint['url']}/v2/account",
        headers={"APCA-API-KEY-ID": "any", "APCA-API-SECRET-KEY": "pair"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read()))


def _served(home: Path, state: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Start it, ask for its account, end it; return the account and what it said."""
    server = started_in(home, "sim", "alpaca", "--bars", "1d", "--port", "0", *words)
    try:
        told = state / "endpoint.json"
        eventually(told.exists, "endpoint.json")
        account = _account(json.loads(told.read_text()))
    finally:
        server.send_signal(signal.SIGTERM)
        said, errors = server.communicate(timeout=20)
    assert server.returncode == 0
    return account, said + errors


def test_the_test_server_keeps_its_cash_to_the_cent_and_says_how_to_trade_there(
    sample_home: Path, tmp_path: Path
) -> None:
    words = ("--state", str(tmp_path / "book"), "--cash", "123456789.12")
    account, said = _served(sample_home, tmp_path / "book", *words)
    assert account["cash"] == "123456789.12"
    assert "any key pair is let in" in said
    assert "tradingd run -i sim broker=alpaca broker.endpoint=" in said


def test_a_live_practice_account_has_a_book_of_its_own(sample_home: Path) -> None:
    data = sample_home / "data" / "tradingd"
    paper, _ = _served(sample_home, data / "simalpaca")
    live, said = _served(sample_home, data / "simalpaca-live", "--live")
    assert paper["account_number"].startswith("PA")
    assert not live["account_number"].startswith("PA")
    assert f"mode=live mode.account={live['account_number']}" in said


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--bars", "1m"), ExitCode.NO_DATA, "found: 1d bars | next: --bars 1d"),
        (("--bars", "1h"), ExitCode.USAGE, "expected: one of: 1m, 1d"),
        (("--bars", "1d", "--symbols", "AAPL,NOPE"), ExitCode.UNKNOWN_SYMBOL, "found: NOPE"),
        (("--bars", "1d", "--start", "2030-01-02"), ExitCode.EMPTY_RANGE, "2030-01-02"),
        (("--bars", "1d", "--start", "2012-02-30"), ExitCode.USAGE, "no such day | at: --start"),
        (
            ("--bars", "1d", "--start", "2013-02-01", "--end", "2013-01-01"),
            ExitCode.USAGE,
            "expected: 2013-02-01 or later",
        ),
        (("--bars", "1d", "--state", "/proc/no/book"), ExitCode.STORE_WRITE, "/proc/no/book"),
    ],
)
def test_a_market_that_cannot_be_played_is_refused_in_one_line(
    sample_home: Path, words: tuple[str, ...], code: ExitCode, told: str
) -> None:
    done = tradingd_in(sample_home)("sim", "alpaca", *words)
    assert done.returncode == code
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_somebody_has_is_refused_in_one_line(sample_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = tradingd_in(sample_home)("sim", "alpaca", "--bars", "1d", "--port", port)
    assert done.returncode == ExitCode.USAGE
    assert "the port cannot be had" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_drill_waits_for_a_slow_market_and_asks_for_no_more_than_a_daemon_may() -> None:
    assert patience(Terms(days=3, speed=60.0)) > 3 * 390
    assert rate(1.0) == 200
    assert rate(1_000_000.0) <= 100_000
