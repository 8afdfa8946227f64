"""The strategies that are compared, and over which days."""

from typing import Final, NamedTuple


class Case(NamedTuple):
    """One strategy over some days."""

    overrides: tuple[str, ...]
    start: str
    end: str

    @property
    def of_backtest(self) -> tuple[str, ...]:
        """Overrides of the backtest."""
        return (*self.overrides, *_days("mode", self))

    @property
    def of_session(self) -> tuple[str, ...]:
        """Overrides of the session; `feed` chooses where its bars come from."""
        return (*self.overrides, *_days("feed", self))


DAILY: Final = {
    "swing_trend": ("strategy=swing_trend", "risk=default"),
    "ema_cross": ("strategy=ema_cross", "strategy.bars=1d", "risk=open"),
    "buy_and_hold": ("strategy=buy_and_hold", "risk=open"),
    "limits": ("strategy=custom", "strategy.path=prober:Limiter", "strategy.bars=1d", "risk=open"),
}
"""On the embedded bars: 3,270 sessions, five symbols, seven splits and ninety dividends."""

WHOLE: Final = ("", "")
SPLITS: Final = ("2004-08-02", "2005-03-18")
"""GOOG lists, MSFT and IBM pay dividends, AAPL splits on 2005-02-28."""

INTRADAY: Final = (
    "strategy=intraday_mean_reversion",
    "strategy.z_entry=1.0",
    "risk=intraday",
    "risk.loss_streak=1000",
    "universe=symbols",
    "universe.symbols=[SPY,AIG,BAC,IBM]",
)
WEEK: Final = ("2013-10-04", "2013-10-11")
"""Real minute bars, over a weekend."""


def _days(group: str, case: Case) -> tuple[str, ...]:
    return (f"{group}.start={case.start}", f"{group}.end={case.end}") if case.start else ()
