"""Cash that belongs to no symbol: fees, interest and transfers as brokers book them."""

from pathlib import Path

import pytest

from tests.crash.life import Process
from tests.integration.orders.shim_bench import CENT, DOLLAR, held, opened, play, rows, stands
from tradingd.domain.broker_reports import AdjustmentUpdate


def cash(kind: str, amount: int) -> AdjustmentUpdate:
    return AdjustmentUpdate(
        adjustment_id=f"activity-{kind}", kind=kind, symbol="", shares=0, cash=amount, ts=1
    )


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("fee", -3 * CENT),
        ("interest", 12 * CENT),
        ("transfer", 5_000 * DOLLAR),
        ("dividend", DOLLAR),
        ("split", DOLLAR),
    ],
)
def test_cash_without_a_symbol_moves_cash_and_no_position(
    folder: Path, kind: str, amount: int
) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        before = process.book.cash
        gained = process.book.equity - process.book.session_start_equity
        adjustments = process.shim._parts.adjustments
        assert adjustments.apply(cash(kind, amount))
        assert not adjustments.apply(cash(kind, amount))
        assert process.book.cash - before == amount
        earned = 0 if kind == "transfer" else amount
        assert process.book.equity - process.book.session_start_equity - gained == earned
        assert held(process) == 100
        (stop,) = await stands(process, 1)
        assert (stop.quantity, stop.stop) == (100, 98 * DOLLAR)
        assert process.states.snapshot() == ()

    play(folder, scene)
    assert rows(folder, "SELECT kind, symbol, shares, cash FROM adjustments") == [
        (kind, "", 0, amount)
    ]
