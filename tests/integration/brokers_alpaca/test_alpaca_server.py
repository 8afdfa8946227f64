"""The broker over the test server's real process: orders, changes, legs, and every fault of it."""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable, Coroutine, Iterator

import msgspec
import pytest

from tests.integration.brokers_alpaca.script import KEYS, Follower, until
from tests.integration.brokers_alpaca.server import (
    Admin,
    Server,
    admin,
    bar,
    filled,
    last,
    serving,
    settled,
    trading,
)
from tradingd.brokers.alpaca import ear, hearing
from tradingd.brokers.alpaca.accounts import check_account, check_endpoint
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.alpaca.rules import kind_refusal
from tradingd.brokers.simulated.parsing import action_fields
from tradingd.domain.broker import Accepted, Rejected, Unknown
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerStatus, ConnectionUpdate
from tradingd.domain.broker_requests import OrderClass, OrderRequest, TimeInForce
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Side

USD = SCALE
SYMBOL = "AAPL"
NUMBERS = itertools.count(1)

type Scene = Callable[[AlpacaBroker, Follower, Admin], Coroutine[None, None, None]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("a")) as made:
        yield made


def play(server: Server, scene: Scene) -> None:
    async def run() -> None:
        async with admin(server) as book:
            await bar(server, book, {SYMBOL: (99, 100)})
            async with trading(server) as (broker, follower):
                try:
                    await scene(broker, follower, book)
                finally:
                    await book.misbehave({})
                    await broker.cancel_all()

    asyncio.run(run())


def name() -> str:
    return f"paper-abc1234-{next(NUMBERS):06d}"


def buy(**fields: object) -> OrderRequest:
    request = OrderRequest(
        client_order_id=name(),
        symbol=SYMBOL,
        side=Side.BUY,
        quantity=100,
        type=OrderType.LIMIT,
        limit=90 * USD,
    )
    return msgspec.structs.replace(request, **fields)


def market(**fields: object) -> OrderRequest:
    return buy(type=OrderType.MARKET, limit=None, **fields)


