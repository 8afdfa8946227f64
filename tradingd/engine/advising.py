"""Asks the run's model on behalf of strategies; whatever goes wrong in it is an abstention."""

from collections import Counter
from collections.abc import Callable, Mapping

from nautilus_trader.model import Bar

from tradingd.domain.advice import Abstention, Advice, Advisor, LiveAdvisor
from tradingd.domain.feed import Batch, Quote


class Advising:
    """Asks an advisor for the rows of the moment in hand.

    Parameters
    ----------
    advisor : Advisor, optional
        Who answers; without one every answer is an abstention.

    Attributes
    ----------
    moment : int
        Time of the bars that strategies were shown last, UTC ns: what is asked for. Not the time
        of the clock, which is later where bars arrive after they closed.
    answers : Counter
        How often it was asked, by the reason of the abstention; an empty one is an opinion.
    """

    def __init__(self, advisor: Advisor | None) -> None:
        self.moment = 0
        self.answers: Counter[str] = Counter()
        self._advisor = advisor

    @property
    def present(self) -> bool:
        """Whether there is somebody to ask."""
        return self._advisor is not None

    def advice(self, symbol: str) -> Advice:
        """Return the opinion on a symbol, or why there is none."""
        advisor = self._advisor
        if advisor is None:
            return Advice(
                symbol=symbol,
                ts=self.moment,
                abstention=Abstention.NO_MODEL,
                why="the run has no model",
            )
        found = self.asked(advisor, symbol)
        self.answers[found.abstention or ""] += 1
        return found

    def asked(self, advisor: Advisor, symbol: str) -> Advice:
        """Ask; in a backtest a failure is a failure of the run."""
        return advisor.advice(symbol, self.moment)

    def bars(self, read: Callable[[Bar], None]) -> Callable[[Bar], None]:
        """Return a reader that notes the moment of every bar first."""

        def noting(bar: Bar) -> None:
            self.moment = bar.ts_event
            read(bar)

        return noting


class LiveAdvising(Advising):
    """Shows the session to its advisor, behind a wall: nothing that fails in it stops trading.

    Parameters
    ----------
    advisor : LiveAdvisor, optional
        Who answers.
    on_failure : Callable
        Told once, of the first exception. What it remembers may be wrong from then on, so it is
        not asked again.
    """

    def __init__(
        self, advisor: LiveAdvisor | None, on_failure: Callable[[BaseException], None]
    ) -> None:
        super().__init__(advisor)
        self._live = advisor
        self._on_failure = on_failure
        self._failed = ""

    def observe(self, batch: Batch) -> None:
        """Show it the bars of a moment, before strategies see them."""
        self.moment = batch.ts
        self._guarded(lambda live: live.observe(batch))

    def observe_quote(self, quote: Quote) -> None:
        """Show it a quote."""
        self._guarded(lambda live: live.observe_quote(quote))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Tell it of a split, before the first bar after it."""
        self._guarded(lambda live: live.split(symbol, numerator, denominator))

    def asked(self, advisor: Advisor, symbol: str) -> Advice:
        """Ask; a failure is an abstention."""
        found: list[Advice] = []
        if not self._failed:
            self._guarded(lambda live: found.append(live.advice(symbol, self.moment)))
        if found:
            return found[0]
        return Advice(symbol=symbol, ts=self.moment, abstention=Abstention.FAILED, why=self._failed)

    def _guarded(self, call: Callable[[LiveAdvisor], object]) -> None:
        if self._live is None or self._failed:
            return
        try:
            call(self._live)
        except Exception as error:  # noqa: BLE001 - a model must never stop what protects positions
            self._failed = f"{type(error).__name__}: {error}"
            self._on_failure(error)


def told(answers: Mapping[str, int]) -> str:
    """Return the answers of a run in words; empty when nobody asked."""
    asked = sum(answers.values())
    if not asked:
        return ""
    reasons = [f"{count} {reason}" for reason, count in sorted(answers.items()) if reason]
    abstained = asked - answers.get("", 0)
    return f"the model was asked {asked} times and abstained {abstained} times" + (
        f" ({', '.join(reasons)})" if reasons else ""
    )
