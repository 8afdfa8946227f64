"""Turn the steps of orders into metrics; one listener for the shim."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from tradingd.domain.journal import OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill
from tradingd.domain.trading import OrderEvent, Step
from tradingd.telemetry.metrics import Metrics

_MOST_ORDERS: Final = 10_000
"""Orders whose times are kept; older ones lose their latency, nothing else."""

_FROM: Final = {
    Step.SENT: (Step.INTENT, "decision_to_sent"),
    Step.ACCEPTED: (Step.SENT, "sent_to_accepted"),
    Step.FILL: (Step.ACCEPTED, "accepted_to_fill"),
}


class OrderMetrics:
    """Listens to every step: counts, latencies, executions, denials.

    Parameters
    ----------
    metrics : Metrics
        What is told.
    expected : callable, optional
        Slippage in Nanos that the model predicts for an execution.
    """

    def __init__(
        self, metrics: Metrics, *, expected: Callable[[Fill], Nanos] | None = None
    ) -> None:
        self._metrics = metrics
        self._expected = expected
        self._times: OrderedDict[str, dict[Step, int]] = OrderedDict()

    def __call__(self, event: OrderEvent) -> None:
        """Take one step."""
        order = event.order
        self._metrics.order_step(event.step, order.strategy)
        self._time(event)
        if event.step is Step.FILL and event.fill is not None:
            self._fill(event.fill)
            if order.state == OrderState.FILLED:
                self._metrics.order_filled(order.strategy)
        if OrderState(order.state).final:
            self._times.pop(order.order_id, None)

    def _fill(self, fill: Fill) -> None:
        self._metrics.fill(
            fill.strategy,
            fill.side,
            quantity=fill.quantity,
            price=fill.price,
            commission=fill.commission,
            slippage=fill.slippage,
            expected=self._expected(fill) if self._expected else 0,
        )

    def _time(self, event: OrderEvent) -> None:
        if not event.wall:
            return
        times = self._times.setdefault(event.order.order_id, {})
        if len(self._times) > _MOST_ORDERS:
            self._times.popitem(last=False)
        before, stage = _FROM.get(event.step, (None, ""))
        # Only the first execution is timed: how long the rest takes is the market's affair.
        if before in times and event.step not in times:
            self._metrics.latency(stage, (event.wall - times[before]) / 1e9)
        times.setdefault(event.step, event.wall)
