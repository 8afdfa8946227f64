"""Strategies ask the run's model in a backtest and live, by the bars of the same moment."""

import asyncio
import datetime as dt
import gc
from collections.abc import Iterator

import pytest

from tests.integration.engine.engine_kit import Script as BacktestScript
from tests.integration.engine.engine_kit import minutes, simulate
from tests.integration.engine_live.live_kit import (
    Live,
    Script,
    minute_batches,
    named,
    session_of,
)
from tradingd.domain.advice import Abstention, Advice
from tradingd.domain.feed import Batch, Quote
from tradingd.domain.market import ActionKind, CorporateAction, Instrument, Resolution
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure

DAY = "2024-07-02"


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


class Oracle:
    """Answers every question, and writes down what it is shown and asked."""

    memory = 0

    def __init__(self, fails_at: int = 0) -> None:
        self.heard: list[object] = []
        self._fails_at = fails_at

    def advice(self, symbol: str, ts: int) -> Advice:
        self.heard.append(("asked", symbol, ts))
        if len(self.heard) == self._fails_at:
            raise ZeroDivisionError("in the model")
        return Advice(symbol=symbol, ts=ts, model="m@1", score=0.7, probability=0.7)

    def observe(self, batch: Batch) -> None:
        self.heard.append(("bars", batch.ts))
        if len(self.heard) == self._fails_at:
            raise ZeroDivisionError("in the features")

    def observe_quote(self, quote: Quote) -> None:
        self.heard.append(("quote", quote.symbol))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        self.heard.append(("split", symbol, numerator, denominator))


def asking() -> Script:
    ask = lambda strategy: strategy.advice("AAA")  # noqa: E731
    return Script(dict.fromkeys(range(1, 10), ask))


def test_a_live_strategy_asks_by_the_bars_it_is_shown_and_the_model_saw_them_first() -> None:
    async def run() -> None:
        strategy, oracle = asking(), Oracle()
        batches = minute_batches(DAY, {"AAA": [100, 101, 102]})
        async with Live(strategy, advisor=oracle) as live:
            await live.engine.warm_up(batches[:1])
            await live.play(*batches[1:])
            assert oracle.heard == [
                step
                for batch in batches
                for step in (("bars", batch.ts), ("asked", "AAA", batch.ts))
            ]
            assert [one.ts for one in strategy.results] == [one.ts for one in batches]
            assert dict(live.engine.advised) == {"": 3}

    asyncio.run(run())


def test_the_model_hears_of_a_split_once_before_the_first_bar_after_it() -> None:
    split = CorporateAction(
        symbol="AAA",
        ex_date=dt.date.fromisoformat(DAY),
        kind=ActionKind.SPLIT,
        numerator=2,
        denominator=1,
    )

    async def run() -> None:
        oracle = Oracle()
        second = named("Second")()
        async with Live(asking(), second, advisor=oracle, actions=[split]) as live:
            await live.play(*minute_batches(DAY, {"AAA": [100, 101]}))
            assert oracle.heard[0] == ("split", "AAA", 2, 1)
            kinds = [one[0] for one in oracle.heard]
            assert kinds == ["split", "bars", "asked", "bars", "asked"]

    asyncio.run(run())


def test_a_watched_symbol_is_shown_to_the_model_alone_and_an_order_in_it_is_put_to_the_gate() -> (
    None
):
    async def run() -> None:
        meddle = lambda one: one.enter("SPY", Side.BUY, 1, reason="meddling", stop=90)  # noqa: E731
        strategy, oracle = Script({1: meddle}), Oracle()
        async with Live(strategy, advisor=oracle, watched=[Instrument(symbol="SPY")]) as live:
            live.shim.denies = True
            batches = minute_batches(DAY, {"AAA": [100, 101], "SPY": [400, 401]})
            await live.play(*batches)
            assert strategy.symbols == ("AAA",)
            assert {symbol for _, symbol, _ in strategy.seen} == {"AAA"}
            assert [one[0] for one in oracle.heard] == ["bars", "bars"]
            assert [one.symbol for one in live.shim.wishes] == ["SPY"]
            assert strategy.results == [None]
            assert live.faults == []

    asyncio.run(run())


@pytest.mark.parametrize("step", [3, 4])
def test_a_model_that_fails_abstains_from_then_on_and_trading_goes_on(step: int) -> None:
    async def run() -> None:
        strategy, oracle = asking(), Oracle(fails_at=step)
        told: list[str] = []
        batches = minute_batches(DAY, {"AAA": [100, 101, 102]})
        async with Live(
            strategy, advisor=oracle, on_advisor_failure=lambda error: told.append(str(error))
        ) as live:
            await live.play(*batches)
            assert [one.abstention for one in strategy.results] == [
                None,
                Abstention.FAILED,
                Abstention.FAILED,
            ]
            assert "ZeroDivisionError" in strategy.results[1].why
            assert len(told) == 1
            assert len(oracle.heard) == step
            assert live.faults == []

    asyncio.run(run())


def test_without_a_model_a_strategy_hears_that_there_is_none() -> None:
    async def run() -> None:
        strategy = asking()
        async with Live(strategy) as live:
            await live.play(*minute_batches(DAY, {"AAA": [100]}))
            assert strategy.results[0].abstention is Abstention.NO_MODEL
            assert strategy.results[0].confidence("BUY") is None
            assert dict(live.engine.advised) == {}

    asyncio.run(run())


def test_a_quote_reaches_the_model() -> None:
    async def run() -> None:
        oracle = Oracle()
        async with Live(asking(), advisor=oracle) as live:
            live.engine.heard(Quote("AAA", 1, 2, 3, 4, session_of(DAY).open_ns))
            assert oracle.heard == [("quote", "AAA")]

    asyncio.run(run())


ROWS = minutes("AAA", DAY, [(10, 11, 9, 10, 100)] * 3)


def test_a_backtest_asks_by_the_bars_of_the_moment() -> None:
    oracle = Oracle()
    strategy = BacktestScript({0: lambda s: s.advice("AAA"), 2: lambda s: s.advice("AAA")})
    ran = simulate(strategy, ROWS, Resolution.MINUTE, advisor=oracle)
    stamps = [ts for _, ts in strategy.bars]
    assert oracle.heard == [("asked", "AAA", stamps[0]), ("asked", "AAA", stamps[2])]
    assert ran.outcome.advised == {"": 2}


def test_a_backtest_without_a_model_goes_on() -> None:
    strategy = BacktestScript({0: lambda s: s.advice("AAA")})
    ran = simulate(strategy, ROWS, Resolution.MINUTE)
    assert strategy.said[0].abstention is Abstention.NO_MODEL
    assert ran.outcome.advised == {}


def test_a_model_that_fails_in_a_backtest_ends_it() -> None:
    strategy = BacktestScript({0: lambda s: s.advice("AAA")})
    with pytest.raises(Failure) as caught:
        simulate(strategy, ROWS, Resolution.MINUTE, advisor=Oracle(fails_at=1))
    assert caught.value.code is ExitCode.STRATEGY_FAILED
