"""Whether a broker takes an order of this kind at all, told before anything is sent; pure."""

from tradingd.domain.broker_requests import Capabilities
from tradingd.domain.orders import Denial, OrderType
from tradingd.orders.ticket import Ticket


def refusal(ticket: Ticket, takes: Capabilities, broker: str) -> Denial | None:
    """Return why a broker takes no order of this kind; None when it does.

    Whether type, time in force and session go together is the broker's own matter.
    """
    if ticket.type not in takes.types:
        return _denied(f"type {ticket.type}", _words(takes.types), broker)
    if ticket.time_in_force not in takes.times_in_force:
        return _denied(
            f"time in force {ticket.time_in_force}", _words(takes.times_in_force), broker
        )
    if ticket.extended_hours and not takes.extended_hours:
        return _denied("extended hours", "orders of the regular session", broker)
    return _trailing(ticket)


def _trailing(ticket: Ticket) -> Denial | None:
    distances = [one for one in (ticket.trail, ticket.trail_bps) if one is not None]
    if ticket.type is not OrderType.TRAILING_STOP and not distances:
        return None
    if ticket.type is OrderType.TRAILING_STOP and len(distances) == 1 and distances[0] > 0:
        return None
    return Denial(
        limit="broker",
        observed=f"{ticket.type} with trail {ticket.trail} and trail_bps {ticket.trail_bps}",
        allowed="a trailing stop with one positive distance, in dollars or in basis points",
        explanation="a trailing stop needs the one distance it keeps, and no other order has one",
    )


def _denied(observed: str, allowed: str, broker: str) -> Denial:
    explanation = f"the {broker} broker does not take {observed}; it takes {allowed}"
    return Denial(limit="broker", observed=observed, allowed=allowed, explanation=explanation)


def _words(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(kinds))
