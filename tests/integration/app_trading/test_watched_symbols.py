"""A session subscribes to the benchmark of its model beside its universe."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.history.history_samples import DAY_BARS, daily_bars
from tradingd.app.trading.market import SessionFeed, session_feed
from tradingd.config.load import load
from tradingd.config.secrets import resolve
from tradingd.feeds.alpaca.feed import AlpacaFeed
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
MODEL = ("model=registry", "model.name=small")
TWO = ("universe=symbols", "universe.symbols=[AAPL,MSFT]")


def opened(*words: str) -> SessionFeed:
    config = load(["mode=paper", "strategy=model_signal", "strategy.bars=1d", *words]).config
    return session_feed(config, CALENDAR, resolve)


def symbols(found: SessionFeed) -> list[str]:
    async def ask() -> list[str]:
        await found.feed.open(0)
        try:
            return [one.symbol for one in found.feed.instruments()]
        finally:
            await found.feed.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("words", "streamed", "watched"),
    [
        ((*TWO, *MODEL, "features.benchmark=IBM"), ["AAPL", "IBM", "MSFT"], {"IBM"}),
        ((*TWO, *MODEL, "features.benchmark=MSFT"), ["AAPL", "MSFT"], set()),
        ((*TWO, "features.benchmark=IBM"), ["AAPL", "MSFT"], set()),
        ((*TWO, *MODEL), ["AAPL", "MSFT"], set()),
    ],
    ids=["outside", "traded", "no model", "no benchmark"],
)
def test_the_sample_streams_the_benchmark_of_a_served_model_beside_the_universe(
    words: tuple[str, ...], streamed: list[str], watched: set[str]
) -> None:
    found = opened("feed=sample", *words)
    assert found.watched == watched
    assert symbols(found) == streamed


def test_the_store_streams_it_where_it_has_its_bars(tmp_path: Path) -> None:
    with Store(tmp_path).batch("test") as batch:
        for symbol in ("AAPL", "IBM", "MSFT", "SPY"):
            batch.bars(DAY_BARS, symbol, daily_bars(["2024-07-01", "2024-07-02"], ["10", "11"]))
    words = ("feed=replay", f"store.root={tmp_path}", *MODEL)
    found = opened(*words, *TWO, "features.benchmark=SPY")
    assert (found.watched, symbols(found)) == ({"SPY"}, ["AAPL", "MSFT", "SPY"])
    found = opened(*words, "universe.exclude=[SPY]", "features.benchmark=SPY")
    assert (found.watched, symbols(found)) == ({"SPY"}, ["AAPL", "IBM", "MSFT", "SPY"])
    found = opened(*words, *TWO, "features.benchmark=QQQ")
    assert (found.watched, symbols(found)) == (set(), ["AAPL", "MSFT"])


def test_a_replay_keeps_to_the_days_of_the_universe_and_the_rest_is_history(
    tmp_path: Path,
) -> None:
    days = [f"2024-07-0{one}" for one in (1, 2, 3, 5, 8)]
    with Store(tmp_path).batch("test") as batch:
        batch.bars(DAY_BARS, "SPY", daily_bars(days, ["400"] * 5))
        for symbol in ("AAPL", "MSFT"):
            batch.bars(DAY_BARS, symbol, daily_bars(days[2:4], ["10", "11"]))
    words = ("feed=replay", "feed.speed=0", f"store.root={tmp_path}", *MODEL, *TWO)
    found = opened(*words, "features.benchmark=SPY")

    async def play() -> tuple[list[int], list[int]]:
        await found.feed.open(0)
        streamed = [one async for one in found.feed.batches()]
        before = await found.feed.history(streamed[0].ts - 1, 10)
        await found.feed.close()
        return [len(one.bars) for one in before], [len(one.bars) for one in streamed]

    assert asyncio.run(play()) == ([1, 1], [3, 3])


def test_alpaca_is_asked_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "PKTEST")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret")
    feed, watched = opened("feed=alpaca", *TWO, *MODEL, "features.benchmark=SPY")
    assert isinstance(feed, AlpacaFeed)
    assert watched == {"SPY"}
    assert list(feed.unproven) == ["AAPL", "MSFT", "SPY"]
