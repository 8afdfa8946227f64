"""SIGTERM and SIGINT at every phase: what is cancelled, what is kept, how the process ends."""

import json
import signal
from collections.abc import Callable

import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Broker, Paper, desk_strategy, query

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

SLOW = ("feed.speed=120", "feed.days=2", "feed.symbols=1", *desk_strategy("Desk"))
WORKING = "SELECT client_order_id, type FROM orders WHERE status = 'WORKING'"


def with_a_position(daemon: Paper) -> Paper:
    """Open a position with a protective stop and a resting bid."""
    eventually(lambda: daemon.status().session_open, "an open session")
    (daemon.home / "enter-SYN1").touch()
    eventually(lambda: daemon.status().positions == 1, "a position")
    eventually(lambda: daemon.status().open_orders == 2, "its stop and a resting bid")
    return daemon


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_cancels_entries_keeps_stops_and_sums_up(
    paper: Make, broker: Broker, number: signal.Signals
) -> None:
    daemon = with_a_position(paper(*SLOW, *broker.overrides, *EARLY).start().ready())
    daemon.send(number)
    assert daemon.wait() == 0
    assert [row["type"] for row in query(broker.store, WORKING)] == ["STOP_MARKET"]
    assert "SUMMARY" in daemon.errors()
    line = next(text for text in daemon.errors().splitlines() if "SUMMARY" in text)
    assert f'why="{number.name}"' in json.loads(line)["message"]
    report = daemon.report()
    assert (report["why"], report["positions"], report["open_orders"]) == (number.name, 1, 1)
    told = daemon.notified
    assert told.values("STOPPING") == ["1"]
    assert told.values("EXTEND_TIMEOUT_USEC")
    assert daemon.rows("SELECT outcome FROM runs") == [{"outcome": number.name}]


def test_close_on_stop_leaves_the_account_flat(paper: Make, broker: Broker) -> None:
    daemon = with_a_position(
        paper(*SLOW, *EARLY, *broker.overrides, "mode.close_on_stop=true").start().ready()
    )
    assert daemon.stop() == 0
    assert query(broker.store, WORKING) == []
    assert query(broker.store, "SELECT * FROM positions WHERE quantity <> 0") == []
    assert daemon.report()["positions"] == 0


def test_a_second_signal_changes_nothing(paper: Make, broker: Broker) -> None:
    daemon = with_a_position(paper(*SLOW, *EARLY, *broker.overrides).start().ready())
    slow = {"ops": ["cancel"], "probabilities": {"delay": 1.0}, "delay_seconds": [1.0, 1.0]}
    broker.ask("misbehave", plan=slow)
    daemon.send(signal.SIGTERM)
    eventually(lambda: daemon.notified.values("STOPPING"), "STOPPING")
    daemon.send(signal.SIGINT)
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0
    assert daemon.report()["why"] == "SIGTERM"
    assert [row["type"] for row in query(broker.store, WORKING)] == ["STOP_MARKET"]


def test_orders_that_cannot_be_confirmed_make_the_stop_unclean(paper: Make, broker: Broker) -> None:
    daemon = with_a_position(
        paper(*SLOW, *EARLY, *broker.overrides, "supervision.command_seconds=0.5").start().ready()
    )
    broker.ask("misbehave", plan={"ops": ["cancel", "order", "open_orders"], **MUTE})
    assert daemon.stop() == 67
    assert "not confirmed" in daemon.errors()


@pytest.mark.parametrize(
    "step", ["open the feed", "connect to the broker", "reconcile with", "start the engine"]
)
def test_a_signal_during_the_start_calls_it_off(paper: Make, broker: Broker, step: str) -> None:
    slow = {"ops": ["open_orders"], "probabilities": {"delay": 1.0}, "delay_seconds": [1.0, 1.0]}
    broker.ask("misbehave", plan=slow)
    daemon = paper(*SLOW, *broker.overrides).start()
    eventually(
        lambda: any(step in text for text in daemon.notified.values("STATUS")), f"step {step}"
    )
    daemon.send(signal.SIGTERM)
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0, daemon.errors()
    assert not daemon.notified.is_ready
    assert daemon.report()["why"] == "SIGTERM during the start"
    assert "SUMMARY" in daemon.errors()
    assert not daemon.control_socket.exists()
    assert daemon.start().ready().stop() == 0, "what was called off can be started again"


def test_a_start_that_is_called_off_leaves_no_entry_of_before_working(
    paper: Make, broker: Broker
) -> None:
    daemon = with_a_position(paper(*SLOW, *EARLY, *broker.overrides).start().ready())
    eventually(lambda: len(query(broker.store, WORKING)) == 2, "both at the broker")
    daemon.kill()
    daemon.start(*desk_strategy("SlowToBegin"))
    eventually(
        lambda: any("start the engine" in text for text in daemon.notified.values("STATUS")),
        "the engine starts",
    )
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 0
    assert [row["type"] for row in query(broker.store, WORKING)] == ["STOP_MARKET"]


def test_the_end_of_the_replay_ends_the_session_or_not_as_configured(paper: Make) -> None:
    daemon = paper(*SLOW, "feed.speed=0", "feed.at_end=stay").start().ready()
    eventually(lambda: not daemon.status().session_open, "the end of the replay", 30)
    assert daemon.status().ready
    assert daemon.stop() == 0
    assert daemon.report()["why"] == "SIGTERM"
    daemon.start("feed.at_end=stop")
    assert daemon.wait() == 0
    assert daemon.report()["why"] == "the replay is over"


MUTE = {"probabilities": {"drop_request": 1.0}}
EARLY = ("risk=open",)
