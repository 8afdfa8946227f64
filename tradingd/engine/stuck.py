"""Market orders that rest for ever without a reason: a bug of ours, never a result."""

from collections.abc import Iterable
from typing import Final

from tradingd.domain.orders import OrderType
from tradingd.engine.liquidity import Liquidity
from tradingd.engine.tape import Tape
from tradingd.engine.ticket import Stage, Ticket
from tradingd.kits.failure import ExitCode, Failure

MOST_BARS: Final = 2
"""Bars that could have filled a market order; with more of them behind it, it never will."""


def refuse_stuck(tickets: Iterable[Ticket], tape: Tape, liquidity: Liquidity, until: int) -> None:
    """Refuse a run in which the engine dropped the fill of a market order without a word.

    The venue fills a market order or rejects it for want of liquidity (then it continues at the
    next bar), so none works on while bars with volume pass. Counts the bars in memory up to
    `until`, UTC ns: call it before a chunk's bars are replaced.

    Raises
    ------
    Failure
        ENGINE_FAILED naming the order.
    """
    for ticket in tickets:
        if ticket.type is not OrderType.MARKET or ticket.stage is not Stage.WORKING:
            continue
        volumes = tape.volumes(ticket.symbol, ticket.arrived, until)
        chances = sum(liquidity.cap(volume) > 0 for volume in volumes)
        if chances > MOST_BARS:
            raise Failure(
                f"the engine never filled market order {ticket.order_id}",
                code=ExitCode.ENGINE_FAILED,
                where=f"{ticket.side} {ticket.leaves} {ticket.symbol} ({ticket.reason})",
                expected=f"a fill within {MOST_BARS} bars with volume",
                found=f"still working after {chances}",
                next_step="a bug: do not trust the result; keep the configuration that shows it",
            )
