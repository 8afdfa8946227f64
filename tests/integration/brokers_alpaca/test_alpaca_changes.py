"""Changes at Alpaca make new orders: the chain is one order to us, rebuilt from Alpaca alone."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from tests.integration.brokers_alpaca.script import (
    NAME,
    ORDER_ID,
    Follower,
    Script,
    connected,
    execution,
    order,
    until,
)
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.domain.broker import Accepted, Outcome, Rejected, Unknown
from tradingd.domain.broker_reports import BrokerStatus, OrderUpdate
from tradingd.domain.money import SCALE

BY_NAME = ("GET", "/v2/orders:by_client_order_id")
PATCH = ("PATCH", f"/v2/orders/{ORDER_ID}")
FILLS = ("GET", "/v2/account/activities/FILL")
USD = SCALE

type Scene = Callable[[Script, AlpacaBroker, Follower], Coroutine[None, None, None]]

OLD = order(status="replaced", filled_qty="30", replaced_by="o-1")
NEW = order(id="o-1", client_order_id=f"{NAME}~1", qty="50", limit_price="101", replaces=ORDER_ID)


def play(scene: Scene) -> None:
    async def run() -> None:
        script = Script()
        async with connected(script) as (broker, follower):
            await scene(script, broker, follower)

    asyncio.run(run())


def named(orders: Mapping[str, Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], Any]:
    """Answer questions by client order id."""
    missing = (404, {"code": 40410000, "message": "order not found"})
    return lambda data: (
        (200, orders[data["client_order_id"]]) if (data["client_order_id"] in orders) else missing
    )


def exists(script: Script, *orders: Mapping[str, Any]) -> None:
    """Let orders be there, by both ids."""
    script.answers[BY_NAME] = named({str(one["client_order_id"]): one for one in orders})
    for one in orders:
        script.answers["GET", f"/v2/orders/{one['id']}"] = (200, one)


def test_a_change_asks_for_what_is_left_under_the_next_id() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order(status="partially_filled", filled_qty="30"))
        script.answers[PATCH] = (200, NEW)
        outcome = await broker.replace(NAME, quantity=80, limit=101 * USD, stop=None)
        assert outcome == Accepted("o-1")
        sent = [data for method, _, data in script.asked if method == "PATCH"]
        assert sent == [{"client_order_id": f"{NAME}~1", "qty": "50", "limit_price": "101"}]

    play(scene)


def test_an_order_is_told_with_all_its_changes_after_a_restart() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, OLD, {**NEW, "status": "partially_filled", "filled_qty": "5"})
        found = await broker.order(NAME)
        assert found is not None
        assert (found.quantity, found.filled, found.limit) == (80, 35, 101 * USD)
        assert (found.client_order_id, found.broker_order_id) == (NAME, "o-1")
        assert found.status is BrokerStatus.WORKING

    play(scene)


def test_working_orders_are_told_once_with_what_filled_before_the_change() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, OLD, NEW)
        script.answers["GET", "/v2/orders"] = (200, [NEW])
        [found] = await broker.open_orders()
        assert (found.client_order_id, found.quantity, found.filled) == (NAME, 80, 30)

    play(scene)


def test_a_change_whose_answer_was_lost_is_found_by_asking() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order())
        script.answers[PATCH] = (504, {"message": "gateway"})
        outcome = await broker.replace(NAME, quantity=50, limit=101 * USD, stop=None)
        assert isinstance(outcome, Unknown)
        assert script.count(*PATCH) == 1
        exists(script, order(status="replaced", replaced_by="o-1"), NEW)
        found = await broker.order(NAME)
        assert found is not None
        assert (found.quantity, found.limit, found.broker_order_id) == (50, 101 * USD, "o-1")

    play(scene)


def test_a_change_that_alpaca_has_taken_but_not_done_is_found_by_its_id() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        pending = order(status="pending_replace")
        exists(script, pending, {**NEW, "status": "pending_new"})
        found = await broker.order(NAME)
        assert found is not None
        assert (found.quantity, found.limit) == (50, 101 * USD)

    play(scene)


def test_a_late_change_is_told_by_its_event() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("new", order())
        exists(script, OLD, NEW)
        await script.tell("replaced", {**OLD, "updated_at": "2026-03-02T15:00:09Z"})

        def shown() -> bool:
            return any(
                isinstance(event, OrderUpdate)
                and (event.order.quantity, event.order.limit) == (80, 101 * USD)
                for event in follower.events
            )

        await until(shown)
        assert not any(
            event.order.status.final for event in follower.events if isinstance(event, OrderUpdate)
        )

    play(scene)


def test_an_id_that_is_taken_is_no_rejection_and_not_tried_again() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order())
        script.answers[PATCH] = (
            422,
            {"code": 40010001, "message": "client_order_id must be unique"},
        )
        first = await broker.replace(NAME, quantity=50, limit=None, stop=None)
        assert isinstance(first, Unknown)
        await broker.replace(NAME, quantity=50, limit=None, stop=None)
        sent = [data["client_order_id"] for method, _, data in script.asked if method == "PATCH"]
        assert sent == [f"{NAME}~1", f"{NAME}~2"]

    play(scene)


def test_an_order_that_is_not_there_cannot_be_changed_or_cancelled() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        outcomes: list[Outcome] = [
            await broker.replace(NAME, quantity=50, limit=None, stop=None),
            await broker.cancel(NAME),
            await broker.cancel_at_broker("nobody's"),
        ]
        assert all(isinstance(one, Rejected) for one in outcomes)
        script.answers[BY_NAME] = (500, "busy")
        assert isinstance(await broker.cancel(NAME), Unknown)

    play(scene)


def test_what_already_is_so_is_not_sent() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order())
        outcome = await broker.replace(NAME, quantity=100, limit=100 * USD, stop=None)
        assert outcome == Accepted(ORDER_ID)
        assert not [one for one in script.asked if one[0] == "PATCH"]

    play(scene)


def test_a_change_below_what_has_filled_is_refused_here() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order(status="partially_filled", filled_qty="30"))
        outcome = await broker.replace(NAME, quantity=30, limit=None, stop=None)
        assert isinstance(outcome, Rejected)
        wrong = await broker.replace(NAME, quantity=90, limit=100 * USD + 1, stop=None)
        assert isinstance(wrong, Rejected)
        assert "decimals" in wrong.reason

    play(scene)


def test_a_cancel_goes_to_the_newest_link() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, OLD, NEW)
        script.answers["DELETE", "/v2/orders/o-1"] = (204, None)
        assert await broker.cancel(NAME) == Accepted("o-1")

    play(scene)


def test_after_a_refused_cancel_it_is_asked_which_order_to_cancel() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order())
        path = f"/v2/orders/{ORDER_ID}"
        script.answers["DELETE", path] = (422, {"code": 42210000, "message": "replaced"})
        assert isinstance(await broker.cancel(NAME), Rejected)
        exists(script, OLD, NEW)
        script.answers["DELETE", "/v2/orders/o-1"] = (204, None)
        assert await broker.cancel(NAME) == Accepted("o-1")

    play(scene)


def test_executions_of_all_links_have_the_name_of_the_order() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, OLD, {**NEW, "filled_qty": "5", "status": "partially_filled"})
        script.answers[FILLS] = (
            200,
            [execution(30, 30, 1), execution(5, 5, 1, order_id="o-1", id="x::5")],
        )
        found = await broker.fills(0)
        assert [(one.fill_id, one.client_order_id) for one in found] == [
            (f"{ORDER_ID}:30", NAME),
            ("o-1:5", NAME),
        ]

    play(scene)


def test_executions_without_a_running_quantity_are_numbered_from_their_order() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order(status="partially_filled", filled_qty="70"))
        rows = [execution(30, 30, 1), execution(70, 40, 2)]
        for row in rows:
            row["cum_qty"] = None
        script.answers[FILLS] = (200, rows)
        found = await broker.fills(0)
        assert [one.fill_id for one in found] == [f"{ORDER_ID}:30", f"{ORDER_ID}:70"]

    play(scene)


def test_executions_come_in_pages_each_once_in_the_order_they_are_listed() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        exists(script, order(status="partially_filled", filled_qty="250", qty="250"))
        rows = [execution(count, 1, count % 60, id=f"{count:06d}") for count in range(1, 251)]
        for row in rows:
            row["transaction_time"] = "2026-03-02T15:00:00Z"

        def page(data: Mapping[str, Any]) -> tuple[int, Any]:
            first = next(
                (at + 1 for at, row in enumerate(rows) if row["id"] == data.get("page_token")), 0
            )
            return 200, rows[first : first + int(data["page_size"])]

        script.answers[FILLS] = page
        found = await broker.fills(0)
        assert [one.fill_id for one in found] == [f"{ORDER_ID}:{n}" for n in range(1, 251)]

    play(scene)


def test_a_thousand_orders_of_one_moment_are_listed_each_once() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        rows = [
            order(id=f"o-{number:04d}", client_order_id=f"paper-abc1234-{number:06d}")
            for number in range(1_100)
        ]

        def page(data: Mapping[str, Any]) -> tuple[int, Any]:
            last = data.get("before_order_id")
            first = next((at + 1 for at, row in enumerate(rows) if row["id"] == last), 0)
            return 200, rows[first : first + int(data["limit"])]

        script.answers["GET", "/v2/orders"] = page
        found = await broker.open_orders()
        assert len({one.client_order_id for one in found}) == 1_100

    play(scene)
