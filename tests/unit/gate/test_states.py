import pytest

from tradingd.domain.journal import StateRow
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.gate.states import TradingStates, journaled

ACCOUNT = Scope()


def record(state: TradingState, scope: Scope = ACCOUNT, expires: int | None = None) -> StateRecord:
    return StateRecord(
        scope=scope, state=state, reason="drill", author="op", since=1, expires=expires
    )


def intent(purpose: Purpose = Purpose.ENTRY, strategy: str = "s", symbol: str = "A") -> OrderIntent:
    return OrderIntent(
        order_id="1",
        strategy=strategy,
        symbol=symbol,
        side=Side.BUY,
        quantity=1,
        type=OrderType.MARKET,
        price=1,
        purpose=purpose,
        reason="r",
        ts=1,
    )


REDUCES, INCREASES = False, True
PASSES = {
    TradingState.RUNNING: {(p, i) for p in Purpose for i in (True, False)},
    TradingState.PAUSED: {(p, REDUCES) for p in Purpose},
    TradingState.FLAT: {(p, REDUCES) for p in Purpose},
    TradingState.FLATTENING: {(Purpose.PROTECT, REDUCES)},
    TradingState.HALTED: {(Purpose.PROTECT, REDUCES)},
}
CASES = [(s, p, i) for s in TradingState for p in Purpose for i in (REDUCES, INCREASES)]


@pytest.mark.parametrize(
    ("state", "purpose", "increase"),
    CASES,
    ids=[f"{s}-{p}-{'increases' if i else 'reduces'}" for s, p, i in CASES],
)
def test_a_state_lets_out_exactly_what_its_table_says(
    state: TradingState, purpose: Purpose, increase: bool
) -> None:
    states = TradingStates([record(state)])
    passes = purpose is Purpose.CORPORATE or (purpose, increase) in PASSES[state]
    denial = states.judge(intent(purpose), increase, now=5)
    assert (denial is None) is passes
    if denial is not None:
        assert denial.limit == "state"
        assert "drill" in denial.explanation


@pytest.mark.parametrize("scope", [Scope("strategy", "s"), Scope("symbol", "A")], ids=str)
def test_a_scope_holds_back_its_own_orders_only(scope: Scope) -> None:
    states = TradingStates([record(TradingState.HALTED, scope)])
    assert states.judge(intent(), True, 5) is not None
    assert states.judge(intent(strategy="other", symbol="B"), True, 5) is None


def test_the_most_restrictive_of_three_scopes_counts() -> None:
    states = TradingStates(
        [
            record(TradingState.PAUSED),
            record(TradingState.HALTED, Scope("symbol", "A")),
            record(TradingState.FLAT, Scope("strategy", "s")),
        ]
    )
    effective = states.effective("s", "A", 5)
    assert effective is not None
    assert effective.state is TradingState.HALTED
    other = states.effective("s", "B", 5)
    assert other is not None
    assert other.state is TradingState.FLAT


def test_a_state_ends_when_its_time_is_over() -> None:
    states = TradingStates([record(TradingState.HALTED, expires=10)])
    assert states.judge(intent(), True, 9) is not None
    assert states.judge(intent(), True, 10) is None
    assert [over.state for over in states.expire(10)] == [TradingState.HALTED]
    assert states.snapshot() == ()


def test_running_or_clearing_ends_a_state() -> None:
    states = TradingStates(
        [record(TradingState.HALTED), record(TradingState.PAUSED, Scope("symbol", "A"))]
    )
    states.set(record(TradingState.RUNNING))
    states.clear(Scope("symbol", "A"))
    assert states.snapshot() == ()


def test_states_come_back_from_their_rows_the_last_of_a_scope_in_force() -> None:
    states = TradingStates()
    halted = record(TradingState.HALTED, Scope("strategy", "s"), expires=99)
    states.restore(
        [journaled(record(TradingState.PAUSED, Scope("strategy", "s"))), journaled(halted)]
    )
    assert states.snapshot() == (halted,)


def test_a_row_of_an_unknown_scope_is_refused() -> None:
    row = StateRow(
        scope="planet", name="", state="HALTED", reason="r", author="a", since=1, expires=None
    )
    with pytest.raises(ValueError, match="Invalid enum value 'planet'"):
        TradingStates().restore([row])