def test_an_order_fills_and_stream_activities_position_and_account_agree(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        order = market()
        assert isinstance(await broker.submit(order), Accepted)
        await until(lambda: filled(follower, order.client_order_id) == 100)
        fills = [
            one for one in await broker.fills(0) if one.client_order_id == order.client_order_id
        ]
        told = [
            event.fill
            for event in follower.events
            if hasattr(event, "fill") and event.fill.client_order_id == order.client_order_id
        ]
        assert fills == told
        [position] = [one for one in await broker.positions() if one.symbol == SYMBOL]
        assert position.quantity >= 100
        account = await broker.account()
        assert account.account_id == "PA3SIM000001"
        check_endpoint(mode="live", rest=server.url, keys=KEYS)
        check_account(mode="paper", account=account)

    play(server, scene)


KINDS = [
    kind
    for kind in itertools.product(OrderType, TimeInForce, OrderClass, (False, True))
    if kind_refusal(kind[0], kind[1], kind[2], extended=kind[3]) is None
]


def test_every_supported_kind_of_order_is_taken_and_told_as_it_was_sent(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        await broker.submit(market(quantity=1_000))
        for kind, time, one, extended in KINDS:
            order = complete(kind, time, one, extended)
            outcome = await broker.submit(order)
            if time in (TimeInForce.OPG, TimeInForce.CLS):
                # By the hour of the day Alpaca may refuse these.
                assert isinstance(outcome, Accepted | Rejected)
                continue
            assert isinstance(outcome, Accepted), (order, outcome)
            found = await broker.order(order.client_order_id)
            assert found is not None
            assert (found.type, found.quantity, found.side) == (kind, order.quantity, order.side)
            assert found.time_in_force is time
            assert found.stop == order.stop
            await broker.cancel(order.client_order_id)

    play(server, scene)


def complete(kind: OrderType, time: TimeInForce, one: OrderClass, extended: bool) -> OrderRequest:
    stop = 120 * USD if kind in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT) else None
    limit = 90 * USD if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None
    order = buy(
        type=kind,
        limit=125 * USD if kind is OrderType.STOP_LIMIT else limit,
        stop=stop,
        time_in_force=time,
        extended_hours=extended,
        order_class=one,
        trail_bps=500 if kind is OrderType.TRAILING_STOP else None,
    )
    if one is OrderClass.OCO:
        legs = {"side": Side.SELL, "limit": 130 * USD, "stop_loss": 80 * USD}
        return msgspec.structs.replace(order, **legs)
    if one is not OrderClass.SIMPLE:
        order = msgspec.structs.replace(order, stop_loss=80 * USD)
    if one is OrderClass.BRACKET:
        order = msgspec.structs.replace(order, take_profit=140 * USD)
    return order


def test_legs_have_their_names_in_a_process_that_never_saw_their_parents(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        bracket = market(order_class=OrderClass.BRACKET, take_profit=140 * USD, stop_loss=80 * USD)
        assert isinstance(await broker.submit(bracket), Accepted)
        await until(lambda: filled(follower, bracket.client_order_id) == 100)
        parent = bracket.client_order_id
        wanted = {f"{parent}/tp": 140 * USD, f"{parent}/sl": 80 * USD}
        async with trading(server) as (other, _):
            found = {one.client_order_id: one for one in await other.open_orders()}
            assert {one: found[one].limit or found[one].stop for one in wanted} == wanted
            assert all(found[one].parent_order_id for one in wanted)
            stop = f"{parent}/sl"
            changed = await other.replace(stop, quantity=100, limit=None, stop=85 * USD)
            assert isinstance(changed, Accepted), changed
        async with trading(server) as (third, _):
            leg = await third.order(stop)
            assert leg is not None
            assert (leg.stop, leg.client_order_id) == (85 * USD, stop)
        await until(lambda: (told := last(follower, stop)) is not None and told.stop == 85 * USD)
        assert isinstance(await broker.cancel(f"{parent}/tp"), Accepted)

    play(server, scene)


def test_a_changed_order_is_one_order_over_partial_fills_and_restarts(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        order = buy(limit=101 * USD)
        key = order.client_order_id
        await book.misbehave({"script": {"submit": [{"fault": "partial", "pieces": 4}]}})
        assert isinstance(await broker.submit(order), Accepted)
        await until(lambda: filled(follower, key) == 25)
        assert isinstance(
            await broker.replace(key, quantity=80, limit=95 * USD, stop=None), Accepted
        )
        found = await broker.order(key)
        assert found is not None
        assert (found.quantity, found.filled, found.limit) == (80, 25, 95 * USD)
        assert isinstance(
            await broker.replace(key, quantity=60, limit=102 * USD, stop=None), Accepted
        )
        async with trading(server) as (other, _):
            [listed] = [one for one in await other.open_orders() if one.client_order_id == key] or [
                await other.order(key)
            ]
            assert listed is not None
            assert listed.quantity == 60
        await bar(server, book, {SYMBOL: (99, 100)})
        await until(lambda: filled(follower, key) == 60)
        await until(lambda: (told := last(follower, key)) is not None and told.status.final)
        told = last(follower, key)
        assert told is not None
        assert (told.status, told.quantity, told.filled) == (BrokerStatus.FILLED, 60, 60)
        async with trading(server) as (other, _):
            again = await other.order(key)
            assert again is not None
            assert (again.status, again.quantity, again.filled) == (BrokerStatus.FILLED, 60, 60)
            fills = [one for one in await other.fills(0) if one.client_order_id == key]
            assert sum(one.quantity for one in fills) == 60

    play(server, scene)


def test_shares_that_filled_unheard_before_a_change_count_in_what_is_told_and_asked(
    server: Server,
) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        order = buy(limit=101 * USD)
        key = order.client_order_id
        await book.misbehave(
            {
                "script": {"submit": [{"fault": "partial", "pieces": 4}]},
                "stream": {"drop": 1.0},
            }
        )
        assert isinstance(await broker.submit(order), Accepted)
        # 25 of 100 have filled, and nobody has told: 80 more are asked for, not 55.
        assert isinstance(
            await broker.replace(key, quantity=80, limit=95 * USD, stop=None), Accepted
        )
        found = await broker.order(key)
        assert found is not None
        assert (found.quantity, found.filled) == (105, 25)
        assert isinstance(
            await broker.replace(key, quantity=60, limit=94 * USD, stop=None), Accepted
        )
        found = await broker.order(key)
        assert found is not None
        assert (found.quantity, found.filled) == (60, 25)

    play(server, scene)


@pytest.mark.parametrize(
    ("fault", "outcome", "there"),
    [
        ("drop_request", Unknown, False),
        ("disconnect_before", Unknown, False),
        ("drop_response", Unknown, True),
        ("disconnect_after", Unknown, True),
        ("504_done", Unknown, True),
        ("status_429", Rejected, False),
        ("status_500", Unknown, False),
        ("status_502", Unknown, False),
        ("status_503", Unknown, False),
        ("status_504", Unknown, False),
        ("reject", Rejected, None),
    ],
)
def test_what_becomes_of_an_order_under_each_fault(
    server: Server, fault: str, outcome: type, there: bool | None
) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        order = buy()
        await book.misbehave({"script": {"submit": [fault]}})
        assert isinstance(await broker.submit(order), outcome)
        if fault == "status_429":
            assert await broker.ping() < 3, "a limit of the rate is no broker that is away"
            return  # nothing else is asked while it lasts
        if there is not None:
            found = await broker.order(order.client_order_id)
            assert (found is not None) is there

    play(server, scene)


def test_a_late_answer_is_unknown_and_the_order_is_there(server: Server) -> None:
    async def run() -> None:
        async with admin(server) as book, trading(server, patience=0.3) as (broker, _):
            await bar(server, book, {SYMBOL: (99, 100)})
            order = buy()
            late = {"late_seconds": [0.6, 0.6], "script": {"submit": ["late_response"]}}
            await book.misbehave(late)
            assert isinstance(await broker.submit(order), Unknown)
            assert await broker.order(order.client_order_id) is not None
            await broker.cancel_all()

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["drop_response", "504_done", "disconnect_after"])
def test_a_change_whose_answer_is_lost_is_told_when_asked(server: Server, fault: str) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        order = buy()
        await broker.submit(order)
        await book.misbehave({"script": {"replace": [fault]}})
        key = order.client_order_id
        outcome = await broker.replace(key, quantity=70, limit=91 * USD, stop=None)
        assert isinstance(outcome, Unknown)
        found = await broker.order(key)
        assert found is not None
        assert (found.quantity, found.limit) == (70, 91 * USD)
        again = await broker.replace(key, quantity=60, limit=92 * USD, stop=None)
        assert isinstance(again, Accepted)
        assert isinstance(await broker.cancel(key), Accepted)
        await until(lambda: (told := last(follower, key)) is not None and told.status.final)

    play(server, scene)


@pytest.mark.parametrize(
    "plan",
    [{"duplicate": 1.0}, {"reorder": 0.7}, {"duplicate": 0.5, "reorder": 0.5, "drop": 0.3}],
    ids=["duplicate", "reorder", "all"],
)
def test_repeated_reordered_and_dropped_events_lose_no_execution(
    server: Server, plan: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "PATIENCE", 0.4)
    monkeypatch.setattr(hearing, "_LOOK", 0.1)

    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        script = {"submit": [{"fault": "partial", "pieces": 4}] * 5}
        await book.misbehave({"seed": 3, "stream": plan, "script": script})
        orders = [market(quantity=40) for _ in range(5)]
        for order in orders:
            await broker.submit(order)
        for _ in range(4):
            await bar(server, book, {SYMBOL: (99, 100)})
        for order in orders:
            await broker.order(order.client_order_id)
        for order in orders:
            key = order.client_order_id
            await until(lambda key=key: filled(follower, key) == 40, 10)
            await until(lambda key=key: _over(follower, key), 10)

    play(server, scene)


def _over(follower: Follower, key: str) -> bool:
    told = last(follower, key)
    return told is not None and told.status is BrokerStatus.FILLED


@pytest.mark.parametrize("seconds", [0.0, 0.4], ids=["for a moment", "for a while"])
def test_what_happens_while_the_stream_is_away_is_told_when_it_is_back(
    server: Server, seconds: float
) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        resting = buy()
        await broker.submit(resting)
        await settled(follower)
        await book.misbehave({"stream": {"refuse_seconds": seconds}})
        broker._stream.drop("the network is away")
        await until(lambda: not broker.connected)
        order = market(quantity=7)
        await broker.submit(order)
        await broker.cancel(resting.client_order_id)
        await until(lambda: broker.connected)
        await until(lambda: filled(follower, order.client_order_id) == 7)
        key = resting.client_order_id
        await until(
            lambda: (
                (told := last(follower, key)) is not None and told.status is BrokerStatus.CANCELED
            )
        )
        ups = [one.connected for one in follower.events if isinstance(one, ConnectionUpdate)]
        assert ups[:2] == [False, True]

    play(server, scene)


def test_a_mute_stream_is_noticed_and_what_it_kept_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "PATIENCE", 0.3)
    monkeypatch.setattr(hearing, "_LOOK", 0.05)

    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        await book.misbehave({"stream": {"mute": True}})
        order = market(quantity=9)
        await broker.submit(order)
        found = await broker.order(order.client_order_id)
        assert found is not None
        assert found.filled == 9
        await until(lambda: filled(follower, order.client_order_id) == 9)
        reasons = [one.reason for one in follower.events if isinstance(one, ConnectionUpdate)]
        assert any("mute" in reason for reason in reasons)

    play(server, scene)


def test_an_order_of_others_is_shown_without_a_name_and_can_be_cancelled(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        reply = await broker._client.command(
            "POST",
            "/orders",
            {
                "symbol": SYMBOL,
                "qty": "5",
                "side": "buy",
                "type": "limit",
                "limit_price": "50",
                "time_in_force": "gtc",
            },
        )
        [found] = [one for one in await broker.open_orders() if one.quantity == 5]
        assert found.client_order_id == "", reply
        assert isinstance(await broker.cancel_at_broker(found.broker_order_id), Accepted)
        await until(
            lambda: any(
                getattr(getattr(event, "order", None), "status", None) is BrokerStatus.CANCELED
                for event in follower.events
            )
        )

    play(server, scene)


def test_every_working_order_is_cancelled_at_once(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        orders = [buy() for _ in range(3)]
        for order in orders:
            await broker.submit(order)
        assert await broker.cancel_all() == 3
        await until(
            lambda: all(
                (told := last(follower, one.client_order_id)) is not None and told.status.final
                for one in orders
            )
        )
        assert await broker.cancel_all() == 0

    play(server, scene)


def test_a_dividend_is_an_adjustment(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        await broker.submit(market(quantity=10, symbol=SYMBOL))
        await settled(follower)
        server.minutes += 1
        action = CorporateAction(
            symbol=SYMBOL, ex_date=dt.date(2026, 3, 2), kind=ActionKind.DIVIDEND, amount=USD // 2
        )
        await book.ask("corporate_action", action_fields(action, server.now()))
        found = await broker.adjustments(0)
        assert found
        assert all(isinstance(one, AdjustmentUpdate) for one in found)
        assert (found[-1].kind, found[-1].symbol, found[-1].shares) == ("dividend", SYMBOL, 0)
        assert found[-1].cash > 0

    play(server, scene)


def test_assets_time_and_ping_are_answered(server: Server) -> None:
    async def scene(broker: AlpacaBroker, follower: Follower, book: Admin) -> None:
        found = await broker.assets([SYMBOL, "BRK.B", "NOT-THERE"])
        assert [one.symbol for one in found] == [SYMBOL, "BRK.B"]
        assert await broker.time() > 0
        assert 0 < await broker.ping() < 2

    play(server, scene)
