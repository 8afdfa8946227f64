"""Freeze one part after the other: the beat stops, or the documented action is taken; then thaw."""

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import WATCHDOG_SECONDS, Broker, Paper, desk_strategy

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

HASTY = (
    "feed.speed=240",
    "feed.days=2",
    "feed.symbols=1",
    "risk=open",
    "supervision.strategy_stall_seconds=1.2",
    "supervision.journal_stall_seconds=1.2",
    "supervision.ping_seconds=0.5",
    "supervision.ping_every_seconds=0.5",
    "supervision.command_seconds=0.5",
    "supervision.feed_warn_seconds=0.7",
    "supervision.feed_block_seconds=1.5",
    "supervision.feed_kill_seconds=4",
    *desk_strategy("Desk"),
)
FROZEN = 5.0
MISSED = 2 * WATCHDOG_SECONDS
"""A silence of the beat after which systemd would have acted."""


def block(home: Path, place: str, seconds: int) -> None:
    """Tell the strategy to block: whole at once, since it takes the file at any moment."""
    half = home / f"block-in-{place}.half"
    half.write_text(str(seconds))
    half.rename(home / f"block-in-{place}")


def trading(paper: Make, *overrides: str) -> Paper:
    daemon = paper(*HASTY, *overrides).start().ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    return daemon


def beats_again(daemon: Paper) -> None:
    """Wait until the beat has come back for good."""
    now = time.monotonic()
    eventually(lambda: daemon.notified.beats_since(now) >= 4, "the beat is back", 40)


@pytest.mark.parametrize("part", ["strategy", "journal", "loop"])
def test_a_part_without_progress_stops_the_beat_and_the_thaw_brings_it_back(
    paper: Make, part: str
) -> None:
    daemon = trading(paper)
    began = time.monotonic()
    daemon.drill(part, FROZEN)
    eventually(
        lambda: daemon.notified.silence(began) > MISSED, f"no beat while {part} is frozen", 30
    )
    beats_again(daemon)
    if part == "journal":
        assert "the watchdog's beat is withheld: journal" in daemon.errors()
    assert daemon.status().ready
    assert daemon.stop() == 0


@pytest.mark.parametrize("place", ["bar", "timer"])
def test_a_strategy_that_really_blocks_stops_the_beat(paper: Make, place: str) -> None:
    daemon = trading(paper)
    began = time.monotonic()
    block(daemon.home, place, 4)
    eventually(lambda: daemon.notified.silence(began) > MISSED, "no beat while it blocks", 30)
    beats_again(daemon)
    assert daemon.status().ready


def test_a_journal_that_is_locked_stops_the_beat_and_sends_nothing(paper: Make) -> None:
    daemon = trading(paper)
    other = sqlite3.connect(daemon.journal, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    (daemon.home / "enter-SYN1").touch()
    eventually(lambda: daemon.notified.silence(began) > MISSED, "no beat while it is locked", 30)
    assert daemon.check("journal").grade == "FAILED"
    assert daemon.status().fills == 0, "an order left before its intent was written"
    other.close()
    beats_again(daemon)
    eventually(lambda: daemon.check("journal").grade == "OK", "the journal works")


def test_a_silent_feed_pauses_entries_then_halts_and_the_beat_goes_on(paper: Make) -> None:
    daemon = trading(paper)
    began = daemon.notified.lived
    daemon.drill("feed", 6)
    eventually(lambda: daemon.check("feed").grade == "DEGRADED", "a warning")
    eventually(lambda: daemon.check("feed").grade == "FAILED", "entries paused")
    assert not daemon.status().ready
    assert daemon.status().state == "RUNNING"
    eventually(lambda: daemon.status().state == "HALTED", "the kill switch", 30)
    assert "no data" in daemon.status().states[0].reason
    eventually(lambda: daemon.check("feed").grade == "OK", "data again", 30)
    assert daemon.status().state == "HALTED", "only a person ends that"
    assert daemon.notified.own_silence(began) < MISSED
    done = daemon.ctl("resume", "--reason", "data is back", "--confirm", daemon.instance)
    assert done.returncode == 0, done.stderr
    assert daemon.status().state == "RUNNING"


def test_entries_are_denied_for_health_while_the_broker_is_mute(
    paper: Make, broker: Broker
) -> None:
    daemon = trading(paper, *broker.overrides)
    began = daemon.notified.lived
    # Pings only: the market goes on, so that the strategy asks for an entry meanwhile.
    mute = {"ops": ["ping"], "probabilities": {"drop_request": 1.0}}
    broker.ask("misbehave", plan=mute)
    eventually(lambda: daemon.check("broker").grade == "FAILED", "the broker counts as away")
    (daemon.home / "enter-SYN1").touch()
    eventually(
        lambda: daemon.rows('SELECT * FROM decisions WHERE "limit" = ?', "health"), "a denial"
    )
    broker.ask("misbehave", plan={})
    eventually(lambda: daemon.check("broker").grade == "OK", "the broker is back")
    assert daemon.status().ready
    assert daemon.notified.own_silence(began) < MISSED


@pytest.mark.parametrize("how", ["drill", "SIGSTOP"])
def test_a_broker_that_says_nothing_is_told_and_the_beat_goes_on(
    paper: Make, broker: Broker, how: str
) -> None:
    daemon = trading(paper, *broker.overrides)
    began = daemon.notified.lived
    if how == "drill":
        daemon.drill("broker", 2)
    else:
        broker.send(signal.SIGSTOP)
    eventually(lambda: daemon.check("broker").grade == "FAILED", "the broker counts as away")
    assert not daemon.status().ready
    assert daemon.check("broker").next_step
    time.sleep(0.5)
    broker.send(signal.SIGCONT)
    eventually(lambda: daemon.check("broker").grade == "OK", "the broker is back", 40)
    assert daemon.notified.own_silence(began) < MISSED
    assert daemon.process is not None
    assert daemon.process.poll() is None


def test_the_stacks_of_a_wedged_daemon_are_in_its_log(paper: Make, home: Path) -> None:
    daemon = trading(paper)
    block(home, "bar", 60)
    eventually(lambda: not (home / "block-in-bar").exists(), "it blocks")
    daemon.send(signal.SIGQUIT)
    assert daemon.wait() == -signal.SIGQUIT
    assert "desk_strategies.py" in daemon.errors()
