"""What the daemon's own jobs do, and the journal's latest round trips."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tradingd.app.trading.views import money, price
from tradingd.control.answers import TradeView
from tradingd.daemon.jobs import SessionWork
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.journal import EquityRow, TripRow
from tradingd.domain.states import Scope, TradingState
from tradingd.journal.queries import Asked, read
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


def session_work(session: "TradingSession") -> SessionWork:
    """Return the work of the in-process jobs."""

    async def opened(due: int) -> str:
        named = [one.symbol for one in session.feed.instruments()]
        with contextlib.suppress(BrokerUnavailable):
            # What was known yesterday stands; the broker's own check tells that it is away.
            await session.market.ask(session.broker, named)
        peak = money(session.book.day_peak)
        session.teller.note("session", f"session open, equity {peak}")
        return f"equity {peak}"

    async def flatten(due: int) -> str:
        before = session.keeper.current(Scope())
        open_ = before in (TradingState.RUNNING, TradingState.FLATTENING)
        then = TradingState.FLAT if open_ else before
        flat = await session.flattener.flatten(
            Scope(), reason="flatten before the close", author="schedule", then=then
        )
        if flat:
            return "flat"
        raise Failure("positions are not proven flat", code=ExitCode.NOT_FLAT)

    async def snapshot(due: int) -> str:
        session.shim.save_book()
        return ""

    async def reconcile(due: int) -> str:
        found = await session.shim.reconcile()
        if not found.clean:
            texts = "; ".join((*found.mismatches, *found.foreign)) or "incomplete"
            raise Failure(f"journal and broker differ: {texts}", code=ExitCode.RECONCILE)
        return "journal and broker agree"

    async def closed(due: int) -> str:
        book = session.book
        session.journal.write(
            EquityRow(
                run_id=session.identity.run_id,
                equity=book.equity,
                cash=book.cash,
                positions=len(book.positions()),
                day_peak=book.day_peak,
                ts=due,
                wall=session.wall(),
            )
        )
        await _reopen(session)
        return f"equity {money(book.equity)}, {book.trades_today} trades"

    return SessionWork(
        open=opened, flatten=flatten, snapshot=snapshot, reconcile=reconcile, close=closed
    )


async def _reopen(session: "TradingSession") -> None:
    """End the FLAT of the evening: it was set by the schedule, for the rest of its day."""
    record = session.states.of(Scope(), session.wall())
    if record is None or record.state is not TradingState.FLAT or record.author != "schedule":
        return
    await session.keeper.set(
        session.keeper.now(
            Scope(),
            TradingState.RUNNING,
            reason="the session is over",
            author="schedule",
            minutes=None,
        )
    )


async def recent_trades(journal: Path, last: int) -> Sequence[TradeView]:
    """Return the latest round trips of an instance, newest last."""
    page = await asyncio.to_thread(read, journal, TripRow, Asked(last=last))
    return [_trade(row) for row in page.rows]


def _trade(row: TripRow) -> TradeView:
    return TradeView(
        symbol=row.symbol,
        strategy=row.strategy,
        side=row.side,
        quantity=row.quantity,
        entry_price=price(row.entry_price) or "",
        exit_price=price(row.exit_price) or "",
        net=money(row.realised),
        ts_opened=row.ts_opened,
        ts_closed=row.ts_closed,
        entry_reason=row.entry_reason,
        exit_reason=row.exit_reason,
    )
