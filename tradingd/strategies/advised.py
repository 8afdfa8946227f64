"""What a model makes of an entry: fewer shares, a nearer stop, or none; never more, or wider."""

from collections.abc import Callable

import msgspec

from tradingd.config.strategy import ModelUse
from tradingd.domain.advice import Advice
from tradingd.strategies.decision import Entry


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is to be made.

    Parameters
    ----------
    entry : Entry
        With the stop and the reason to send.
    planned_stop : float
        Where the rules put the stop: sizes are computed from it, so that a nearer stop never
        buys more shares.
    share : float
        Part of the rules' own size, 0 to 1.
    """

    entry: Entry
    planned_stop: float
    share: float = 1.0

    def shares(self, wanted: int) -> int:
        """Return how many of the shares that the rules want are entered with."""
        return int(wanted * self.share)


def advised(
    use: ModelUse | None, ask: Callable[[str], Advice], symbol: str, entry: Entry, close: float
) -> Advised | None:
    """Return the entry as the model leaves it; None when it is not to be made.

    Parameters
    ----------
    use : ModelUse, optional
        None: the model is not asked.
    ask : Callable
        Returns the advice on a symbol.
    symbol, entry, close : str, Entry, float
        What the rules want, and the price they saw.
    """
    if use is None:
        return Advised(entry=entry, planned_stop=entry.stop)
    advice = ask(symbol)
    confidence = advice.confidence(entry.side)
    if confidence is None:
        return None if use.when_abstaining == "wait" else _alone(entry, advice)
    if confidence < use.min_confidence:
        return None
    share = share_of(confidence, use.min_confidence)
    stop = entry.stop
    if use.tighten_stops:
        stop = close - (close - stop) * share
    reason = f"{entry.reason}; {words(advice, confidence, use)}"
    return Advised(
        entry=msgspec.structs.replace(entry, stop=stop, reason=reason),
        planned_stop=entry.stop,
        share=share if use.size_by_confidence else 1.0,
    )


def share_of(confidence: float, least: float) -> float:
    """Return a half at the least confidence that enters, rising evenly to 1 at certainty."""
    if least >= 1.0:
        return 1.0
    return 0.5 + 0.5 * (confidence - least) / (1.0 - least)


def words(advice: Advice, confidence: float, use: ModelUse) -> str:
    """Return the model, how sure it is, and what was asked of it."""
    return f"model {advice.model}: probability {confidence:.3f} (at least {use.min_confidence:g})"


def _alone(entry: Entry, advice: Advice) -> Advised:
    reason = f"{entry.reason}; no opinion of the model ({advice.abstention}): by the rules alone"
    return Advised(entry=msgspec.structs.replace(entry, reason=reason), planned_stop=entry.stop)
