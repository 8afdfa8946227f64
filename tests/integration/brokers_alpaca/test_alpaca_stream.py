"""The trade-update stream: what it tells, what it does not, and how it comes back."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from tests.integration.brokers_alpaca.script import (
    ENTRY,
    KEYS,
    NAME,
    ORDER_ID,
    Follower,
    Script,
    connected,
    execution,
    order,
    until,
)
from tradingd.brokers.alpaca import ear, hearing
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.alpaca.stream import TradeStream
from tradingd.domain.broker_reports import BrokerStatus, ConnectionUpdate, FillUpdate, OrderUpdate

FILLS = ("GET", "/v2/account/activities/FILL")
LIST = ("GET", "/v2/orders")
UUID = "904837e3-3b76-47ec-b432-04{:010d}"

type Scene = Callable[[Script, AlpacaBroker, Follower], Coroutine[None, None, None]]


def play(scene: Scene, script: Script | None = None) -> None:
    async def run() -> None:
        made = script or Script()
        async with connected(made) as (broker, follower):
            await scene(made, broker, follower)

    asyncio.run(run())


def told(follower: Follower) -> list[str]:
    """Return the events in short."""
    short = []
    for event in follower.events:
        match event:
            case FillUpdate(fill):
                short.append(f"fill {fill.fill_id.rpartition(':')[2]} {fill.quantity}")
            case OrderUpdate(one):
                short.append(f"order {one.status} {one.filled}/{one.quantity}")
            case ConnectionUpdate(connected, _):
                short.append("up" if connected else "down")
    return short


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_fills_and_states_are_told_in_order_under_our_name(binary: bool) -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        script.binary = binary
        await script.tell("new", order())
        shown = order(status="partially_filled", filled_qty="40")
        moment = "2026-03-02T15:00:01Z"
        await script.tell("partial_fill", shown, qty="40", price="99.5", timestamp=moment)
        await until(lambda: len(follower.events) == 3)
        assert told(follower) == [
            "order WORKING 0/100",
            "fill 40 40",
            "order WORKING 40/100",
        ]
        first = follower.events[1]
        assert isinstance(first, FillUpdate)
        assert first.fill.client_order_id == NAME
        assert first.fill.fill_id == f"{ORDER_ID}:40"
        assert first.fill.commission == 0

    play(scene)


def test_unknown_events_and_statuses_stop_nothing() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("teleported", order(status="in_orbit"), surprise={"a": [1]})
        await script.tell("order", {"id": 5})
        await script.tell("canceled", order(status="canceled", updated_at="2026-03-02T16:00:00Z"))
        await until(lambda: "order CANCELED 0/100" in told(follower))
        assert told(follower)[0] == "order WORKING 0/100"

    play(scene)


def test_late_and_repeated_events_do_not_bring_an_order_back() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        filled = order(status="filled", filled_qty="100", updated_at="2026-03-02T15:00:02Z")
        moment = "2026-03-02T15:00:02Z"
        script.answers[FILLS] = (200, [execution(100, 100, 2)])
        for _ in range(2):
            await script.tell("fill", filled, qty="100", price="99.5", timestamp=moment)
        await script.tell("new", order())
        await until(lambda: told(follower).count("fill 100 100") == 2)
        await until(lambda: len(follower.events) >= 5)
        assert set(told(follower)) == {"fill 100 100", "order FILLED 100/100"}

    play(scene)


def test_a_dropped_execution_is_asked_for_when_the_next_one_shows_it() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("new", order())
        script.answers[FILLS] = (200, [execution(30, 30, 1), execution(70, 40, 2)])
        shown = order(status="partially_filled", filled_qty="70")
        script.answers[LIST] = (200, [shown])
        moment = "2026-03-02T15:00:02Z"
        await script.tell("partial_fill", shown, qty="40", price="99.5", timestamp=moment)
        await until(lambda: "fill 30 30" in told(follower))
        assert told(follower).count("fill 70 40") == 1

    play(scene)


def test_what_was_missed_comes_after_the_connection_is_back() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("new", order())
        await until(lambda: follower.events)
        script.answers[FILLS] = (200, [execution(100, 100, 5)])
        over = order(status="filled", filled_qty="100", updated_at="2026-03-02T15:00:05Z")
        script.answers["GET", f"/v2/orders/{ORDER_ID}"] = (200, over)
        await script.close_streams()
        await until(lambda: "order FILLED 100/100" in told(follower))
        assert told(follower)[1:] == ["down", "up", "fill 100 100", "order FILLED 100/100"]
        assert broker.connected

    play(scene)


def test_a_server_that_is_away_is_tried_again_until_it_is_back() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        script.refuse = True
        await script.close_streams()
        await until(lambda: told(follower) == ["down"])
        assert not broker.connected
        await asyncio.sleep(0.5)
        script.refuse = False
        await until(lambda: told(follower) == ["down", "up"])
        assert broker.connected

    play(scene)


def test_missed_events_are_asked_for_until_there_is_an_answer() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        answers = iter([(500, "busy"), (503, "busy")])
        script.answers[FILLS] = lambda _data: next(answers, (200, [execution(10, 10, 5)]))
        shown = order(status="partially_filled", filled_qty="10")
        script.answers["GET", f"/v2/orders/{ORDER_ID}"] = (200, shown)
        script.answers[LIST] = (200, [shown])
        await script.close_streams()
        await until(lambda: "fill 10 10" in told(follower))

    play(scene)


def test_a_mute_stream_is_given_up_when_a_question_shows_what_it_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ear, "PATIENCE", 0.3)
    monkeypatch.setattr(hearing, "_LOOK", 0.05)

    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        script.answers["POST", "/v2/orders"] = (200, order(status="accepted"))
        await broker.submit(ENTRY)
        over = order(status="filled", filled_qty="100", updated_at="2026-03-02T15:00:05Z")
        script.answers["GET", f"/v2/orders/{ORDER_ID}"] = (200, over)
        script.answers[FILLS] = (200, [execution(100, 100, 5)])
        found = await broker.order(NAME)
        assert found is not None
        assert found.status is BrokerStatus.FILLED
        await until(lambda: "fill 100 100" in told(follower))
        assert told(follower)[:2] == ["down", "up"]
        assert script.connections == 2
        down = follower.events[0]
        assert isinstance(down, ConnectionUpdate)
        assert "mute" in down.reason
        await asyncio.sleep(0.6)
        assert script.connections == 2  # once is enough

    play(scene)


def test_a_quiet_stream_is_compared_with_the_newest_executions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ear, "PATIENCE", 0.2)
    monkeypatch.setattr(hearing, "_LOOK", 0.05)
    monkeypatch.setattr(hearing, "QUIET", 0.2)

    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("new", order())
        await until(lambda: follower.events)
        script.answers[FILLS] = (200, [execution(60, 60, 5)])
        shown = order(status="partially_filled", filled_qty="60")
        script.answers[LIST] = (200, [shown])
        await until(lambda: "fill 60 60" in told(follower))
        assert "down" in told(follower)

    play(scene)


def test_a_half_open_connection_is_found_by_its_missing_pongs() -> None:
    async def scene() -> None:
        script = Script()
        script.pong = False
        lost: list[str] = []
        async with script.running() as url:
            from tests.integration.brokers_alpaca.script import KEYS

            stream = TradeStream(
                url.replace("http", "ws") + "/stream",
                KEYS,
                timeout=1,
                told=lambda _data: None,
                up=lambda: None,
                down=lost.append,
                ping=0.2,
            )
            task = asyncio.create_task(stream.run())
            await until(lambda: lost and script.connections >= 2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())


def test_a_leg_in_the_stream_is_named_after_its_parent_is_found() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        leg = order(
            id="l-1",
            client_order_id=UUID.format(7),
            order_class="bracket",
            type="stop",
            side="sell",
        )
        parent = order(order_class="bracket", status="filled", filled_qty="100", legs=[leg])
        script.answers[LIST] = lambda data: (200, [parent] if data.get("nested") else [])
        await script.tell("new", leg)
        await until(lambda: follower.events)
        event = follower.events[0]
        assert isinstance(event, OrderUpdate)
        assert event.order.client_order_id == f"{NAME}/sl"
        assert event.order.parent_order_id == ORDER_ID

    play(scene)


def test_an_order_of_others_has_no_name_in_the_stream() -> None:
    async def scene(script: Script, broker: AlpacaBroker, follower: Follower) -> None:
        await script.tell("new", order(id="x", client_order_id=UUID.format(1)))
        await until(lambda: follower.events)
        event = follower.events[0]
        assert isinstance(event, OrderUpdate)
        assert event.order.client_order_id == ""

    play(scene)


@pytest.mark.parametrize("turns", range(6))
def test_a_stream_that_is_ended_while_it_gives_a_connection_up_ends(turns: int) -> None:
    async def scene() -> None:
        script = Script()
        async with script.running() as url:
            up = asyncio.Event()
            stream = TradeStream(
                f"{url.replace('http', 'ws')}/stream",
                KEYS,
                timeout=2.0,
                told=lambda _data: None,
                up=up.set,
                down=lambda _why: None,
            )
            running = asyncio.create_task(stream.run())
            await asyncio.wait_for(up.wait(), 30)
            stream.drop("mute")
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.wait({running}, timeout=5)
            ended = running.done()
            running.cancel()
            assert ended

    asyncio.run(scene())
