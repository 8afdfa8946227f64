"""Strategies that ask a model, over the real backtest engine."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.integration.strategies.strategy_kit import CALENDAR, MemoryFeed, bars_table, run
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import ModelSignal, ModelUse, SwingTrend
from tradingd.domain.advice import Abstention, Advice
from tradingd.domain.market import Resolution
from tradingd.domain.orders import Side

RISK = RiskConfig(no_trade_open_minutes=0, no_trade_close_minutes=0, margin_regime="none")
DAYS = CALENDAR.between(dt.date(2024, 1, 2), dt.date(2024, 6, 28))


class Told:
    """A model that says what a function of (symbol, moment) says."""

    def __init__(self, answer: Callable[[str, int], float | None]) -> None:
        self._answer = answer
        self.asked: list[tuple[str, int]] = []

    def advice(self, symbol: str, ts: int) -> Advice:
        self.asked.append((symbol, ts))
        probability = self._answer(symbol, ts)
        return Advice(
            symbol=symbol,
            ts=ts,
            model="told@1",
            probability=probability,
            abstention=Abstention.NO_ROW if probability is None else None,
        )


def walk(symbol: str, seed: int, drift: float = 0.002) -> Any:
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(drift, 0.01, len(DAYS))))
    stamps = [day.close_ns for day in DAYS]
    opens = np.concatenate([closes[:1], closes[:-1]])
    spread = np.abs(rng.normal(0, 0.006, len(DAYS))) * closes
    return bars_table(
        symbol,
        stamps,
        closes,
        high=np.maximum(opens, closes) + spread,
        low=np.minimum(opens, closes) - spread,
    )


def feed(*symbols: str) -> MemoryFeed:
    return MemoryFeed([walk(one, seed) for seed, one in enumerate(symbols)], Resolution.DAY)


SYMBOLS = tuple(f"S{number:02d}" for number in range(8))
SWING = SwingTrend(adx_min=5.0)


def test_the_swing_trend_enters_only_what_the_model_agrees_with() -> None:
    alone = run(SWING, feed(*SYMBOLS), risk=RISK)
    liked = set(SYMBOLS[::2])
    asks = msgspec.structs.replace(SWING, use_model=ModelUse())
    model = Told(lambda symbol, _: 0.8 if symbol in liked else 0.2)
    agreed = run(asks, feed(*SYMBOLS), risk=RISK, advisor=model)
    assert {one.symbol for one in alone.entries()} > {one.symbol for one in agreed.entries()}
    assert agreed.entries()
    assert {one.symbol for one in agreed.entries()} <= liked
    assert all("model told@1: probability 0.800" in one.reason for one in agreed.entries())
    assert agreed.outcome.advised == {"": len(model.asked)}


def test_a_model_that_abstains_leaves_the_rules_alone_where_that_is_wanted() -> None:
    alone = run(SWING, feed(*SYMBOLS), risk=RISK)
    trading = ModelUse(when_abstaining="trade", size_by_confidence=True, tighten_stops=True)
    asks = msgspec.structs.replace(SWING, use_model=trading)
    without = run(asks, feed(*SYMBOLS), risk=RISK, advisor=Told(lambda *_: None))
    sent = [(one.symbol, one.ts_submitted, one.quantity) for one in without.entries()]
    assert sent == [(one.symbol, one.ts_submitted, one.quantity) for one in alone.entries()]
    assert all("by the rules alone" in one.reason for one in without.entries())
    waits = msgspec.structs.replace(SWING, use_model=ModelUse())
    assert not run(waits, feed(*SYMBOLS), risk=RISK, advisor=Told(lambda *_: None)).entries()


def test_less_sure_enters_with_fewer_shares() -> None:
    def first(probability: float) -> Any:
        use = ModelUse(min_confidence=0.5, size_by_confidence=True)
        asks = msgspec.structs.replace(SWING, use_model=use)
        return run(asks, feed("S01"), risk=RISK, advisor=Told(lambda *_: probability)).entries()[0]

    assert first(0.5).quantity == pytest.approx(first(1.0).quantity / 2, abs=1)


def signal(**changes: Any) -> ModelSignal:
    return msgspec.structs.replace(ModelSignal(hold_bars=3, max_positions=2), **changes)


def test_the_model_signal_holds_the_surest_for_its_bars() -> None:
    order = {"S00": 0.6, "S01": 0.9, "S02": 0.7, "S03": 0.5}
    model = Told(lambda symbol, _: order[symbol])
    found = run(signal(), feed(*order), risk=RISK, advisor=model)
    entered = [one.symbol for one in found.entries()]
    assert set(entered[:2]) == {"S01", "S02"}
    assert "S03" not in entered
    assert entered.count("S00") < entered.count("S01")
    held = [one for one in found.exits() if "held 3 bars" in one.reason]
    assert held
    assert found.tables.positions
    for one in found.tables.positions:
        sessions = len(CALENDAR.between(_day(one.ts_opened), _day(one.ts_closed)))
        assert sessions <= 5


def _day(ts: int) -> dt.date:
    return dt.datetime.fromtimestamp(ts / 1e9, tz=dt.UTC).date()


def test_the_model_signal_sells_short_only_where_it_may() -> None:
    falls = Told(lambda *_: 0.2)
    assert not run(signal(), feed("S00"), risk=RISK, advisor=falls).entries()
    short = run(signal(allow_short=True), feed("S00"), risk=RISK, advisor=falls).entries()
    assert {one.side for one in short} == {Side.SELL}


def test_the_model_signal_holds_on_while_the_model_would_enter_again() -> None:
    sure = Told(lambda *_: 0.9)
    plain = run(signal(stop_atr=50.0), feed("S00"), risk=RISK, advisor=sure)
    longer = run(signal(stop_atr=50.0, extend=True), feed("S00"), risk=RISK, advisor=sure)
    assert len(longer.entries()) == 1
    assert len(plain.entries()) > 3


def test_the_model_signal_waits_when_the_model_abstains() -> None:
    found = run(signal(), feed("S00"), risk=RISK, advisor=Told(lambda *_: None))
    assert not found.entries()
    assert set(found.outcome.advised) == {"no_row"}


def test_the_model_signal_never_trades_by_rules_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="no rules"):
        ModelSignal(use_model=ModelUse(when_abstaining="trade"))
