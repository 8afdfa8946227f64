"""The client against the real process: outcomes, questions, the market, and the event stream."""

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import threading

import msgspec
import pytest

from tests.integration.brokers.client_kit import Session, bars, connected, order, run, until
from tests.integration.simbroker.sim_kit import OPEN, Wire
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker import (
    Accepted,
    Broker,
    BrokerUnavailable,
    MarketSink,
    Rejected,
    Unknown,
)
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerStatus, ConnectionUpdate
from tradingd.domain.broker_requests import OrderRequest, TimeInForce
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.domain.orders import OrderType, Side
from tradingd.kits.failure import ExitCode, Failure


def test_it_is_a_broker_and_a_market_sink(tmp_path):
    made = SimulatedBroker(tmp_path / "s.sock", timeout=1)
    broker: Broker = made
    sink: MarketSink = made
    assert (broker.name, broker.connected) == ("simulated", False)
    assert sink is made


def test_nothing_to_talk_to_is_a_failure_that_says_what_to_do(tmp_path):
    broker = SimulatedBroker(tmp_path / "none.sock", timeout=1)
    with pytest.raises(Failure) as raised:
        asyncio.run(broker.connect())
    assert raised.value.code is ExitCode.BROKER
    assert "python -m tradingd.simbroker" in raised.value.next_step


def test_a_stranger_on_the_socket_is_a_failure(tmp_path):
    async def story():
        async def stranger(_, writer):
            writer.write(b"SSH-2.0-hello\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(stranger, tmp_path / "s.sock"):
            with pytest.raises(Failure):
                await SimulatedBroker(tmp_path / "s.sock", timeout=1).connect()

    asyncio.run(story())


def test_the_life_of_an_order_is_told_in_order(process):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        assert isinstance(await broker.submit(order("a", limit="99")), Accepted)
        changed = await broker.replace("a", quantity=20, limit=nanos("98"), stop=None)
        assert isinstance(changed, Accepted)
        assert [o.quantity for o in await broker.open_orders()] == [20]
        await broker.market(bars(2, "98"))
        found = await broker.order("a")
        assert (found.status, found.filled, found.limit) == (BrokerStatus.FILLED, 20, nanos("98"))
        assert (await broker.positions())[0].quantity == 20
        fill = (await broker.fills(0))[0]
        assert (fill.price, fill.commission) == (nanos("98"), nanos("1"))
        assert (await broker.account()).cash == nanos("100000") - 20 * nanos("98") - nanos("1")
        assert await broker.cancel("a") == Rejected("order is FILLED")
        assert await broker.order("nobody") is None
        assert 0 < await broker.ping() < 1

    session = run(process.socket, story)
    assert session.states("a") == ["WORKING", "WORKING", "FILLED"]


@pytest.mark.parametrize("trail", [{"trail": nanos("2")}, {"trail_bps": 200}])
def test_a_trailing_stop_follows_the_price_and_sells(process, trail):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        await broker.submit(order("a"))
        stop = OrderRequest(
            client_order_id="t",
            symbol="SPY",
            side=Side.SELL,
            quantity=10,
            type=OrderType.TRAILING_STOP,
            **trail,
        )
        assert isinstance(await broker.submit(stop), Accepted)
        await broker.market(bars(2, "110"))
        assert (await broker.order("t")).status is BrokerStatus.WORKING
        await broker.market(bars(3, "107.5"))
        assert (await broker.order("t")).status is BrokerStatus.FILLED

    run(process.socket, story)


@pytest.mark.parametrize("patience", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_order_of_the_moment_is_over_at_once(process, patience):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        asked = msgspec.structs.replace(order("a", limit="99"), time_in_force=patience)
        assert isinstance(await broker.submit(asked), Accepted)
        found = await broker.order("a")
        assert (found.status, found.time_in_force) == (BrokerStatus.CANCELED, patience)

    run(process.socket, story)


def test_the_fills_of_a_batch_are_on_the_stream_when_it_is_taken(process):
    async def story(session: Session):
        broker = session.broker
        await broker.submit(order("a", limit="99"))
        await broker.misbehave({"seed": 2, "probabilities": {"lose": 0.5, "reorder": 0.5}})
        await broker.market(bars(1, "99"))
        await asyncio.sleep(0)  # one turn of the loop hands the queue over
        assert session.states("a") == ["WORKING", "FILLED"]

    run(process.socket, story)


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ("drop_request", False),
        ("drop_response", True),
        ("late_response", True),
        ("disconnect_before", False),
        ("disconnect_after", True),
    ],
)
def test_a_command_without_an_answer_is_unknown_and_never_sent_again(process, fault, arrived):
    async def story(session: Session):
        broker = session.broker
        await broker.misbehave({"script": {"submit": [fault]}})
        assert isinstance(await broker.submit(order("a", limit="50")), Unknown)
        await until(lambda: broker.connected)
        assert (await broker.order("a") is not None) is arrived
        assert len(await broker.all_orders()) == int(arrived)

    run(process.socket, story, timeout=0.2)


