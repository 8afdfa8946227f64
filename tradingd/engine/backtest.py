"""Run one strategy over stored data, bars or order books, and return what it did."""

from collections.abc import Callable

from tradingd.domain.advice import Advisor
from tradingd.domain.ports import BarChunk, BarFeed, BorrowModel, CommissionModel, SlippageModel
from tradingd.domain.records import Recorder
from tradingd.engine.bar_market import BarMarket
from tradingd.engine.books.market import BookMarket
from tradingd.engine.books.stream import BookFeed, BookSlice
from tradingd.engine.plan import BacktestPlan as BacktestPlan
from tradingd.engine.run import Outcome as Outcome
from tradingd.engine.run import Run
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.session.calendar import SessionCalendar


def run_backtest(
    *,
    plan: BacktestPlan,
    feed: BarFeed,
    strategy: Strategy,
    gate: Gate,
    book: Book,
    commissions: CommissionModel,
    slippage: SlippageModel,
    borrow: BorrowModel,
    calendar: SessionCalendar,
    recorder: Recorder,
    progress: Callable[[int], None] = lambda _rows: None,
    advisor: Advisor | None = None,
) -> Outcome:
    """Run a strategy over a feed of bars and return what it did.

    Memory is bounded by the feed's chunks: bars are dropped and closed orders purged after each,
    records go to the recorder as they happen. Open positions stay open and marked at the end;
    working orders expire. `advisor` answers the strategy's questions for advice.

    Raises
    ------
    Failure
        STRATEGY_FAILED, chained to the exception a strategy's handler raised; ENGINE_FAILED when
        our own code failed or book and engine disagree at the end.
    """
    run: Run[BarChunk] = Run(
        market=lambda shared: BarMarket(shared, feed, slippage),
        plan=plan,
        strategy=strategy,
        gate=gate,
        book=book,
        commissions=commissions,
        borrow=borrow,
        calendar=calendar,
        recorder=recorder,
        advisor=advisor,
    )
    return run.over(feed.chunks(), progress)


def run_book_backtest(
    *,
    plan: BacktestPlan,
    feed: BookFeed,
    strategy: Strategy,
    gate: Gate,
    book: Book,
    commissions: CommissionModel,
    borrow: BorrowModel,
    calendar: SessionCalendar,
    recorder: Recorder,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Outcome:
    """Run a strategy over recorded order books and return what it did.

    As `run_backtest`, with the book in place of slippage and participation: those settings of
    the plan do not apply. Orders are not worked (`plan.style`); `rows` counts books.

    Raises
    ------
    Failure
        As `run_backtest`; CONFIG for a strategy that trades on bars.
    """
    run: Run[BookSlice] = Run(
        market=lambda shared: BookMarket(shared, feed),
        plan=plan,
        strategy=strategy,
        gate=gate,
        book=book,
        commissions=commissions,
        borrow=borrow,
        calendar=calendar,
        recorder=recorder,
    )
    return run.over(feed.slices(), progress)
