"""Where every step of an order and every change of state is told: log, events, alerts."""

import logging
from collections.abc import Callable

from tradingd.control.events import EventHub
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.money import decimal
from tradingd.domain.states import MEND_STEP, RECONCILIATION, StateRecord, TradingState
from tradingd.domain.trading import OrderEvent, Step

log = logging.getLogger("tradingd.orders")

_LEVELS = {Step.UNKNOWN: logging.WARNING, Step.REJECTED: logging.WARNING, Step.LOST: logging.ERROR}


class Teller:
    """Tells people and programs what happens.

    Parameters
    ----------
    events : EventHub
        The operator's event stream.
    emit : Callable
        The alert router.
    now, wall : Callable
        Session time and wall time, UTC ns.
    denial : Callable
        Hears the name of each limit that denied an order.
    """

    def __init__(
        self,
        events: EventHub,
        emit: Emit,
        now: Callable[[], int],
        wall: Callable[[], int],
        denial: Callable[[str], None],
    ) -> None:
        self._events = events
        self._emit = emit
        self._now = now
        self._wall = wall
        self._denial = denial
        self.fills = 0
        self.denied = 0

    def order(self, event: OrderEvent) -> None:
        """Tell one step of an order."""
        order = event.order
        self.fills += event.step is Step.FILL
        if event.step is Step.DENIED:
            self.denied += 1
            for limit in order.note.split(", "):
                self._denial(limit)
        text = self._text(event)
        fields = {
            "event": event.step.value,
            "order_id": order.order_id,
            "symbol": order.symbol,
            "strategy": order.strategy,
            "side": order.side,
            "quantity": str(order.quantity),
        }
        log.log(_LEVELS.get(event.step, logging.INFO), "%s", text, extra={"fields": fields})
        self._events.publish(
            event.step.value,
            text,
            wall=self._wall(),
            ts=self._now(),
            fields={
                "order_id": order.order_id,
                "symbol": order.symbol,
                "strategy": order.strategy,
            },
        )
        if event.step is Step.FILL:
            self._emit(Alert(key=event.fill_id or text, severity=Severity.TRADE, title=text))

    def state(self, record: StateRecord, before: str) -> None:
        """Tell a change of a trading state."""
        text = f"{record.scope}: {before} -> {record.state} by {record.author}: {record.reason}"
        fields = {"event": "state", "scope": str(record.scope), "state": record.state.value}
        log.warning("%s", text, extra={"fields": fields})
        self._events.publish("state", text, wall=self._wall(), ts=self._now())
        stops = record.state in (TradingState.HALTED, TradingState.FLATTENING)
        self._emit(
            Alert(
                key=f"state:{record.scope}",
                severity=Severity.PAGE if stops else Severity.INFO,
                title=text,
                next_step=_next_step(record),
                resolved=record.state is TradingState.RUNNING,
            )
        )

    def note(self, kind: str, text: str, *, level: int = logging.INFO) -> None:
        """Tell something that is neither an order nor a state."""
        log.log(level, "%s", text, extra={"fields": {"event": kind}})
        self._events.publish(kind, text, wall=self._wall(), ts=self._now())

    @staticmethod
    def _text(event: OrderEvent) -> str:
        order = event.order
        what = f"{order.side} {order.quantity} {order.symbol}"
        if event.step is Step.FILL and event.fill is not None:
            fill = event.fill
            price = f"{decimal(fill.price):.4f}".rstrip("0").rstrip(".")
            return f"fill {fill.side} {fill.quantity} {fill.symbol} @ {price} ({order.reason})"
        # What happened comes before why it was wanted: a narrow screen cuts the end.
        detail = f": {event.detail}" if event.detail and event.detail != order.reason else ""
        return f"{event.step} {order.purpose} {what} {order.type}{detail} ({order.reason})"


def _next_step(record: StateRecord) -> str:
    """Return what a person does about a state: where journal and broker differ, how to mend it."""
    halted = record.state is TradingState.HALTED and record.author == RECONCILIATION
    return MEND_STEP if halted else "tradingctl status"
