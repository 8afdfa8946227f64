"""Bars of the history store as a replay: cut to sessions, resumed, bounded."""

import datetime as dt

import pytest

from tests.integration.feeds.feed_kit import CALENDAR, history, stream
from tradingd.config.feed import ReplayFeed as FeedConfig
from tradingd.config.store import StoreConfig
from tradingd.domain.market import Resolution
from tradingd.feeds.make import make_feed
from tradingd.feeds.replay import ReplayFeed
from tradingd.feeds.stored import StoredBars
from tradingd.feeds.synthetic import SyntheticBars
from tradingd.history.store import Store

FIRST, LAST = dt.date(2024, 7, 2), dt.date(2024, 7, 5)
NAMES = ("SYN1", "SYN2")
HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("history"), StoreConfig())
    invented = SyntheticBars(symbols=2, days=3, seed=1, calendar=CALENDAR, start=FIRST)
    with made.batch("test") as batch:
        for chunk in invented.between(FIRST, None).chunks():
            for name in NAMES:
                rows = chunk.table.filter(_is(chunk.table["symbol"], name)).drop(["symbol"])
                late = _later(rows)
                for one in (rows, late):
                    batch.bars(Resolution.MINUTE, name, _with_init(one))
    return made


def _is(column, name):
    import pyarrow.compute as pc

    return pc.equal(column, name)


def _with_init(table):
    return table.add_column(1, "ts_init", table["ts_event"]).select(
        ["ts_event", "ts_init", "open", "high", "low", "close", "volume"]
    )


def _later(table):
    """Return the session's last bar again, an hour after the close."""
    import pyarrow as pa

    last = table.slice(table.num_rows - 1)
    moved = pa.array([last["ts_event"].cast(pa.int64())[0].as_py() + HOUR]).cast(pa.timestamp("ns"))
    return last.set_column(0, "ts_event", moved)


def feed_over(store: Store, chunk_rows: int, *, cut: bool = True) -> ReplayFeed:
    bars = StoredBars(
        store,
        NAMES,
        Resolution.MINUTE,
        chunk_rows=chunk_rows,
        sessions=CALENDAR if cut else None,
    )
    return make_feed(
        FeedConfig(data="store", speed=0, start=FIRST, end=LAST),
        resolution=Resolution.MINUTE,
        calendar=CALENDAR,
        stored={"store": bars},
    )


@pytest.mark.parametrize("chunk_rows", [100, 5_000], ids=str)
@pytest.mark.parametrize("cut", [True, False], ids=["cut by the store", "cut by the feed"])
def test_the_store_streams_its_sessions_at_any_chunk_size(
    store: Store, chunk_rows: int, cut: bool
) -> None:
    batches = stream(feed_over(store, chunk_rows, cut=cut))
    assert len(batches) == 390 + 210 + 390
    assert all(len(batch.bars) == 2 for batch in batches)
    assert batches[0].ts == CALENDAR.on(FIRST).open_ns + 60_000_000_000


def test_a_resumed_store_replay_goes_on_after_the_last_batch(store: Store) -> None:
    whole = stream(feed_over(store, 300))
    assert stream(feed_over(store, 300), resume_after=whole[400].ts) == whole[401:]


def test_warm_up_reads_back_over_a_night(store: Store) -> None:
    whole = stream(feed_over(store, 300))
    found = history(feed_over(store, 300), whole[600].ts, 20)
    assert list(found) == whole[581:601]
