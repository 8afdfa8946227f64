"""The served model: rows from live features, an opinion or a reason for none."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import numpy as np

from tradingd.config.model import Serving
from tradingd.domain.advice import Abstention, Advice
from tradingd.domain.feed import Batch, Quote
from tradingd.serving.bundle import Bundle
from tradingd.serving.drift import Drift, DriftWatch
from tradingd.serving.predictors import Floats


class RowSource(Protocol):
    """Features bar by bar; `tradingd.features.live` is one."""

    def observe(self, batch: Batch) -> None:
        """Take all bars of one moment."""
        ...

    def observe_quote(self, quote: Quote) -> None:
        """Take a quote."""
        ...

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate what is remembered of a symbol."""
        ...

    def row(self, symbol: str) -> Floats:
        """Return the row of the symbol's last bar; nan is missing."""
        ...

    def requoted(self, symbol: str) -> Floats:
        """Return that row with what follows from the quote alone as of the newest quote; a copy."""
        ...

    def ts(self, symbol: str) -> int:
        """Return the time of the symbol's last bar, UTC ns; 0 before the first."""
        ...

    def seen(self, symbol: str) -> int:
        """Return how many bars of the symbol were taken."""
        ...


class Told(Protocol):
    """Hears of every answer."""

    def __call__(self, advice: Advice, row: Floats | None, nanoseconds: int) -> None:
        """Take an answer; `row` is None where there is none, and overwritten by the next bar."""
        ...


