"""What the engine writes to the journal: refusals of its own, equity samples."""

import asyncio
import time
from collections.abc import Callable

from tradingd.domain.journal import DecisionRow, EquityRow, Journal, Record
from tradingd.domain.orders import Denial
from tradingd.engine.live.present import Present
from tradingd.gate.book import Book


class Diary:
    """Writes rows without waiting for them; the journal's own health check tells of failures.

    Parameters
    ----------
    journal : Journal
        The one writer.
    run_id : str
        Part of every row.
    present : Present
        Session time.
    wall : Callable
        Time of day, UTC ns.
    """

    def __init__(
        self,
        journal: Journal,
        run_id: str,
        present: Present,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._journal = journal
        self._run_id = run_id
        self._present = present
        self._wall = wall

    def refusal(
        self,
        strategy: str,
        symbol: str,
        side: str,
        quantity: int,
        reason: str,
        denial: Denial,
        *,
        order_id: str = "",
    ) -> None:
        """Write what was refused before the gate saw it, or what a worked order did not get."""
        self._write(
            DecisionRow(
                run_id=self._run_id,
                order_id=order_id,
                strategy=strategy,
                symbol=symbol,
                side=side,
                quantity=quantity,
                reason=reason,
                limit=denial.limit,
                observed=denial.observed,
                allowed=denial.allowed,
                explanation=denial.explanation,
                ts=self._present.now(),
                wall=self._wall(),
            )
        )

    def equity(self, book: Book) -> None:
        """Write a sample of the account."""
        self._write(
            EquityRow(
                run_id=self._run_id,
                equity=book.equity,
                cash=book.cash,
                positions=len(book.positions()),
                day_peak=book.day_peak,
                ts=self._present.now(),
                wall=self._wall(),
            )
        )

    def _write(self, record: Record) -> None:
        asyncio.ensure_future(self._journal.write(record)).add_done_callback(_heard)


def _heard(written: asyncio.Future[None]) -> None:
    """Look at the result, so that the loop does not complain; the journal keeps the error."""
    if not written.cancelled():
        written.exception()
