"""An exception in any handler ends the run with its traceback; nothing fails silently."""

import traceback

import pytest
from nautilus_trader.model import OrderSide, Quantity

from tests.integration.engine.engine_kit import PerShare, Script, Slip, Tables, daily, simulate
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
ROWS = daily("AAA", DAYS, [(100, 101, 99, 100)] * 5)


class BugError(Exception):
    """The author's mistake."""


def boom(*_):
    raise BugError("a bug")


def buy(s):
    s.enter("AAA", Side.BUY, 10, reason="go", stop=90)


class Begin(Script):
    on_begin = boom


class SessionOpen(Script):
    on_session_open = boom


class SessionClose(Script):
    on_session_close = boom


class Filled(Script):
    on_filled = boom


class EngineFilled(Script):
    on_order_filled = boom


class EngineEvent(Script):
    on_order_event = boom


class Accepted(Script):
    on_order_accepted = boom


class Opened(Script):
    on_position_opened = boom


class Ending(Script):
    on_end = boom


class Signalled(Script):
    on_signal = boom

    def on_begin(self):
        self.subscribe_signal("alarm")


def signal(s):
    s.publish_signal("alarm", "x", s.now)


def alert(s):
    s.clock.set_time_alert_ns("later", s.now + 5, boom)


def timer(s):
    s.clock.set_timer_ns("often", 3_600_000_000_000, callback=boom)


@pytest.mark.parametrize(
    ("strategy", "handler"),
    [
        (Script({2: boom}), "on_bar"),
        (Begin(), "on_begin"),
        (SessionOpen(), "on_session_open"),
        (SessionClose(), "on_session_close"),
        (Filled({0: buy}), "on_filled"),
        (EngineFilled({0: buy}), "on_order_filled"),
        (EngineEvent({0: buy}), "on_order_event"),
        (Accepted({0: buy}), "on_order_accepted"),
        (Opened({0: buy}), "on_position_opened"),
        (Ending(), "on_end"),
        (Signalled({1: signal}), "on_signal"),
        (Script({1: alert}), "timer later"),
        (Script({1: timer}), "timer often"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_exception_in_a_handler_fails_the_run_with_its_traceback(strategy, handler):
    with pytest.raises(Failure) as caught:
        simulate(strategy, ROWS)
    failure = caught.value
    assert failure.code is ExitCode.STRATEGY_FAILED
    assert handler in failure.where
    assert isinstance(failure.__cause__, BugError)
    assert "raise BugError" in "".join(traceback.format_exception(failure.__cause__))


def test_the_failure_names_the_time_of_the_bar():
    with pytest.raises(Failure) as caught:
        simulate(Script({2: boom}), ROWS)
    assert "2024-01-04 21:00:00 UTC" in caught.value.where


def test_nothing_of_the_strategy_runs_after_the_first_exception():
    strategy = Script({2: boom})
    with pytest.raises(Failure):
        simulate(strategy, ROWS)
    assert len(strategy.bars) == 3


def test_a_strategy_that_raises_in_the_first_chunk_never_sees_the_second():
    strategy, tables = Script({1: boom}), Tables()
    with pytest.raises(Failure):
        simulate(strategy, ROWS, stamps_per_chunk=2, tables=tables)
    assert tables.flushes == 1


def test_an_interrupt_in_a_handler_stays_an_interrupt():
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(Script({1: interrupt}), ROWS)


class BrokenFees(PerShare):
    def charge(self, *_):
        raise BugError("a fee bug")


class BrokenSlip(Slip):
    def per_share(self, *_):
        raise BugError("a slippage bug")


@pytest.mark.parametrize(
    "parts", [{"fees": BrokenFees()}, {"slip": BrokenSlip()}], ids=lambda parts: next(iter(parts))
)
def test_an_exception_in_a_cost_model_fails_the_run_as_ours(parts):
    with pytest.raises(Failure) as caught:
        simulate(Script({0: buy}), ROWS, **parts)
    assert caught.value.code is ExitCode.ENGINE_FAILED
    assert isinstance(caught.value.__cause__, BugError)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.enter("AAA", Side.BUY, 10, reason=" "),
        lambda s: s.enter("AAA", Side.BUY, 0, reason="none"),
        lambda s: s.enter("AAA", Side.BUY, 1.5, reason="a fraction"),
        lambda s: s.enter("ZZZ", Side.BUY, 10, reason="unknown"),
    ],
    ids=["no reason", "no shares", "a fraction of a share", "unknown symbol"],
)
def test_an_impossible_order_is_a_failure_of_the_strategy(call):
    with pytest.raises(Failure) as caught:
        simulate(Script({0: call}), ROWS)
    assert caught.value.code is ExitCode.STRATEGY_FAILED


def test_an_order_the_engine_refuses_is_recorded_with_its_reason():
    def half(s):
        instrument_id = s.cache.instrument_ids()[0]
        s.submit_order(s.order_factory.market(instrument_id, OrderSide.BUY, Quantity(1.5, 1)))

    ran = simulate(Script({0: half}), ROWS)
    (order,) = ran.tables.orders
    (denial,) = ran.tables.denials
    assert (order.status, order.denied_by, denial.limit) == ("DENIED", "engine", "engine")
    assert "PRECISION" in denial.explanation


def test_a_book_that_disagrees_with_the_engine_is_refused():
    def lose_a_cent_more(s):
        s._runtime.book.cash_movement("AAA", 20_000_000, "dividend")

    with pytest.raises(Failure) as caught:
        simulate(Script({2: lose_a_cent_more}), ROWS)
    assert caught.value.code is ExitCode.ENGINE_FAILED
    assert "cash" in caught.value.what