class ServedModel:
    """Answers strategies of a running session.

    Parameters
    ----------
    bundle : Bundle, optional
        The model; None abstains, `why` says why.
    features : RowSource
        Where rows come from; it is this object that shows it the session.
    symbols : set of str
        Whose rows there are.
    memory : int
        Bars a symbol must have shown before the present one (`FeatureSet.memory`).
    settings : Serving
        When to abstain.
    told : Told
        Hears of every answer: metrics, records.
    seed : int
        Of the choice of rows that drift is measured on.

    Attributes
    ----------
    answers : Counter
        Answers by the reason of the abstention; empty for an opinion.
    """

    def __init__(
        self,
        bundle: Bundle | None,
        features: RowSource,
        *,
        symbols: frozenset[str],
        memory: int,
        settings: Serving,
        why: str = "",
        told: Told = lambda _advice, _row, _took: None,
        seed: int = 0,
        nanoseconds: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.why = why
        self.memory = memory
        self._features = features
        self._symbols = symbols
        self._settings = settings
        self._told = told
        self._seed = seed
        self._nanoseconds = nanoseconds
        self._next: Bundle | None = None
        self._requoted: dict[str, Advice] = {}
        self._bundle: Bundle | None = None
        self._drift: DriftWatch | None = None
        self._use(bundle)

    # -- what is served --------------------------------------------------------------------------

    @property
    def bundle(self) -> Bundle | None:
        """The model that answers now."""
        return self._bundle

    @property
    def coming(self) -> Bundle | None:
        """The model that answers from the next bars on."""
        return self._bundle if self._next is None else self._next

    @property
    def drift_days(self) -> int:
        """Whole sessions that there are rows of to measure drift on."""
        return 0 if self._drift is None else self._drift.days

    @property
    def drift(self) -> Drift | None:
        """How far the rows of late are from the training's, as last measured."""
        return None if self._drift is None else self._drift.found

    def drifted(self) -> Drift | None:
        """Return the drift where it is past the limit."""
        found = self.drift
        return found if found is not None and found.beyond(self._settings.drift_limit) else None

    def serve(self, bundle: Bundle) -> None:
        """Answer with another model from the next bars on: one moment never has two."""
        self._next = bundle

    def withdraw(self, why: str) -> None:
        """Answer no more, at once."""
        self._next = None
        self._requoted.clear()
        self._use(None)
        self.why = why

    def _use(self, bundle: Bundle | None) -> None:
        self._bundle, self._drift = bundle, None
        if bundle is not None and (known := bundle.drift_reference()) is not None:
            self._drift = DriftWatch(
                known,
                bundle.drift_weights(),
                sessions=self._settings.drift_sessions,
                rows=self._settings.drift_rows,
                seed=self._seed,
            )

    # -- what it is shown ------------------------------------------------------------------------

    def observe(self, batch: Batch) -> None:
        """Take all bars of one moment; a model that waits begins with them."""
        if self._next is not None:
            self._use(self._next)
            self._next = None
        self._requoted.clear()
        self._features.observe(batch)
        if self._drift is not None:
            for bar in batch.bars:
                if self._ready(bar.symbol, batch.ts):
                    self._drift.take(batch.ts, self._features.row(bar.symbol))

    def observe_quote(self, quote: Quote) -> None:
        """Take a quote; it counts from the next bar of its symbol on, as in training.

        With `Serving.on_quotes` the last bar's row is predicted again with the quote of now: who
        asks before the next bar hears that.
        """
        self._features.observe_quote(quote)
        bundle, symbol = self._bundle, quote.symbol
        if not self._settings.on_quotes or bundle is None or symbol not in self._symbols:
            return
        if self._features.seen(symbol) <= self.memory:
            return
        began = self._nanoseconds()
        row = self._features.requoted(symbol)
        found = self._judged(bundle, symbol, quote.ts, row)
        self._requoted[symbol] = found
        self._told(found, row, self._nanoseconds() - began)

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate what is remembered of a symbol."""
        self._features.split(symbol, numerator, denominator)

    # -- what it answers -------------------------------------------------------------------------

    def advice(self, symbol: str, ts: int) -> Advice:
        """Return the opinion on a symbol by its row at exactly `ts`, or why there is none."""
        requoted = self._requoted.get(symbol)
        if requoted is not None and self._features.ts(symbol) == ts:
            self.answers[requoted.abstention or ""] += 1
            return requoted
        began = self._nanoseconds()
        found, row = self._answered(symbol, ts)
        self.answers[found.abstention or ""] += 1
        self._told(found, row, self._nanoseconds() - began)
        return found

    def _answered(self, symbol: str, ts: int) -> tuple[Advice, Floats | None]:
        bundle = self._bundle
        if bundle is None:
            return self._none(
                symbol, ts, Abstention.NO_MODEL, self.why or "no model is served"
            ), None
        if ts >= bundle.expires_ns:
            return self._expired(bundle, symbol, ts), None
        if symbol not in self._symbols or self._features.ts(symbol) != ts:
            return self._none(symbol, ts, Abstention.NO_ROW, "no bar of that moment"), None
        if not self._ready(symbol, ts):
            why = f"{self._features.seen(symbol)} bars of {self.memory + 1}"
            return self._none(symbol, ts, Abstention.WARMING_UP, why), None
        row = self._features.row(symbol)
        return self._judged(bundle, symbol, ts, row), row

    def _judged(self, bundle: Bundle, symbol: str, ts: int, row: Floats) -> Advice:
        """Return the opinion of a row, unless it is one of those the model must not judge."""
        if ts >= bundle.expires_ns:
            return self._expired(bundle, symbol, ts)
        missing = np.flatnonzero(np.isnan(row))
        if len(missing) > self._settings.missing:
            names = ", ".join(bundle.manifest.names[one] for one in missing[:3].tolist())
            why = f"{len(missing)} missing: {names}{' ...' if len(missing) > 3 else ''}"
            return self._none(symbol, ts, Abstention.MISSING_FEATURES, why)
        drifted = self.drifted()
        if drifted is not None:
            why = drifted.told(self._settings.drift_limit)
            return self._none(symbol, ts, Abstention.DRIFTED, why)
        return self._opinion(bundle, symbol, ts, row)

    def _expired(self, bundle: Bundle, symbol: str, ts: int) -> Advice:
        why = f"valid until {bundle.manifest.expires:%Y-%m-%d %H:%M} UTC"
        return self._none(symbol, ts, Abstention.EXPIRED, why)

    def _opinion(self, bundle: Bundle, symbol: str, ts: int, row: Floats) -> Advice:
        score = bundle.predictor.one(row)
        if not math.isfinite(score):
            return self._none(symbol, ts, Abstention.FAILED, f"its score is {score}")
        found = bundle.opinion(score)
        return Advice(
            symbol=symbol,
            ts=ts,
            model=bundle.id,
            score=score,
            probability=found.probability,
            low=found.low,
            high=found.high,
            about_signal=bundle.about_signal,
        )

    def _ready(self, symbol: str, ts: int) -> bool:
        return (
            symbol in self._symbols
            and self._features.ts(symbol) == ts
            and self._features.seen(symbol) > self.memory
        )

    def _none(self, symbol: str, ts: int, abstention: Abstention, why: str) -> Advice:
        model = "" if self._bundle is None else self._bundle.id
        return Advice(symbol=symbol, ts=ts, model=model, abstention=abstention, why=why)
