import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.crash.life import SETTINGS, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    MINUTE,
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
    working,
)
from tradingd.domain.orders import Purpose, Side
from tradingd.domain.states import Scope, StateRecord, TradingState

ACCOUNT = Scope()


def halted(scope: Scope = ACCOUNT, state: TradingState = TradingState.HALTED) -> StateRecord:
    return StateRecord(scope=scope, state=state, reason="drill", author="op", since=1)


def test_an_entry_travels_from_intent_to_fill_and_every_step_is_told_in_order(folder: Path) -> None:
    async def scene(process: Process) -> list[str]:
        steps: list[str] = []
        process.shim.listen(lambda event: steps.append(event.step.value))
        await process.batch({})
        admission = process.shim.submit(wish(process))
        assert admission.allowed
        await until(lambda: process.shim.order(admission.order_id).state == "FILLED")
        assert held(process) == 100
        assert process.shim.owners() == {SYMBOL: "swing"}
        return steps

    steps = play(folder, scene)
    assert steps[:2] == ["intent", "sent"]
    assert sorted(steps[2:]) in (["accepted", "fill"], ["fill"])
    assert rows(folder, "SELECT state, filled FROM orders") == [("FILLED", 100)]
    assert rows(folder, "SELECT count(*) FROM signals") == [(1,)]


