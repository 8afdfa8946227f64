"""A split restates what the model remembers, whether there are bars on its ex-date or not."""

import asyncio
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.integration.engine_live.live_kit import Live, Script, minute_batches
from tests.integration.history.history_samples import DAY_BARS, daily_bars
from tests.integration.serving.serving_kit import CALENDAR
from tradingd.config.features import FeaturesConfig
from tradingd.domain.advice import Advice
from tradingd.domain.feed import Batch, Quote
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.engine.advising import LiveAdvising
from tradingd.engine.live.restating import Restating
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.live import LiveFeatures
from tradingd.features.store_series import read_series
from tradingd.feeds.batches import Regrouped
from tradingd.history.store import Store

HOLIDAY = dt.date(2024, 7, 4)
DECLARED = {
    "step": {"kind": "return", "bars": 1},
    "slow": {"kind": "return", "bars": 10},
    "atr": {"kind": "atr_ratio"},
    "volume": {"kind": "volume_ratio", "bars": 10},
    "beta": {"kind": "beta", "bars": 10},
    "place": {"kind": "rank", "of": "slow"},
}


def split(day: dt.date, symbol: str = "AAA", new: int = 2) -> CorporateAction:
    return CorporateAction(
        symbol=symbol, ex_date=day, kind=ActionKind.SPLIT, numerator=new, denominator=1
    )


class Listener:
    """Writes down what a model is shown."""

    memory = 0

    def __init__(self, features: LiveFeatures | None = None) -> None:
        self.heard: list[tuple[str, object]] = []
        self.features = features

    def advice(self, symbol: str, ts: int) -> Advice:
        return Advice(symbol=symbol, ts=ts)

    def observe(self, batch: Batch) -> None:
        self.heard.append(("bars", batch.ts))
        if self.features is not None:
            self.features.observe(batch)

    def observe_quote(self, quote: Quote) -> None:
        self.heard.append(("quote", quote.symbol))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        self.heard.append(("split", symbol))
        if self.features is not None:
            self.features.split(symbol, numerator, denominator)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.heard]


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [one.day for one in CALENDAR.between(first, last)]


@pytest.mark.parametrize("ex_date", [dt.date(2024, 3, 13), dt.date(2024, 3, 16)])
def test_features_over_an_ex_date_without_a_bar_are_those_of_the_store(
    tmp_path: Path, ex_date: dt.date
) -> None:
    chance = np.random.default_rng(3)
    every = days(dt.date(2024, 1, 2), dt.date(2024, 5, 31))
    store = Store(tmp_path)
    with store.batch("test") as batch:
        for symbol, missing in (("AAA", {ex_date, dt.date(2024, 3, 14)}), ("BBB", set())):
            mine = [one for one in every if one not in missing]
            closes = np.round(50 * np.exp(np.cumsum(chance.normal(0, 0.02, len(mine)))), 2)
            closes = [
                f"{close / (2 if symbol == 'AAA' and day >= ex_date else 1):.2f}"
                for day, close in zip(mine, closes, strict=True)
            ]
            batch.bars(DAY_BARS, symbol, daily_bars([str(one) for one in mine], closes))
        batch.actions([split(ex_date)])
    found = compile_features(FeaturesConfig(declared=DECLARED, benchmark="BBB"), calendar=CALENDAR)
    frame = compute(found, read_series(store, ["AAA", "BBB"], "1d", calendar=CALENDAR))
    expected = {
        (frame.symbols[frame.symbol[row]], int(frame.ts[row])): frame.x[row]
        for row in range(len(frame))
    }

    features = LiveFeatures(found, ["AAA", "BBB"])
    listener = Listener(features)
    advising = LiveAdvising(listener, lambda error: pytest.fail(str(error)))
    restating = Restating(advising)
    feed = store.feed(["AAA", "BBB"], DAY_BARS, None, None, chunk_rows=1_000, sessions=None)
    restating.know([one for one in feed.actions() if one.kind is ActionKind.SPLIT])
    compared = 0
    for chunk in feed.chunks():
        for one in Regrouped(chunk, 0, None).batches():
            restating.before_bars(one)
            advising.observe(one)
            for bar in one.bars:
                row = expected[bar.symbol, one.ts]
                np.testing.assert_allclose(features.row(bar.symbol), row, rtol=1e-9, atol=1e-12)
                compared += 1
    assert compared == len(frame)
    assert listener.kinds.count("split") == 1


async def _heard(live: Live, listener: Listener, past: list[Batch], now: list[Batch]) -> list[str]:
    async with live:
        await live.engine.warm_up(past)
        await live.play(*now)
    return listener.kinds


def test_an_ex_date_without_any_bar_in_the_warm_up_is_told_before_the_next_bar() -> None:
    listener = Listener()
    past = [
        *minute_batches("2024-07-01", {"AAA": [100]}),
        *minute_batches("2024-07-03", {"AAA": [50]}),
    ]
    live = Live(Script({}), advisor=listener, actions=[split(dt.date(2024, 7, 2))])
    now = minute_batches("2024-07-05", {"AAA": [51]})
    told = asyncio.run(_heard(live, listener, past, now))
    assert told == ["bars", "split", "bars", "bars"]


def test_an_ex_date_that_is_no_session_is_told_before_the_next_bar() -> None:
    listener = Listener()
    past = minute_batches("2024-07-03", {"AAA": [100]})
    live = Live(Script({}), advisor=listener, actions=[split(HOLIDAY)])
    now = minute_batches("2024-07-05", {"AAA": [51, 52]})
    told = asyncio.run(_heard(live, listener, past, now))
    assert told == ["bars", "split", "bars", "bars"]


def test_a_split_that_is_known_late_is_told_only_where_no_bar_has_its_units_yet() -> None:
    listener = Listener()
    restating = Restating(LiveAdvising(listener, lambda error: pytest.fail(str(error))))
    before, after = (
        minute_batches("2024-07-03", {"AAA": [100], "BBB": [10]}),
        minute_batches("2024-07-05", {"BBB": [10]}),
    )
    for batch in (*before, *after):
        restating.before_bars(batch)
    restating.know([split(HOLIDAY), split(HOLIDAY, "BBB")])
    restating.before_bars(minute_batches("2024-07-08", {"AAA": [50], "BBB": [10]})[0])
    assert listener.heard == [("split", "AAA")]
    restating.know([split(HOLIDAY), split(HOLIDAY, "BBB")])
    restating.before_bars(minute_batches("2024-07-09", {"AAA": [50], "BBB": [10]})[0])
    assert listener.heard == [("split", "AAA")], "each once"


def test_splits_before_the_first_bars_are_history() -> None:
    listener = Listener()
    restating = Restating(LiveAdvising(listener, lambda error: pytest.fail(str(error))))
    restating.know([split(dt.date(2020, 8, 31)), split(dt.date(2024, 7, 3))])
    restating.before_bars(minute_batches("2024-07-03", {"AAA": [100]})[0])
    assert listener.heard == [("split", "AAA")]
