"""Replayed days: they open, black out and flatten by their data, at every speed alike."""

import datetime as dt
import signal
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance import compare_books
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

NEW_YORK = ZoneInfo("America/New_York")
INTRADAY = (
    "strategy=intraday_mean_reversion",
    "strategy.z_entry=1.0",
    "risk=intraday",
    "risk.no_trade_open_minutes=20",
    "risk.no_trade_close_minutes=30",
    "risk.loss_streak=100",
    "schedule=intraday",
    "feed.days=2",
    "feed.symbols=5",
    "feed.longest_wait=0.2",
    "mode.warm_up_bars=400",
)
ORDERS = """
    SELECT symbol, side, quantity, type, purpose, state, filled, paid, "limit", stop, ts
    FROM orders ORDER BY ts, symbol, purpose, side
"""

MOVING = """
    SELECT symbol, state FROM orders
    WHERE state IN ('INTENT', 'UNKNOWN') OR (state = 'WORKING' AND type = 'MARKET')
"""


def local(ts: int) -> dt.time:
    """Return the time of day in New York."""
    return dt.datetime.fromtimestamp(ts / 1e9, NEW_YORK).time()


def played(paper: Make, *overrides: str) -> Paper:
    """Play a whole replay."""
    daemon = paper(*INTRADAY).start(*overrides)
    assert daemon.wait(120) == 0, daemon.errors()
    return daemon


def what_happened(daemon: Paper) -> dict[str, Any]:
    """Return what must not depend on the speed."""
    # Orders of one bar are sent side by side: which of them comes first is not promised.
    return {
        "orders": daemon.rows(ORDERS),
        "fills": daemon.rows(
            "SELECT symbol, side, quantity, price, ts FROM fills ORDER BY ts, 1, 2"
        ),
        "denials": daemon.rows('SELECT symbol, side, "limit", ts FROM decisions ORDER BY ts, 1, 2'),
        "jobs": daemon.rows(
            "SELECT name, due, status FROM jobs WHERE name <> 'snapshot' ORDER BY due, name"
        ),
    }


def test_a_day_opens_blacks_out_and_flattens_when_its_data_says_so(paper: Make) -> None:
    daemon = played(paper, "feed.speed=0")
    entries = daemon.rows("SELECT ts FROM orders WHERE purpose = 'ENTRY' AND filled > 0")
    assert entries
    assert min(local(row["ts"]) for row in entries) >= dt.time(9, 50)
    assert max(local(row["ts"]) for row in entries) <= dt.time(15, 30)
    blackouts = daemon.rows("SELECT ts FROM decisions WHERE \"limit\" LIKE 'no_trade%'")
    assert blackouts, "the windows denied something"
    states = daemon.rows("SELECT state, author FROM states ORDER BY id")
    day = [(state, "schedule") for state in ("FLATTENING", "FLAT", "RUNNING")]
    assert [(row["state"], row["author"]) for row in states] == day * 2
    jobs = daemon.rows(
        "SELECT name, due, status FROM jobs WHERE name <> 'snapshot' ORDER BY due, id"
    )
    assert {row["status"] for row in jobs} == {"done"}
    names = ("session_open", "flatten_before_close", "reconcile", "session_close")
    assert [row["name"] for row in jobs] == [*names, *names]
    times = [local(row["due"]) for row in jobs]
    assert times == [dt.time(9, 30), dt.time(15, 50), dt.time(16), dt.time(16)] * 2
    for job in (row for row in jobs if row["name"] == "flatten_before_close"):
        held = daemon.rows(
            "SELECT symbol, sum(CASE side WHEN 'BUY' THEN quantity ELSE -quantity END) AS held "
            "FROM fills WHERE ts <= ? GROUP BY symbol HAVING held <> 0",
            job["due"] + 60_000_000_000,
        )
        assert held == []
    books = compare_books.read(daemon.broker_store, daemon.journal)
    assert compare_books.compare(books) == []


def test_a_paced_replay_sends_the_same_orders_as_one_at_full_speed(paper: Make) -> None:
    first, second = played(paper, "feed.speed=0"), played(paper, "feed.speed=12000")
    found = what_happened(first)
    assert found["orders"]
    assert what_happened(second) == found


def test_a_replay_at_the_default_speed_sends_the_same_orders_too(paper: Make) -> None:
    first = played(paper, "feed.speed=0", "feed.days=1")
    second = played(paper, "feed.speed=600", "feed.days=1")
    assert what_happened(second) == what_happened(first)


def test_a_restart_in_the_middle_changes_nothing_before_it_and_the_books_agree(
    paper: Make,
) -> None:
    whole = what_happened(played(paper, "feed.speed=0"))
    daemon = paper(*INTRADAY).start("feed.speed=1200").ready()
    eventually(lambda: len(daemon.rows("SELECT id FROM fills")) > 6, "trading", 60)
    mark = _killed_between_bars(daemon, whole)
    daemon.start("feed.speed=0")
    assert daemon.wait(120) == 0, daemon.errors()
    found = what_happened(daemon)
    assert _until(found["orders"], mark) == _until(whole["orders"], mark)
    assert _until(found["fills"], mark) == _until(whole["fills"], mark)
    assert found["jobs"] == whole["jobs"]
    books = compare_books.read(daemon.broker_store, daemon.journal)
    assert compare_books.compare(books) == []
    # Warm indicators see the same bars: a strategy without other memory goes on as it would have.
    assert _terms(found["orders"]) == _terms(whole["orders"])


def _killed_between_bars(daemon: Paper, whole: dict[str, Any]) -> int:
    """Kill when the last bar is done with; return its time.

    A kill within a bar may lose that bar's signals, as in live trading, and all that follows.
    """
    for _ in range(200):
        daemon.send(signal.SIGSTOP)
        mark = int(daemon.mark("feed_position"))
        seen = _until(daemon.rows(ORDERS), mark + 1)
        moving = daemon.rows(MOVING)
        if seen == _until(whole["orders"], mark + 1) and not moving:
            daemon.kill()
            return mark
        daemon.send(signal.SIGCONT)
        time.sleep(0.02)
    raise AssertionError(f"always within a bar: {moving}")


def _until(rows: list[dict[str, Any]], mark: int) -> list[tuple[Any, ...]]:
    """Return what was decided before a moment; states, which come later, apart."""
    return _terms([row for row in rows if row["ts"] < mark])


def _terms(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("symbol", "side", "quantity", "type", "purpose", "price", "ts")
    return [tuple(row.get(name) for name in names) for row in rows]
