"""What a reader would otherwise have to guess of a judgement, in a sentence."""

from collections.abc import Iterator, Sequence

import numpy as np

from tradingd.app.modelling.judge import Judgement
from tradingd.config.strategy import EmaCross, SeveralStrategies, StrategyConfig, SwingTrend
from tradingd.learning.dataset import Floats
from tradingd.learning.walk import Step


def why_no_trade(strategy: StrategyConfig, judged: Judgement, chance: Floats) -> Iterator[str]:
    """Say what kept the judge from trading, where the predictions show it.

    Parameters
    ----------
    chance : array of float, shape (rows,)
        Probability of every prediction; nan where there is none.
    """
    if judged.metrics["trades"].value or isinstance(strategy, SeveralStrategies):
        return
    use = strategy.use_model
    if use is None:
        return
    known = chance[np.isfinite(chance)]
    if not len(known):
        yield "no trade: the predictions have no probability that an entry could be weighed by"
        return
    surest = float(known.max())
    if getattr(strategy, "allow_short", False):
        surest = max(surest, 1.0 - float(known.min()))
    if surest < use.min_confidence:
        yield (
            f"no trade: the surest of {len(known):,} predictions says {surest:.3f}, an entry needs "
            f"{use.min_confidence:g} (strategy.use_model.min_confidence)"
        )


def stumps(steps: Sequence[Step], least: int) -> Iterator[str]:
    """Say in how many steps the trees found nothing to split: every row got the same score.

    Parameters
    ----------
    least : int
        Rows that a leaf must have.
    """
    blind = [step for step in steps if not np.any(step.gains)]
    if blind:
        most = max(step.used[0] for step in blind)
        yield (
            f"in {len(blind)} of {len(steps)} steps every row got the same score: at most {most:,} "
            f"rows to learn from, at least {least:,} in a leaf (training.learner.min_rows)"
        )


def one_score(score: Floats, chance: Floats) -> Iterator[str]:
    """Say that a model told no row from another, or its calibration did not.

    Parameters
    ----------
    score, chance : array of float, shape (rows,)
        `chance` is the probability; nan where there is none.
    """
    if len(score) > 1 and float(np.ptp(score)) == 0.0:
        yield f"every one of {len(score):,} rows got the same score: the model tells nothing apart"
    elif len(score) > 1 and float(np.ptp(chance)) == 0.0:
        yield (
            f"every one of {len(score):,} rows got the same probability, {chance[0]:.3f}: on the "
            "days it was calibrated on, higher scores did not go with more successes"
        )


def cold_start(strategy: StrategyConfig, judged: Judgement) -> Iterator[str]:
    """Say how many of the judged days pass before the rules of daily bars can signal at all.

    A backtest shows a strategy nothing from before its first day.
    """
    if not isinstance(strategy, SwingTrend | EmaCross) or strategy.bars != "1d":
        return
    days = len(judged.days)
    if days:
        cold = min(strategy.slow, days)
        yield (
            f"the rules saw nothing from before {judged.days[0]}: in the first {cold} of {days} "
            f"judged sessions they had no EMA of {strategy.slow} bars to signal by"
        )
