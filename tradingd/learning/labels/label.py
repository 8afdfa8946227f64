"""Labels by their configuration."""

from typing import Literal

from tradingd.config.training import ForwardReturn, LabelConfig, TripleBarrier, VolatilityScaled
from tradingd.learning.dataset import Floats, Integers
from tradingd.learning.labels.answer import Labels
from tradingd.learning.labels.barriers import meta_labels, triple_barrier
from tradingd.learning.labels.forward import forward_return, volatility_scaled

type Task = Literal["classification", "regression", "ranking"]


def label(
    config: LabelConfig,
    task: Task,
    *,
    ts: Integers,
    close: Floats,
    high: Floats,
    low: Floats,
    sides: Integers | None = None,
) -> Labels:
    """Label the bars of one symbol.

    Parameters
    ----------
    task : str
        A classification learns 0 or 1; the others learn the number itself.
    ts : array of int
        Close of each bar, UTC ns, rising.
    close, high, low : array of float
        Dollars in one and the same share unit; nan where a bar has none.
    sides : array of int, optional
        Signals of the rule whose meta-labels are asked for: 1 long, -1 short, 0 none.

    Raises
    ------
    ValueError
        If meta-labels are asked for without signals.
    """
    classify = task == "classification"
    if isinstance(config, ForwardReturn):
        return forward_return(config, classify=classify, ts=ts, close=close)
    if isinstance(config, VolatilityScaled):
        return volatility_scaled(config, classify=classify, ts=ts, close=close)
    if isinstance(config, TripleBarrier):
        return triple_barrier(
            classify=classify,
            ts=ts,
            close=close,
            high=high,
            low=low,
            bars=config.bars,
            up=config.up,
            down=config.down,
            window=config.window,
        )
    if sides is None:
        raise ValueError("meta-labels judge signals: sides is needed")
    return meta_labels(
        classify=classify,
        ts=ts,
        close=close,
        high=high,
        low=low,
        sides=sides,
        bars=config.bars,
        up=config.up,
        down=config.down,
        window=config.window,
    )