def test_an_order_can_turn_up_after_it_was_asked_for_in_vain(process):
    async def story(session: Session):
        broker = session.broker
        await broker.misbehave({"script": {"submit": [{"fault": "delay", "seconds": 0.3}]}})
        assert isinstance(await broker.submit(order("a", limit="50")), Unknown)
        assert await broker.order("a") is None
        await until(lambda: session.states("a") == ["WORKING"])

    run(process.socket, story, timeout=0.1)


def test_a_rejection_carries_the_brokers_reason(process):
    async def story(session: Session):
        await session.broker.misbehave({"script": {"submit": ["reject"], "cancel": ["reject"]}})
        assert await session.broker.submit(order("a")) == Rejected("injected rejection")
        assert isinstance(await session.broker.submit(order("b", limit="50")), Accepted)
        assert await session.broker.cancel("b") == Rejected("injected rejection")
        assert isinstance(await session.broker.submit(order("c", quantity=0)), Rejected)

    run(process.socket, story)


def test_while_disconnected_commands_are_rejected_and_questions_raise(process):
    async def story(session: Session):
        broker = session.broker
        process.kill()
        await until(lambda: not broker.connected)
        assert await broker.submit(order("a")) == Rejected("not connected, nothing was sent")
        with pytest.raises(BrokerUnavailable):
            await broker.order("a")
        with pytest.raises(BrokerUnavailable):
            await broker.ping()

    session = run(process.socket, story)
    assert session.connections() == [False]


def test_a_broker_that_hangs_answers_no_ping_and_leaves_commands_unknown(process):
    async def story(session: Session):
        os.kill(process.child.pid, signal.SIGSTOP)
        try:
            with pytest.raises(BrokerUnavailable):
                await session.broker.ping()
            assert isinstance(await session.broker.submit(order("a", limit="50")), Unknown)
        finally:
            os.kill(process.child.pid, signal.SIGCONT)
        await until(lambda: session.states("a") == ["WORKING"])
        assert await session.broker.ping() < 0.2

    run(process.socket, story, timeout=0.2)


def test_it_comes_back_after_a_kill_and_hears_what_it_missed(process):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        await broker.submit(order("mine", limit="99"))
        await until(lambda: session.states("mine"))
        process.kill()
        await until(lambda: not broker.connected)
        process.start()
        with Wire(process.socket) as other:
            other.submit("others", "BUY", 1, "LIMIT", limit="50")
        await until(lambda: broker.connected)
        await until(lambda: session.states("others"))
        await broker.market(bars(2, "99"))
        await until(lambda: session.states("mine") == ["WORKING", "FILLED"])

    session = run(process.socket, story)
    assert session.connections() == [False, True]
    kinds = [type(event) for event in session.heard]
    back = [i for i, kind in enumerate(kinds) if kind is ConnectionUpdate][1]
    assert session.heard[back + 1].order.client_order_id == "others"


def test_a_bar_told_while_the_connection_breaks_is_told_again(process):
    async def story(session: Session):
        broker = session.broker
        await broker.submit(order("a", limit="99"))
        await broker.misbehave({"script": {"market": ["disconnect_before", "disconnect_after"]}})
        await broker.market(bars(1, "99"))
        assert (await broker.order("a")).status is BrokerStatus.FILLED
        await until(lambda: len(session.fills()) == 1)

    session = run(process.socket, story)
    assert len(session.fills()) == 1


