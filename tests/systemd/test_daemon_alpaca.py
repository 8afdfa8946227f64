"""The daemon under its units at Alpaca's test server: a day, and a stop in the middle."""

import datetime as dt
import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.command import tradingd_in
from tests.acceptance.daemon.alpaca_server import SECRET, Days, invented
from tests.systemd.alpaca import AlpacaTrading
from tests.systemd.machine import Machine

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

BOTH = {"intraday_mean_reversion", "swing_trend"}
REAL = {"AIG": (47, 51), "BAC": (13, 15), "IBM": (180, 187), "SPY": (165, 171)}
"""Symbols of a real day, 10 October 2013, with prices that all of its trades are between."""


def strategies(desk: AlpacaTrading) -> set[str]:
    """Return the strategies that have traded."""
    return {str(row["strategy"]) for row in desk.rows("SELECT DISTINCT strategy FROM fills")}


def engine_has_the_brokers_positions(desk: AlpacaTrading) -> bool:
    """Compare what the control socket tells with the broker's own file."""
    held = {one.symbol: one.quantity for one in desk.positions()}
    return bool(held) and held == desk.at_broker()


def picture(desk: AlpacaTrading) -> tuple[str, str]:
    checks = json.loads(desk.ctl("health", "--json").stdout)["checks"]
    (check,) = [one for one in checks if one["name"] == "engine_picture"]
    return check["grade"], check["value"]


def verified(desk: AlpacaTrading) -> subprocess.CompletedProcess[str]:
    """Run `tradingd verify` as its unit does: with the instance's credentials."""
    words = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", "-p", "User=tradingd")
    for kind in ("key", "secret"):
        words += ("-p", f"LoadCredentialEncrypted=broker-{kind}-{desk.name}")
    words += ("-p", f"StateDirectory=tradingd/{desk.name}")
    program = ("/usr/lib/tradingd/launch", desk.name, "tradingd", "verify", "-i", desk.name)
    return desk.machine.exec(*words, *program, "--json", "--again", "1", check=False)


def agreed_after_a_stop(desk: AlpacaTrading) -> bool:
    """Stop, and compare the books at once; try again where the market was quicker.

    The test server's market runs on, ten minutes a second, and may fill a stop that rests there
    between the end of the daemon and the comparison. The next start books that.
    """
    for _ in range(6):
        desk.machine.stop(desk.name)
        assert desk.machine.show(desk.unit, "Result") == "success"
        if desk.differences() == [] and verified(desk).returncode == 0:
            return True
        desk.start()
        desk.eventually(lambda: engine_has_the_brokers_positions(desk), "positions are equal")
    return False


def test_a_day_at_alpaca_stopped_by_systemctl_and_by_its_end_leaves_three_equal_books(
    machine: Machine, tmp_path: Path
) -> None:
    desk = AlpacaTrading(machine, "alpaca", invented(tmp_path / "history", symbols=4), speed=600)
    desk.install()
    try:
        desk.start()
        desk.eventually(lambda: strategies(desk) == BOTH, "both strategies trade")
        desk.eventually(lambda: engine_has_the_brokers_positions(desk), "positions are equal")
        assert picture(desk) == ("OK", "as the book has it")
        assert agreed_after_a_stop(desk)

        desk.start()
        machine.wait_state(desk.unit, "inactive", 90)
        assert machine.show(desk.unit, "Result") == "success"
        assert "the replay is over" in desk.said()
        assert desk.differences() == []
        done = verified(desk)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["agree"] is True

        assert SECRET not in machine.exec("journalctl", "-o", "json", "--all").stdout
        left = [one for one in machine.state(desk.name).rglob("*") if one.is_file()]
        assert [one.name for one in left if SECRET.encode() in one.read_bytes()] == []
    finally:
        desk.remove()


@pytest.mark.real_data
def test_a_real_day_at_alpaca_leaves_three_equal_books(
    machine: Machine, tmp_path: Path, real_data: Path
) -> None:
    done = tradingd_in(tmp_path)(
        "data", "import", "source=lean", f"source.path={real_data / 'lean'}",
        f"source.symbols=[{','.join(REAL)}]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    store = tmp_path / "data" / "tradingd" / "history"
    days = Days(store, tuple(REAL), dt.date(2013, 10, 10), dt.date(2013, 10, 10))
    desk = AlpacaTrading(machine, "alpacareal", days, speed=1800)
    desk.install()
    try:
        desk.start()
        machine.wait_state(desk.unit, "inactive", 90)
        assert machine.show(desk.unit, "Result") == "success"
        assert strategies(desk) == BOTH
        for fill in desk.rows("SELECT symbol, price FROM fills"):
            low, high = REAL[fill["symbol"]]
            assert low < fill["price"] / 1e9 < high
        assert desk.differences() == []
        assert verified(desk).returncode == 0
    finally:
        desk.remove()
