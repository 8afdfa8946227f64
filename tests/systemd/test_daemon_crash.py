"""What a crash in session leaves: SIGKILL, frozen parts and the watchdog, and giving up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine
from tests.systemd.trading import Trading, heard_of, hook
from tradingd.control.answers import PositionView, Status

pytestmark = pytest.mark.systemd


@pytest.fixture(scope="module")
def heard(machine: Machine) -> Iterator[Path]:
    """What the web hook of the machine and of its instances has heard."""
    with hook(machine) as file:
        yield file


@pytest.fixture(scope="module")
def desk(machine: Machine, heard: Path) -> Iterator[Trading]:
    """An instance in session."""
    desk = Trading(machine, "crash")
    desk.install()
    desk.start()
    yield desk
    machine.forget("crash")


@pytest.fixture
def running(desk: Trading, heard: Path) -> Trading:
    """The instance, READY and with all of its starts left, after whatever the test before did."""
    if desk.machine.show(desk.unit, "ActiveState") != "active":
        desk.machine.systemctl("reset-failed", desk.unit, f"tradingd@{desk.name}.socket")
        desk.start()
    desk.machine.systemctl("reset-failed", desk.unit)
    heard.write_text("")
    return desk


def kept(status: Status, positions: tuple[PositionView, ...], limit: str) -> dict[str, object]:
    """Return what must be the same after a restart."""
    return {
        "states": status.states,
        "peak": status.day_peak,
        "realised": status.realised_today,
        "losses": status.loss_streak,
        "trades": status.trades_today,
        "orders": status.open_orders,
        "owners": [(one.symbol, one.strategy, one.quantity, one.stop) for one in positions],
        "limit": limit,
    }


@pytest.mark.slow
def test_sigkill_in_session_changes_nothing_but_the_process(
    running: Trading, heard: Path, tmp_path: Path
) -> None:
    desk, machine = running, running.machine
    while desk.status().loss_streak == 0 or desk.status().drawdown_percent < 0.02:
        desk.open("SYN2", 300)
        desk.close("SYN2")
    desk.open("SYN1")
    desk.rest("SYN1")
    desk.ctl("pause", "--scope", "symbol:SYN2", "--reason", "losing", "--minutes", "60")
    desk.ctl("halt", "--scope", "symbol:SYN3", "--reason", "odd prices")
    desk.ctl("limits", "set", "gross_percent", "70", "--minutes", "60", "--reason", "careful")
    desk.drill("feed")
    before = desk.status()
    facts = kept(before, desk.positions(), desk.limit("gross_percent"))
    broker = machine.show(f"tradingd-simbroker@{desk.name}.service", "MainPID")
    pid = desk.pid
    machine.kill_main(desk.name, "SIGKILL")
    desk.restarted(pid)
    after = desk.status()
    assert kept(after, desk.positions(), desk.limit("gross_percent")) == facts
    assert {(one.scope, one.state, one.author) for one in after.states} == {
        ("symbol:SYN2", "PAUSED", "root"),
        ("symbol:SYN3", "HALTED", "root"),
    }
    assert after.run_id != before.run_id
    machine.wait_for(lambda: desk.status().data_time > before.data_time, "the replay goes on")
    assert sorted(one["type"] for one in desk.working) == ["LIMIT", "STOP_MARKET"]
    desk.books_agree(tmp_path)
    assert machine.show(f"tradingd-simbroker@{desk.name}.service", "MainPID") == broker
    machine.wait_for(lambda: heard_of(heard, "/unit", "CRASHED (signal)"), "a crash notice")


@pytest.mark.parametrize(
    ("part", "frame", "paged"),
    [
        ("strategy", "live/progress.py", ""),
        ("loop", "asyncio/runners.py", ""),
        ("journal", "journal/writer.py", "journal FAILED"),
    ],
    ids=["strategy", "loop", "journal"],
)
def test_a_frozen_part_stops_the_beat_and_the_watchdog_leaves_stacks_and_tells(
    running: Trading, heard: Path, tmp_path: Path, part: str, frame: str, paged: str
) -> None:
    desk, machine = running, running.machine
    pid = desk.pid
    already = desk.said()
    desk.drill(part)
    assert desk.restarted(pid) == 1
    said = desk.said().removeprefix(already)
    assert "Watchdog timeout" in said
    assert "Failed with result 'watchdog'" in said
    assert "with signal SIGQUIT" in said
    assert said.count("hread 0x") >= 3
    assert frame in said
    machine.wait_for(lambda: heard_of(heard, "/unit", "CRASHED (watchdog)"), "a crash notice")
    if paged:  # by the daemon itself, whose loop still turned; else only systemd can tell
        machine.wait_for(lambda: heard_of(heard, f"/daemon/{desk.name}", paged), "a page")
    desk.books_agree(tmp_path)
    assert desk.status().ready


@pytest.mark.slow
def test_five_starts_that_crash_are_the_end_until_a_person_resets_it(
    running: Trading, heard: Path, tmp_path: Path
) -> None:
    desk, machine = running, running.machine
    desk.ctl("halt", "--scope", "strategy:Trader", "--reason", "not today")
    seen: set[int] = {0}
    for _ in range(1 + 5):  # the one that runs, and the five that follow
        pid = machine.wait_for(lambda: desk.pid not in seen and desk.pid, "it is started")
        seen.add(pid)
        machine.kill_main(desk.name, "SIGKILL")
    machine.wait_state(desk.unit, "failed")
    assert machine.show(desk.unit, "Result") == "signal"
    assert "Start request repeated too quickly" in desk.said()
    machine.wait_for(
        lambda: heard_of(heard, "/unit", f"{desk.unit} FAILED", "stays down", "reset-failed"),
        "somebody is told that it stays down",
    )
    assert heard_of(heard, "/unit", f"{desk.unit} CRASHED", "starts it again")
    assert machine.exec("systemctl", "start", desk.unit, check=False).returncode != 0
    machine.systemctl("reset-failed", desk.unit, f"tradingd@{desk.name}.socket")
    desk.start()
    assert desk.status().ready
    desk.books_agree(tmp_path)
    _halted_strategy_sends_nothing(desk)


def _halted_strategy_sends_nothing(desk: Trading) -> None:
    assert ("strategy:Trader", "HALTED", "not today") in {
        (one.scope, one.state, one.reason) for one in desk.status().states
    }
    sent = desk.sent()
    desk.tell("buy-SYN1")
    desk.machine.wait_for(
        lambda: desk.query("journal.sqlite", "SELECT 1 FROM orders WHERE state = 'DENIED'"),
        "the order is denied",
    )
    assert desk.sent() == sent
