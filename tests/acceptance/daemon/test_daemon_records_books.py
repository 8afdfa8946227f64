"""A daemon that records order books beside its trading, and goes on trading without them."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper, desk_strategy
from tests.fakes.invented_book import invented_book
from tradingd.control.answers import Recording
from tradingd.level2.columns import snapshot_schema

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]


def _recording(daemon: Paper) -> Recording:
    return daemon.control.get("record", Recording)


def test_books_are_recorded_asked_for_and_published(paper: Make, home: Path) -> None:
    book = invented_book(home, rows=6_000)
    daemon = paper(
        "feed.days=5", "feed.speed=600", *desk_strategy("Desk"), "record.enabled=true",
        "record.symbols=[AAPL]", "record.max_streams=1", "record.levels=2",
        "depth=replay", f"depth.path={book}", "depth.speed=20", f"store.level2={home}/books",
    ).start().ready()  # fmt: skip
    eventually(lambda: "AAPL" in _recording(daemon).refused, "the replay has no AAPL")
    started = daemon.ctl("record", "start", "FROG")
    assert started.returncode == 0, started.stderr
    eventually(lambda: _recording(daemon).rows > 20, "snapshots of FROG")
    told = daemon.ctl("record", "list")
    assert "FROG" in told.stdout
    assert "books=1/1" in told.stdout
    assert daemon.check("order_books").grade == "OK"
    assert daemon.ctl("record", "stop", "FROG").returncode == 0
    published = home / "books" / "FROG"
    eventually(lambda: list(published.glob("*_snapshots_*.parquet")), "the file is published")
    assert daemon.stop() == 0
    (file,) = published.glob("*_snapshots_*.parquet")
    table = pq.read_table(file)
    assert table.schema.remove_metadata().equals(snapshot_schema(2))
    assert table.num_rows > 20
    times = table["ts"].cast("int64").to_pylist()
    assert {after - before for before, after in pairwise(times)} == {10**8}


def test_a_daemon_that_is_stopped_publishes_what_it_has(paper: Make, home: Path) -> None:
    book = invented_book(home, rows=6_000)
    daemon = paper(
        "feed.days=5", "feed.speed=600", *desk_strategy("Desk"), "record.enabled=true",
        "record.symbols=[FROG]", "depth=replay", f"depth.path={book}", "depth.speed=20",
        f"store.level2={home}/books",
    ).start().ready()  # fmt: skip
    eventually(lambda: _recording(daemon).rows > 20, "snapshots of FROG")
    assert daemon.stop() == 0
    (file,) = (home / "books" / "FROG").glob("*_snapshots_*.parquet")
    assert pq.read_table(file).num_rows > 20


def test_trading_goes_on_without_the_vendor_of_books(paper: Make, home: Path) -> None:
    daemon = paper(
        "feed.days=5", "feed.speed=600", *desk_strategy("Desk"), "record.enabled=true",
        "record.symbols=[FROG]", "depth=databento", "depth.gateway=127.0.0.1", "depth.port=1",
        f"store.level2={home}/books",
    ).start(environment={"DATABENTO_API_KEY": "db-" + "x" * 29}).ready()  # fmt: skip
    eventually(lambda: daemon.check("order_books").grade == "DEGRADED", "the check says so")
    found = daemon.check("order_books")
    assert "127.0.0.1" in found.value
    assert daemon.status().ready
    assert "x" * 20 not in daemon.errors()
    assert _recording(daemon).state in ("failed", "starting")
    assert _recording(daemon).why
    refused = daemon.ctl("record", "start", "AAPL")
    assert refused.returncode == 51, refused.stderr
    assert daemon.stop() == 0


def test_books_without_a_source_are_refused_before_anything_is_traded(paper: Make) -> None:
    daemon = paper(
        "feed.days=1", *desk_strategy("Desk"), "record.enabled=true", "record.symbols=[FROG]"
    ).start()
    assert daemon.wait() == 78
    assert "depth=none" in daemon.errors()