def test_a_bar_that_nobody_takes_is_an_error_in_the_end(process):
    async def story(session: Session):
        process.kill()
        with pytest.raises(BrokerUnavailable, match="market"):
            await session.broker.market(bars(1, "99"))

    run(process.socket, story, timeout=0.1)


def test_time_that_goes_back_is_refused_with_the_reason(process):
    async def story(session: Session):
        await session.broker.market(bars(5, "99"))
        with pytest.raises(Failure, match="goes back"):
            await session.broker.market(bars(4, "99"))

    run(process.socket, story)

    async def again(session: Session):
        assert session.broker.market_ts == bars(5, "99").ts

    run(process.socket, again)


def test_repeated_reordered_and_lost_events_come_out_once_and_in_order(process):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        odds = {"duplicate": 0.3, "reorder": 0.4, "lose": 0.3}
        await broker.misbehave({"seed": 4, "probabilities": odds})
        for number in range(30):
            await broker.submit(order(f"a{number}", quantity=1))
        fills = [fill.fill_id for fill in await broker.fills(0)]
        await until(lambda: len(session.fills()) == len(fills) == 30)
        assert session.fills() == fills

    session = run(process.socket, story)
    assert all(session.states(f"a{n}") == ["WORKING", "FILLED"] for n in range(30))


def test_a_split_is_told_once_with_the_orders_it_restated(process):
    async def story(session: Session):
        broker = session.broker
        await broker.market(bars(1, "100"))
        await broker.submit(order("held"))
        await broker.submit(order("stop", side=Side.SELL, limit="120"))
        split = CorporateAction(
            symbol="SPY", ex_date=dt.date(2023, 11, 21), kind=ActionKind.SPLIT, numerator=2
        )
        for _ in range(2):
            await broker.corporate_action(split, OPEN + 10**12)
        told = [event for event in session.heard if isinstance(event, AdjustmentUpdate)]
        assert [(event.shares, event.numerator) for event in told] == [(10, 2)]
        assert list(await broker.adjustments(0)) == told
        restated = await broker.order("stop")
        assert (restated.quantity, restated.limit) == (20, nanos("60"))

    run(process.socket, story)


def test_orders_of_others_are_seen_and_can_be_cancelled(process):
    async def story(session: Session):
        with Wire(process.socket) as other:
            other.submit("", "BUY", 1, "LIMIT", limit="50")
            other.submit("", "BUY", 1, "LIMIT", limit="51")
        foreign = await session.broker.open_orders()
        assert {o.client_order_id for o in foreign} == {""}
        await session.broker.cancel_at_broker(foreign[0].broker_order_id)
        assert await session.broker.cancel_all() == 1
        assert await session.broker.open_orders() == []

    run(process.socket, story)


def test_a_plan_that_is_not_understood_is_a_failure(process):
    async def story(session: Session):
        with pytest.raises(Failure, match="chaos"):
            await session.broker.misbehave({"chaos": 1})

    run(process.socket, story)


def test_two_clients_hear_the_same(process):
    async def story():
        async with connected(process.socket) as one, connected(process.socket) as other:
            await one.broker.market(bars(1, "100"))
            await other.broker.submit(order("a"))
            await until(lambda: len(one.heard) == len(other.heard) == 3)
            assert one.heard == other.heard

    asyncio.run(story())


def test_a_client_that_is_closed_leaves_no_task_and_no_thread_behind(process):
    async def story():
        async with connected(process.socket) as session:
            await session.broker.ping()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert threading.active_count() == 1

    asyncio.run(story())


def test_it_needs_the_standard_library_and_msgspec_alone():
    script = (
        "import sys; import tradingd.brokers.simulated.broker, tradingd.brokers.simulated.launch; "
        "roots = {name.partition('.')[0] for name in sys.modules}; "
        "print(sorted(roots - set(sys.stdlib_module_names)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    foreign = set(ended.stdout.strip("[]\n").replace("'", "").split(", "))
    assert {"msgspec", "tradingd"} <= foreign, ended.stderr
    heavy = {"aiohttp", "uvloop", "hydra", "duckdb", "pyarrow", "pandas", "numpy"}
    assert not foreign & (heavy | {"nautilus_trader", "omegaconf", "ray"})
