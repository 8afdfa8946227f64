"""The daemon at Alpaca's test server through a day on which everything breaks once."""

import json
import signal
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.alpaca_server import (
    SECRET,
    Alpaca,
    Trader,
    acted_twice,
    differences,
    invented,
    position,
    reaches,
)
from tests.acceptance.daemon.leaks import leaks
from tests.acceptance.daemon.notified import eventually

pytestmark = pytest.mark.slow

type Make = Callable[..., Trader]
type Serve = Callable[..., Alpaca]

MINUTE = 60 * 10**9
DAY = 600.0
"""Data seconds per wall second: a session takes 39 s."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_day_of_kills_and_cuts_ends_with_three_equal_books_and_no_key_anywhere(
    trader: Make, serve: Serve, home: Path
) -> None:
    days = invented(home / "history", symbols=4)
    server = serve(days.market(DAY))
    port = free_port()
    daemon = trader(
        *server.overrides(days.symbols),
        f"telemetry.metrics_port={port}",
        f"telemetry.log_folder={home / 'logs'}",
        "telemetry.log_level=DEBUG",
    )
    daemon.start().ready()
    opened = position(daemon)
    eventually(lambda: len(server.orders()) > 3, "it trades")

    server.misbehave(data_stream={"close_now": True})
    reaches(daemon, position(daemon) + 10 * MINUTE)
    server.misbehave(stream={"close_now": True, "refuse_seconds": 1.0})
    eventually(lambda: "the trade-update stream" in daemon.errors(), "it hears of the cut")
    reaches(daemon, position(daemon) + 10 * MINUTE)

    server.restart()
    reaches(daemon, position(daemon) + 10 * MINUTE)

    eventually(server.positions, "it holds something")
    before = position(daemon)
    said = live_outputs(daemon, port)
    daemon.send(signal.SIGQUIT)  # every stack, then the end
    assert daemon.wait() != 0
    assert "Thread" in daemon.errors()
    daemon.start().ready()
    reaches(daemon, before + 5 * MINUTE)
    first = daemon.rows("SELECT min(ts) AS ts FROM equity WHERE run_id LIKE '%-2'")[0]["ts"]
    assert first >= before, "data time goes on where it was"

    before = position(daemon)
    daemon.kill()
    daemon.start().ready()
    reaches(daemon, before + 5 * MINUTE)
    eventually(lambda: daemon.held() == server.positions(), "the engine's book is the broker's")
    picture = daemon.check("engine_picture")
    assert (picture.grade, picture.value) == ("OK", "as the book has it")

    assert daemon.wait() == 0, daemon.errors()
    assert position(daemon) > opened
    assert daemon.report()["why"] == "the replay is over"
    assert acted_twice(daemon) == []
    assert daemon.traded() == {"intraday_mean_reversion", "swing_trend"}
    assert differences(server.store, daemon.journal) == []
    verified = daemon.tradingd("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["agree"] is True

    assert (home / "logs").is_dir()
    (home / "said").write_bytes(said + (verified.stdout + verified.stderr).encode())
    assert leaks(home, SECRET) == []


def live_outputs(daemon: Trader, port: int) -> bytes:
    """Return what a running daemon shows to whoever asks."""
    words = (
        ("status", "--json"), ("health", "--json"), ("config", "--json"), ("config",),
        ("events", "--after", "0", "--json"), ("orders", "--all", "--json"), ("reload",),
        ("audit", "tail"), ("audit", "export", "--to", str(daemon.home / "audit.out")),
        ("top", "--once"),
    )  # fmt: skip
    said = [daemon.ctl(*one) for one in words]
    assert all(one.returncode == 0 for one in said), [one.stderr for one in said if one.returncode]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        metrics: bytes = answer.read()
    assert b"tradingd_" in metrics
    return metrics + b"".join((one.stdout + one.stderr).encode() for one in said)
