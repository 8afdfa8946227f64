"""The engine's fee model: our dated schedules, asked once per fill, components kept."""

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nautilus_trader.execution import FeeModel
from nautilus_trader.model import Money, Price, Quantity

from tradingd.domain.orders import Purpose
from tradingd.domain.ports import CommissionModel, Fees
from tradingd.engine.faults import Faults
from tradingd.engine.ticket import Ticket
from tradingd.engine.units import money, nanos_of
from tradingd.session.calendar import local_date

NO_FEES = Fees()

_local_date = lru_cache(maxsize=64)(local_date)
_NANOSECONDS_PER_HOUR = 3_600_000_000_000


def trading_day(ts: int) -> dt.date:
    """Return the exchange-local date; cached by the hour, which no date change divides."""
    return _local_date(ts // _NANOSECONDS_PER_HOUR * _NANOSECONDS_PER_HOUR)


class VenueFees(FeeModel):
    """Charges the commission model per fill; the fill's record asks for the components after."""

    def __new__(cls, *_args: object, **_kwargs: object) -> "VenueFees":
        """Construct the engine's part, which takes no arguments."""
        made: VenueFees = super().__new__(cls)
        return made

    def __init__(
        self,
        *,
        commissions: CommissionModel,
        take: Callable[[Ticket, int], None],
        tickets: dict[str, Ticket],
        faults: Faults,
        now: Callable[[], int],
    ) -> None:
        self._commissions = commissions
        self._take = take
        self._tickets = tickets
        self._faults = faults
        self._now = now
        self._charged: dict[str, list[Fees]] = {}

    def get_commission(
        self, order: Any, fill_quantity: Quantity, fill_px: Price, _instrument: Any
    ) -> Money:
        """Return the fees of one fill, and use up the liquidity it took."""
        engine_id = order.client_order_id.value
        try:
            fees = self._charge(self._tickets[engine_id], int(fill_quantity), fill_px)
        except BaseException as error:  # noqa: BLE001 - the engine would lose the fill silently
            self._faults.record("fee model", self._now(), error, engine=True)
            fees = NO_FEES
        self._charged.setdefault(engine_id, []).append(fees)
        return money(fees.total)

    def pop(self, engine_id: str) -> Fees:
        """Return the components of the oldest fill not asked for yet."""
        waiting = self._charged[engine_id]
        fees = waiting.pop(0)
        if not waiting:
            del self._charged[engine_id]
        return fees

    def _charge(self, ticket: Ticket, quantity: int, fill_px: Price) -> Fees:
        if ticket.purpose is Purpose.CORPORATE:
            return NO_FEES
        self._take(ticket, quantity)
        return self._commissions.charge(
            ticket.order_id, ticket.side, quantity, nanos_of(fill_px), trading_day(self._now())
        )
