"""What a model says of a symbol at a moment, or why it says nothing."""

from enum import StrEnum
from typing import Protocol

import msgspec

from tradingd.domain.feed import Batch, Quote
from tradingd.domain.orders import Side


class Abstention(StrEnum):
    """Why a model has no opinion; the words are labels of metrics and reasons on records."""

    NO_MODEL = "no_model"
    NO_ROW = "no_row"
    WARMING_UP = "warming_up"
    EXPIRED = "expired"
    DRIFTED = "drifted"
    MISSING_FEATURES = "missing_features"
    FAILED = "failed"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction, or an abstention.

    Parameters
    ----------
    symbol, ts : str, int
        Of the row it is made from; UTC ns.
    model : str
        ``name@version``.
    score : float, optional
        In the model's own scale; None when it abstains.
    probability : float, optional
        Calibrated: that the price rises (for meta-labels: that the rule's signal is right).
    low, high : float, optional
        Conformal interval of the label.
    about_signal : bool
        Whether `probability` is about the strategy's own signal, whatever its side.
    abstention : Abstention, optional
        Why there is none; `why` says it with numbers.
    """

    symbol: str
    ts: int
    model: str = ""
    score: float | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    about_signal: bool = False
    abstention: Abstention | None = None
    why: str = ""

    def confidence(self, side: Side) -> float | None:
        """Return the probability that an entry of this side is right; None without an opinion."""
        if self.abstention is not None or self.probability is None:
            return None
        if self.about_signal or side is Side.BUY:
            return self.probability
        return 1.0 - self.probability


class Advisor(Protocol):
    """Answers strategies."""

    def advice(self, symbol: str, ts: int) -> Advice:
        """Return the opinion from the row of `symbol` at data time `ts` (UTC ns)."""
        ...


class LiveAdvisor(Advisor, Protocol):
    """Sees what the session sees, before the strategies do."""

    @property
    def memory(self) -> int:
        """Bars a symbol must have shown before its features are those of a longer history."""
        ...

    def observe(self, batch: Batch) -> None:
        """Take all bars of one moment; each later than the one before."""
        ...

    def observe_quote(self, quote: Quote) -> None:
        """Take a quote."""
        ...

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate what is remembered of a symbol; called before the first bar after the split."""
        ...
