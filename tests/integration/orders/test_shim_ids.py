"""Who owns what is told by the broker alone, when the journal is lost or is yesterday's."""

import shutil
from pathlib import Path
from typing import Any

from tests.crash.life import Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    held,
    leave,
    opened,
    play,
    resting,
    rows,
    stands,
    until,
    wish,
)
from tradingd.domain.states import TradingState
from tradingd.orders.naming import LegLetter, parse

LONG = "a_strategy_with_a_name_that_no_order_id_can_hold_in_full"


def letters(process: Process) -> dict[str, str]:
    """Return the leg that each known order's id tells, with its purpose and type."""
    found = {}
    for row in process.shim.known_orders():
        name = parse(row.order_id)
        assert name is not None
        found[name.leg.value] = f"{name.strategy} {row.purpose} {row.type}"
    return found


def test_every_order_says_what_it_is_in_its_id(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, take_profit=105 * DOLLAR)
        process.shim.submit(leave(process, 40))
        await until(lambda: held(process) == 60)
        await stands(process, 2)
        assert letters(process) == {
            "E": "swing ENTRY MARKET",
            "S": "swing PROTECT STOP_MARKET",
            "T": "swing PROTECT LIMIT",
            "X": "swing EXIT MARKET",
        }
        early = parse(process.shim.next_id())
        assert early is not None
        assert (early.strategy, early.leg) == ("", LegLetter.ORDER)

    play(folder, scene)


def lose(folder: Path) -> None:
    for file in folder.glob("journal.sqlite*"):
        file.unlink()
    (folder / "audit.head").unlink(missing_ok=True)


async def everywhere(process: Process) -> None:
    """Hold AAA for swing, guarded, and BBB for a long name; an entry of CCC works."""
    await opened(process, take_profit=110 * DOLLAR)
    process.shim.submit(wish(process, quantity=7, symbol="BBB", strategy=LONG))
    process.shim.submit(leave(process, 10))
    await until(lambda: held(process) == 90 and held(process, "BBB") == 7)
    process.shim.submit(resting(process, symbol="CCC", strategy="intraday", quantity=3))
    await stands(process, 3)


async def taken_over(process: Process) -> None:
    assert process.shim.reconciliation.mismatches
    assert any("ours by its id" in text for text in process.shim.reconciliation.foreign)
    assert process.states.snapshot()[0].state is TradingState.HALTED
    told = await process.shim.adopt(reason="the disk is gone", author="op")
    assert any("of swing" in text for text in told)
    assert process.shim.reconciliation.clean, process.shim.reconciliation
    await stands(process, 3)
    assert dict(process.shim.owners()) == {SYMBOL: "swing", "BBB": LONG}
    assert process.shim.stop_price(SYMBOL) == 98 * DOLLAR
    assert process.shim.unprotected() == []
    assert (held(process), held(process, "BBB")) == (90, 7)
    working = {row.symbol + row.type: row for row in process.shim.open_orders()}
    assert working["CCCLIMIT"].strategy == "intraday"
    assert {row.purpose for row in working.values()} == {"ENTRY", "PROTECT"}
    # What was adopted is guarded on: a later exit takes stop and target along.
    process.states.set(process.states.snapshot()[0].__class__(**_running()))
    process.shim.submit(leave(process, 90))
    await until(lambda: held(process) == 0)
    await stands(process, 1)


def _running() -> dict[str, Any]:
    from tradingd.domain.states import Scope

    return {
        "scope": Scope(),
        "state": TradingState.RUNNING,
        "reason": "adopted",
        "author": "op",
        "since": 2**62,
    }


def test_a_lost_journal_is_rebuilt_with_every_owner_from_the_ids(folder: Path) -> None:
    play(folder, everywhere)
    lose(folder)
    play(folder, taken_over, strategies=("intraday", "swing", LONG))
    bought = rows(
        folder, "SELECT strategy, sum(quantity) FROM fills WHERE side = 'BUY' GROUP BY strategy"
    )
    assert sorted(bought) == sorted([("swing", 100), (LONG, 7)])
    assert rows(folder, "SELECT DISTINCT purpose FROM fills WHERE side = 'SELL'") == [("EXIT",)]


def test_a_journal_of_yesterday_is_completed(folder: Path) -> None:
    async def first(process: Process) -> None:
        await process.batch({})

    play(folder, first)
    shutil.copy(folder / "journal.sqlite", folder / "yesterday.sqlite")
    play(folder, everywhere)
    lose(folder)
    shutil.copy(folder / "yesterday.sqlite", folder / "journal.sqlite")
    play(folder, taken_over, strategies=("intraday", "swing", LONG))


def test_without_the_list_of_strategies_a_short_name_is_told_all_the_same(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.shim.adopt(reason="the disk is gone", author="op")
        assert process.shim.reconciliation.clean
        assert process.shim.owners()[SYMBOL] == "swing"

    play(folder, opened)
    lose(folder)
    play(folder, scene)
