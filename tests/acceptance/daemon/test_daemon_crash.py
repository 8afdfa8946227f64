"""SIGKILL in a session: what the next process knows, does, and does not do twice."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.acceptance import compare_books
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, desk_strategy, query
from tradingd.control import messages as m
from tradingd.control.answers import Done, Limits, Orders, Positions

type Make = Callable[..., Paper]

MINUTE = 60_000_000_000
DESK = ("feed.speed=120", "feed.days=2", "risk=open", *desk_strategy("Diary"))
WORKING = "SELECT type FROM orders WHERE status = 'WORKING'"
STANDING = ("day_peak", "realised_today", "loss_streak", "trades_today", "state", "states")


def command(daemon: Paper, name: str) -> None:
    """Give the strategy a command and wait until it is taken."""
    path = daemon.home / name
    path.touch()
    eventually(lambda: not path.exists(), f"{name} is taken")


def findings(daemon: Paper, store: Path) -> list[str]:
    """Return where broker and journal differ."""
    books = compare_books.read(store, daemon.journal)
    return [str(one) for one in compare_books.compare(books)]


def pause(daemon: Paper, scope: str, minutes: int | None = None) -> Done:
    request = m.PauseRequest(scope=scope, reason="news at two", minutes=minutes)
    return daemon.control.post("pause", request)


def halt(daemon: Paper, scope: str) -> Done:
    return daemon.control.post("halt", m.HaltRequest(scope=scope, reason="odd prices"))


def standing(daemon: Paper) -> dict[str, Any]:
    """Return what must outlive a process."""
    status = msgspec.to_builtins(daemon.status())
    owners = {
        one.symbol: (one.strategy, one.quantity, one.stop)
        for one in daemon.control.get("positions", Positions).positions
    }
    limits = {
        one.key: (one.value, one.expires)
        for one in daemon.control.get("limits", Limits).limits
        if one.expires is not None
    }
    orders = sorted(one.order_id for one in daemon.control.get("orders", Orders).orders)
    return {
        **{key: status[key] for key in STANDING},
        "owners": owners,
        "limits": limits,
        "orders": orders,
    }


def test_a_killed_daemon_comes_back_as_it_was_and_sends_nothing_twice(paper: Make) -> None:
    daemon = paper(*DESK).start().ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    command(daemon, "enter-SYN3")
    eventually(lambda: daemon.status().fills >= 1, "an entry")
    command(daemon, "leave-SYN3")
    eventually(lambda: daemon.status().trades_today == 1, "a round trip")
    command(daemon, "enter-SYN1")
    eventually(lambda: daemon.status().positions == 1, "a position")
    pause(daemon, "symbol:SYN2", minutes=30)
    daemon.control.post(
        "limits",
        m.LimitRequest(
            key="max_positions", value="7", minutes=60, reason="thin market", confirm=""
        ),
    )
    before = standing(daemon)
    assert before["owners"]["SYN1"][0] == "Diary"
    assert before["limits"]
    daemon.kill()

    mark = int(daemon.mark("feed_position"))
    first = _bars(daemon)
    done = daemon.rows("SELECT name, due FROM jobs WHERE name <> 'snapshot' AND status = 'done'")
    sent = {row["client_order_id"] for row in query(daemon.broker_store, "SELECT * FROM orders")}
    daemon.start().ready()
    after = standing(daemon)
    # Marks of the bar that the kill cut short may have moved the peak; never down.
    assert float(after.pop("day_peak")) >= float(before.pop("day_peak"))
    assert after == before

    eventually(lambda: max(_bars(daemon)) >= mark + 4 * MINUTE, "bars after the restart")
    second = _bars(daemon)
    assert second == sorted(set(second)), "a bar twice"
    live = [ts for ts in second if ts > mark]
    assert live == list(range(mark + MINUTE, second[-1] + 1, MINUTE)), "not the bars that follow"
    assert max(first) <= mark
    assert daemon.stop() == 0
    again = daemon.rows("SELECT name, due FROM jobs WHERE name <> 'snapshot' AND status = 'done'")
    assert len({(row["name"], row["due"]) for row in again}) == len(again)
    assert [row for row in again if row in done] == done
    now = query(daemon.broker_store, "SELECT client_order_id FROM orders")
    assert len({row["client_order_id"] for row in now}) == len(now)
    assert sent <= {row["client_order_id"] for row in now}
    assert findings(daemon, daemon.broker_store) == []
    assert [row["outcome"] for row in daemon.rows("SELECT outcome FROM runs")] == ["", "SIGTERM"]


def _bars(daemon: Paper) -> list[int]:
    """Return the times of the bars of one symbol that the present process was given."""
    assert daemon.process is not None
    lines = (daemon.home / f"bars-{daemon.process.pid}").read_text().splitlines()
    return [
        int(line.split()[1]) for line in lines if line.startswith("SYN1 ") and line[-9:] == "0" * 9
    ]


def test_a_halted_strategy_and_a_fired_kill_switch_stay_so_over_a_crash(paper: Make) -> None:
    daemon = paper(*DESK).start().ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    command(daemon, "enter-SYN1")
    eventually(lambda: daemon.status().positions == 1, "a position")
    halt(daemon, "strategy:Diary")
    eventually(lambda: daemon.status().open_orders == 1, "only the stop is left")
    flag = daemon.state / "HALT"
    flag.write_text("fire drill")
    eventually(lambda: daemon.status().state == "HALTED", "the kill switch")
    before = standing(daemon)["states"]
    assert {one["scope"] for one in before} == {"account", "strategy:Diary"}
    flag.unlink()
    daemon.kill()
    daemon.start().ready()
    assert standing(daemon)["states"] == before
    assert daemon.mark("kill_switch_fired") == "flag_file"
    assert daemon.status().state == "HALTED"
    assert daemon.stop() == 0
    assert query(daemon.broker_store, WORKING) == [{"type": "STOP_MARKET"}]
    assert findings(daemon, daemon.broker_store) == []


@pytest.mark.slow
def test_a_pause_that_ends_while_the_daemon_is_down_is_over_when_it_is_back(paper: Make) -> None:
    daemon = paper(*DESK).start().ready()
    pause(daemon, "account", minutes=1)
    daemon.kill()
    past = "UPDATE states SET expires = since + 1"
    # Time cannot be moved; the row is rewritten as if the minute had passed.
    _force(daemon.journal, "DROP TRIGGER states_no_update", past)
    daemon.start().ready()
    eventually(lambda: daemon.status().state == "RUNNING", "the pause is over")
    last = daemon.rows("SELECT state, author FROM states ORDER BY id DESC LIMIT 1")
    assert last == [{"state": "RUNNING", "author": "clock"}]


def _force(path: Path, *statements: str) -> None:
    link = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        link.execute(statement)
    link.close()


@pytest.mark.slow
def test_a_crash_between_every_two_days_counts_each_day_by_itself(paper: Make) -> None:
    daemon = paper(
        "feed.speed=0",
        "feed.days=2",
        "feed.at_end=stay",
        "risk=open",
        *desk_strategy("Desk", every=20),
    )
    daemon.start().ready()
    eventually(lambda: daemon.rows("SELECT * FROM fills"), "trading", 30)
    daemon.kill()
    daemon.start().ready()
    eventually(
        lambda: any(one.kind == "feed" for one in daemon.control.events(0, follow=False)),
        "the end of the replay",
        60,
    )
    status = daemon.status()
    days = daemon.rows(
        "SELECT name, due FROM jobs WHERE name IN ('session_open', 'session_close') ORDER BY due"
    )
    assert [row["name"] for row in days] == ["session_open", "session_close"] * 2
    entries = daemon.rows(
        "SELECT * FROM orders WHERE purpose = 'ENTRY' AND filled > 0 AND ts >= ?", days[2]["due"]
    )
    assert status.trades_today == len(entries) > 0
    assert daemon.stop() == 0
    assert findings(daemon, daemon.broker_store) == []
