"""READY is a promise: what must be there before it is told, and what a failed start leaves."""

import fcntl
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Broker, Paper, ask_broker, desk_strategy, listens

type Make = Callable[..., Paper]

STEPS = (
    "check the machine",
    "take the instance",
    "open the journal",
    "start the alerts",
    "open the feed",
    "connect to the broker",
    "build the strategies and the gate",
    "serve the operator",
    "reconcile with the broker",
    "start the engine",
    "warm up",
    "supervise",
)
SLOW = ("feed.speed=60", "feed.days=2", *desk_strategy("Desk"))


def nothing_left(paper: Paper) -> list[str]:
    """Return what a start that failed left behind."""
    left = []
    if paper.control_socket.exists():
        left.append("a control socket")
    if listens(paper.broker_socket):
        left.append("a simulated broker")
    for lock in paper.home.glob("state/tradingd/**/*.lock"):
        if lock.name == "simbroker.lock":
            continue
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                left.append(f"a held lock: {lock.name}")
    return left


def test_ready_comes_after_every_step_and_a_status_line_says_what_happens(paper: Make) -> None:
    daemon = paper(*SLOW).start().ready()
    told = daemon.notified.told
    at_ready = next(i for i, one in enumerate(told) if (one.name, one.value) == ("READY", "1"))
    before = [one.value for one in told[:at_ready] if one.name == "STATUS"]
    assert [text.partition(" ")[2].partition(" ")[2] for text in before] == list(STEPS)
    assert not [one for one in told[:at_ready] if one.name == "WATCHDOG"]
    status = daemon.status()
    assert status.ready
    assert status.phase == "TRADING"
    assert daemon.check("strategy_timer").grade == "OK"
    assert daemon.check("broker").grade == "OK"
    assert daemon.check("reconciliation").grade == "OK"
    eventually(lambda: len(daemon.notified.beats) > 3, "beats")
    line = daemon.notified.values("STATUS")[-1]
    assert "RUNNING" in line
    assert "SYNTHETIC" in line
    assert daemon.stop() == 0
    assert nothing_left(daemon) == []


@pytest.mark.parametrize(
    ("plan", "step"),
    [
        ({"ops": ["ping"], "probabilities": {"drop_request": 1.0}}, "supervise"),
        ({"ops": ["open_orders"], "probabilities": {"drop_request": 1.0}}, "reconcile with the"),
        ({"ops": ["positions"], "probabilities": {"drop_response": 1.0}}, "reconcile with the"),
    ],
    ids=["ping", "open orders", "positions"],
)
def test_a_mute_broker_is_never_ready(
    paper: Make, broker: Broker, plan: dict[str, object], step: str
) -> None:
    broker.ask("misbehave", plan=plan)
    limits = (
        "supervision.command_seconds=0.5",
        "supervision.ping_seconds=0.5",
        "supervision.ping_every_seconds=0.5",
        "supervision.strategy_stall_seconds=2",
        "supervision.journal_stall_seconds=1",
        "supervision.start_seconds=3",
    )
    daemon = paper(*SLOW, *broker.overrides, *limits).start()
    assert daemon.wait() in (61, 31)
    assert not daemon.notified.is_ready
    assert f"start-up failed at '{step}" in daemon.errors()
    assert nothing_left(daemon) == []
    assert broker.ask("hello")["ok"], "a broker that was not ours goes on"


def test_a_broker_that_is_not_there_is_named(paper: Make, home: Path) -> None:
    absent = (f"broker.endpoint={home / 'nobody.sock'}", "broker.launch=false")
    daemon = paper(*SLOW, *absent).start()
    assert daemon.wait() == 61
    assert "start-up failed at 'connect to the broker'" in daemon.errors()
    assert str(home / "nobody.sock") in daemon.errors()
    assert nothing_left(daemon) == []


def test_a_broker_that_is_stopped_is_never_ready(paper: Make, broker: Broker) -> None:
    broker.send(signal.SIGSTOP)
    daemon = paper(*SLOW, *broker.overrides, "supervision.command_seconds=0.5").start()
    assert daemon.wait() == 61
    assert not daemon.notified.is_ready
    assert "start-up failed at 'connect to the broker'" in daemon.errors()
    assert nothing_left(daemon) == []


@pytest.mark.slow
def test_a_locked_journal_is_never_ready(paper: Make) -> None:
    daemon = paper(*SLOW, "feed.days=1", "feed.speed=0").start()
    assert daemon.wait() == 0
    other = sqlite3.connect(daemon.journal, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        daemon.start()
        assert daemon.wait() == 64
        assert not daemon.notified.is_ready
        assert "start-up failed at 'open the journal'" in daemon.errors()
        assert nothing_left(daemon) == []
    finally:
        other.close()


def test_a_strategy_that_blocks_as_it_begins_delays_ready_until_its_timer_has_fired(
    paper: Make,
) -> None:
    daemon = paper(*SLOW, *desk_strategy("Desk", begin_seconds=2.5)).start().ready()
    told = daemon.notified.told
    engine = next(one.at for one in told if one.value.endswith("start the engine"))
    ready = next(one.at for one in told if one.name == "READY")
    assert ready - engine > 2.5
    assert daemon.check("strategy_timer").grade == "OK"


def test_a_strategy_that_raises_as_it_begins_starts_halted_and_says_why(paper: Make) -> None:
    daemon = paper(*SLOW, *desk_strategy("RaisesAtBegin")).start().ready()
    assert [(one.scope, one.state) for one in daemon.status().states] == [
        ("strategy:RaisesAtBegin", "HALTED")
    ]
    assert "told to raise" in daemon.status().states[0].reason


def test_a_feed_without_bars_is_named(paper: Make) -> None:
    daemon = paper("feed=replay", "feed.data=store", "strategy.bars=1m").start()
    assert daemon.wait() == 20
    assert "start-up failed at 'open the feed'" in daemon.errors()
    assert nothing_left(daemon) == []


def test_a_broker_that_the_failed_start_launched_is_ended(paper: Make) -> None:
    daemon = paper(*SLOW, *desk_strategy("NoSuchStrategy")).start()
    assert daemon.wait() == 78
    assert nothing_left(daemon) == []


def test_the_broker_of_a_daemon_that_was_there_before_is_not_ended(
    paper: Make, broker: Broker
) -> None:
    daemon = paper(*SLOW, *broker.overrides, *desk_strategy("NoSuchStrategy")).start()
    assert daemon.wait() == 78
    assert ask_broker(broker.socket, "ping")["ok"]