def test_a_denied_wish_is_recorded_with_every_broken_limit_and_goes_nowhere(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        admission = process.shim.submit(wish(process, symbol="ZZZ"))
        assert not admission.allowed
        assert process.shim.order(admission.order_id).state == "DENIED"
        assert await working(process) == []

    play(folder, scene)
    assert rows(folder, "SELECT state FROM orders") == [("DENIED",)]
    assert rows(
        folder, "SELECT limit_key FROM decisions" if False else 'SELECT "limit" FROM decisions'
    ) == [("max_mark_age_seconds",)]
    assert rows(folder, "SELECT action FROM signals") == [("ENTRY BUY",)]


def test_nothing_is_sent_before_its_intent_is_on_disk(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        process.writer.hold(0.3)
        admission = process.shim.submit(resting(process))
        await asyncio.sleep(0.1)
        assert await working(process) == []
        assert rows(folder, "SELECT count(*) FROM orders") == [(0,)]
        await stands(process, 1)
        assert process.shim.order(admission.order_id).state == "WORKING"

    play(folder, scene)


def test_a_halt_between_intent_and_send_stops_the_order(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        process.writer.hold(0.1)
        admission = process.shim.submit(resting(process))
        process.states.set(halted())
        await until(lambda: process.shim.order(admission.order_id).state == "CANCELED")
        assert process.shim.order(admission.order_id).note.startswith("halted before sending")
        assert process.book.pending_long == 0
        assert await working(process) == []

    play(folder, scene)


def test_an_unarmed_live_session_sends_nothing(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        admission = process.shim.submit(wish(process))
        assert [denial.limit for denial in admission.verdict.denials] == ["arm"]

    play(folder, scene, armed=lambda: "the arm token has expired")


def test_an_unknown_outcome_is_settled_by_asking_and_never_sent_again(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        await process.client.misbehave({"script": {"submit": ["drop_response"]}})
        admission = process.shim.submit(resting(process))
        await until(lambda: process.shim.order(admission.order_id).state == "WORKING")
        assert len(await process.client.all_orders()) == 1

    play(folder, scene)


def test_an_order_that_is_absent_long_enough_is_lost_and_its_claim_released(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        await process.client.misbehave({"script": {"submit": ["drop_request"]}})
        admission = process.shim.submit(resting(process))
        await until(lambda: process.shim.order(admission.order_id).state == "UNKNOWN")
        assert [row.order_id for row in process.shim.unknown_orders()] == [admission.order_id]
        assert process.book.pending_long > 0
        await until(lambda: process.shim.order(admission.order_id).state == "LOST")
        assert process.book.pending_long == 0
        assert await process.client.all_orders() == []
        assert process.shim.broker_errors(2**62) == 0

    play(folder, scene)


def test_a_lost_entry_that_appears_later_is_taken_up_and_cancelled(folder: Path) -> None:
    async def scene(process: Process) -> list[str]:
        steps: list[str] = []
        await process.batch({})
        process.shim.listen(lambda event: steps.append(event.step.value))
        late = {"fault": "delay", "seconds": 0.8}
        await process.client.misbehave({"script": {"submit": [late]}})
        order_id = process.shim.submit(resting(process)).order_id
        await until(lambda: "lost" in steps)
        await until(lambda: process.shim.order(order_id).state == "CANCELED")
        assert await working(process) == []
        return steps

    steps = play(folder, scene)
    assert steps.index("lost") < steps.index("recovered") < steps.index("canceled")


def test_a_lost_entry_that_filled_is_booked_and_protected(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        late = {"fault": "delay", "seconds": 0.8}
        await process.client.misbehave({"script": {"submit": [late]}})
        order_id = process.shim.submit(wish(process, protective_stop=98 * DOLLAR)).order_id
        await until(lambda: process.shim.order(order_id).state == "LOST")
        await until(lambda: held(process) == 100)
        (stop,) = await stands(process, 1)
        assert stop.stop == 98 * DOLLAR
        assert process.shim.order(order_id).state == "FILLED"

    play(folder, scene)


def test_a_rejected_order_releases_what_it_claimed(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        await process.client.misbehave({"script": {"submit": ["reject"]}})
        order_id = process.shim.submit(resting(process)).order_id
        await until(lambda: process.shim.order(order_id).state == "REJECTED")
        assert process.book.pending_long == 0
        assert process.shim.broker_errors(0) == 1

    play(folder, scene)


def test_a_cancel_is_asked_again_until_the_order_is_over(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        await stands(process, 1)
        await process.client.misbehave({"script": {"cancel": ["drop_request", "reject"]}})
        assert process.shim.cancel(order_id, reason="a test")
        await until(lambda: process.shim.order(order_id).state == "CANCELED")
        assert not process.shim.cancel(order_id, reason="again")
        assert await working(process) == []

    play(folder, scene)


def test_an_order_cancelled_before_it_left_is_never_sent(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        assert process.shim.cancel(order_id, reason="at once")
        assert process.shim.order(order_id).state == "CANCELED"
        await process.reconcile()
        assert await process.client.all_orders() == []

    play(folder, scene)


@pytest.mark.parametrize("fault", ["ok", "drop_response", "drop_request", "reject"])
def test_after_a_replace_the_order_is_what_the_broker_has(folder: Path, fault: str) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        await stands(process, 1)
        await process.client.misbehave({"script": {"replace": [fault]}})
        verdict = process.shim.replace(order_id, quantity=50, limit=91 * DOLLAR, reason="nearer")
        assert verdict.allowed
        await until(
            lambda: bool(rows(folder, "SELECT 1 FROM order_events WHERE step LIKE 'repl%'"))
        )
        (there,) = await working(process)
        ours = process.shim.order(order_id)
        assert (ours.quantity, ours.limit) == (there.quantity, there.limit)
        changed = fault in ("ok", "drop_response")
        assert there.quantity == (50 if changed else 100)
        assert process.book.pending_long == there.quantity * there.limit

    play(folder, scene)


def test_a_replace_that_breaks_a_limit_is_denied_and_the_order_stays(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        await stands(process, 1)
        process.states.set(halted(state=TradingState.PAUSED))
        verdict = process.shim.replace(order_id, quantity=200, reason="more")
        assert [denial.limit for denial in verdict.denials] == ["state"]
        assert (await working(process))[0].quantity == 100
        assert process.book.pending_long == 100 * 90 * DOLLAR

    play(folder, scene)


def test_an_exit_is_cut_to_what_is_held_and_not_leaving(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process, protective_stop=None)
        first = process.shim.submit(leave(process, 70)).order_id
        second = process.shim.submit(leave(process, 70)).order_id
        third = process.shim.submit(leave(process, 70))
        assert [denial.limit for denial in third.verdict.denials] == ["position"]
        assert process.shim.order(second).quantity == 30
        await until(lambda: held(process) == 0)
        assert process.shim.order(first).filled == 70
        assert process.shim.owners() == {}

    play(folder, scene)
    assert rows(folder, "SELECT quantity, strategy FROM trips") == [(100, "swing")]


def test_an_order_expires_in_data_time(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        due = process.clock.now() + 2 * MINUTE
        order_id = process.shim.submit(resting(process, expires=due)).order_id
        await stands(process, 1)
        await process.batch({})
        assert process.shim.order(order_id).state == "WORKING"
        await process.batch({})
        await until(lambda: process.shim.order(order_id).state == "CANCELED")

    play(folder, scene)


def test_entries_wait_for_approval_and_exits_do_not(folder: Path) -> None:
    async def scene(process: Process) -> None:
        shim = process.shim
        await process.batch({})
        yes = shim.submit(wish(process)).order_id
        no = shim.submit(resting(process)).order_id
        late = shim.submit(resting(process)).order_id
        assert [row.order_id for row in shim.waiting_for_approval()] == [yes, no, late]
        assert await working(process) == []
        assert shim.approve(yes)
        assert shim.reject(no)
        assert not shim.approve(no)
        await until(lambda: held(process) == 100)
        shim.submit(leave(process))
        await until(lambda: held(process) == 0)
        for _ in range(3):
            await process.batch({})
        assert shim.order(late).note == "nobody approved it in time"
        assert shim.order(late).state == "CANCELED"

    play(folder, scene, approval="manual", approval_minutes=3)


def test_what_the_limits_deny_by_now_is_not_approved(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(wish(process)).order_id
        process.states.set(halted(Scope("symbol", SYMBOL)))
        assert not process.shim.approve(order_id)
        assert process.shim.order(order_id).note.startswith("denied when approved")

    play(folder, scene, approval="manual")


def test_cancel_all_leaves_protection_and_confirms_the_rest(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        ids = [process.shim.submit(resting(process, 80 + n)).order_id for n in range(5)]
        await stands(process, 6)
        over = await process.shim.cancel_all(Scope(), reason="drill", author="op")
        assert sorted(over) == sorted(ids)
        assert [order.stop for order in await working(process)] == [98 * DOLLAR]

    play(folder, scene)


def test_cancels_that_nobody_confirms_are_named(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        await stands(process, 1)
        await process.client.misbehave({"ops": ["cancel"], "probabilities": {"drop_request": 1}})
        assert await process.shim.cancel_all(Scope(), reason="drill", author="op") == []
        assert process.shim.unconfirmed == (order_id,)
        await process.client.misbehave({})
        await until(lambda: process.shim.order(order_id).state == "CANCELED", 10)

    settings = msgspec.structs.replace(SETTINGS, stop_grace_seconds=0.3)
    play(folder, scene, settings=settings)


def test_flatten_closes_and_proves_it_while_everything_else_is_held_back(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        process.shim.submit(resting(process))
        await stands(process, 2)
        process.states.set(halted(state=TradingState.FLATTENING))
        assert not process.shim.submit(leave(process)).allowed
        assert await process.shim.flatten(Scope(), reason="drill", author="op")
        assert held(process) == 0
        assert await process.client.positions() == []
        assert await working(process) == []

    play(folder, scene)
    assert rows(folder, "SELECT strategy, purpose FROM orders WHERE reason LIKE 'flatten%'") == [
        ("swing", "EXIT")
    ]


def test_flatten_of_one_strategy_leaves_the_others_alone(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        process.shim.submit(wish(process, symbol="BBB", strategy="other"))
        await until(lambda: held(process, "BBB") == 100)
        assert await process.shim.flatten(Scope("strategy", "swing"), reason="x", author="op")
        assert (held(process), held(process, "BBB")) == (0, 100)

    play(folder, scene)


def test_flatten_that_cannot_be_proven_says_so(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"ops": ["submit"], "probabilities": {"reject": 1}})
        assert not await process.shim.flatten(Scope(), reason="drill", author="op")
        await process.client.misbehave({})
        (stop,) = await stands(process, 1)
        assert stop.stop == 98 * DOLLAR

    settings = msgspec.structs.replace(SETTINGS, stop_grace_seconds=0.3)
    play(folder, scene, settings=settings)


def test_a_wish_without_sense_is_a_value_error(folder: Path) -> None:
    async def scene(process: Process) -> None:
        for changes in (
            {"reason": " "},
            {"quantity": 0},
            {"limit": 1},
            {"purpose": Purpose.PROTECT},
            {"side": Side.SELL, "stop": 1},
        ):
            with pytest.raises(ValueError, match=r"."):
                process.shim.submit(msgspec.structs.replace(wish(process), **changes))

    play(folder, scene)
