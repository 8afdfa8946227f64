"""`DatabentoDepthFeed` through the vendor's client against a gateway on real sockets."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import databento_dbn as dbn
import pytest
import uvloop

from tests.fakes.depth_hearing import Heard, until
from tests.servers.databento_gateway import KEY, DatabentoGateway, databento_gateway, record
from tradingd.config.depth import DatabentoDepth
from tradingd.config.secrets import Secret
from tradingd.domain.depth import DepthEvent, DepthFeed, DepthGap, Dropping
from tradingd.feeds.databento.feed import DatabentoDepthFeed
from tradingd.feeds.databento.rules import Rules
from tradingd.kits.failure import ExitCode, Failure

FROG, AAPL = 6292, 38
KNOWN = {"FROG": FROG, "AAPL": AAPL}
QUICK = Rules(connect=3, answer=0.3, first_wait=0.02, longest_wait=0.05, refusals=3)


def made(
    gateway: DatabentoGateway, *, key: str = KEY, rules: Rules = QUICK, room: int = 200_000
) -> tuple[DatabentoDepthFeed, Heard]:
    config = DatabentoDepth(gateway="127.0.0.1", port=gateway.port, queue_events=room)
    feed = DatabentoDepthFeed(config, Secret("env:KEY", key), wall=time.time_ns, rules=rules)
    heard = Heard()
    feed.listen(heard)
    return feed, heard


@asynccontextmanager
async def running(feed: DatabentoDepthFeed, *symbols: str) -> AsyncIterator[asyncio.Task[None]]:
    await feed.open()
    run = asyncio.create_task(feed.run())
    try:
        for symbol in symbols:
            await feed.subscribe(symbol)
        yield run
    finally:
        await feed.close()
        with suppress(Failure, ZeroDivisionError):
            async with asyncio.timeout(30):
                await run


def library_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if "databento" in one.name]


def test_it_speaks_the_protocols_of_a_depth_feed() -> None:
    config = DatabentoDepth(schema="mbp-1")
    feed: DepthFeed = DatabentoDepthFeed(config, Secret("env:K", "k"), wall=time.time_ns)
    assert isinstance(feed, Dropping)
    told = (feed.label, feed.source, feed.levels, feed.replayed, feed.symbols())
    assert told == ("XNAS.ITCH", "databento", 1, False, None)
    assert library_threads() == []


def test_records_of_a_subscribed_symbol_are_told_with_their_books() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.send(
                record(FROG, 10_000, sequence=4), record(FROG, 10_000, flags=0, sequence=5)
            )
            gateway.send(record(AAPL, 11_000))
            gateway.send(record(FROG, 12_000, sequence=6, size=7))
            await until(lambda: len(heard.events) == 3)
        told = [(e.symbol, e.ts_event, e.ts_recv, e.sequence, e.closes) for e in heard.events]
        assert told == [
            ("FROG", 9_000, 10_000, 4, True),
            ("FROG", 9_000, 10_000, 5, False),
            ("FROG", 11_000, 12_000, 6, True),
        ]
        assert heard.events[-1].book(1) == (30_000_000_000, 30_010_000_000, 7, 7, 1, 2)
        assert heard.gaps == []
        assert heard.reached_at == 11_999

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert library_threads() == []


def test_the_client_asks_for_what_is_configured() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway)
        async with running(feed, "FROG", "AAPL"):
            pass

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
        hello, *rest = gateway.requests()
    assert (hello["dataset"], hello["heartbeat_interval_s"]) == ("XNAS.ITCH", "5")
    assert hello["slow_reader_behavior"] == "warn"
    asked = [(line.get("schema"), line.get("symbols")) for line in rest]
    assert asked == [("mbp-10", "FROG"), (None, None), ("mbp-10", "AAPL")]


def test_a_symbol_that_does_not_resolve_fails_its_subscription_only() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            with pytest.raises(Failure) as caught:
                await feed.subscribe("NOSUCH")
            assert caught.value.code is ExitCode.UNKNOWN_SYMBOL
            assert "NOSUCH" in caught.value.line()
            gateway.send(record(FROG, 10_000))
            await until(lambda: heard.events)
            assert heard.gaps == []

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_gateway_that_ends_the_session_over_a_symbol_is_connected_to_again_without_it() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.fatal_unknown = True
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            with pytest.raises(Failure, match="NOSUCH"):
                await feed.subscribe("NOSUCH")
            await until(lambda: gateway.connections == 2 and gateway.streaming)
            assert gateway.subscriptions() == ["FROG"]
            assert [gap.reason for gap in heard.gaps] == ["reconnect"]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_refusal_that_comes_late_is_told_as_a_gap() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.answers = False
        feed, heard = made(gateway)
        async with running(feed, "FROG", "LATE"):
            gateway.error("no such instrument: LATE", dbn.ErrorCode.SYMBOL_RESOLUTION_FAILED)
            await until(lambda: heard.gaps)
            assert [(gap.symbol, gap.reason) for gap in heard.gaps] == [("LATE", "refused")]
            gateway.hang_up()
            await until(lambda: gateway.connections == 2 and gateway.streaming)
            assert gateway.subscriptions() == ["FROG"]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_subscription_that_the_licence_lacks_fails_with_the_vendors_words() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.answers = False
        feed, _ = made(gateway)
        async with running(feed):
            asking = asyncio.create_task(feed.subscribe("FROG"))
            await until(lambda: gateway.streaming)
            gateway.error("Not entitled to mbp-10", dbn.ErrorCode.INVALID_SUBSCRIPTION)
            with pytest.raises(Failure, match="Not entitled to mbp-10") as caught:
                await asking
            assert caught.value.code is ExitCode.FEED

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_wrong_key_is_refused_at_the_start_without_being_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = "db-WRONGWRONGWRONGWRONGWRONGWRON"

    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway, key=wrong)
        with pytest.raises(Failure) as caught:
            await feed.open()
        line = caught.value.line()
        assert caught.value.code is ExitCode.FEED
        assert f"127.0.0.1:{gateway.port}" in line
        assert "env:KEY" in line
        assert "depth.key" in line
        assert wrong not in line

        gateway.refusal = f"User authentication failed: {wrong} is deactivated"
        with pytest.raises(Failure, match=r"\(key\) is deactivated"):
            await feed.open()

    with caplog.at_level(logging.DEBUG), databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert wrong not in caplog.text
    assert library_threads() == []


def test_the_key_is_in_no_log_of_ours_or_the_clients(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.error(f"trouble with {KEY}", dbn.ErrorCode.INTERNAL_ERROR)
            gateway.hang_up()
            await until(lambda: heard.gaps)
            assert KEY not in str(heard.gaps)

    with caplog.at_level(logging.DEBUG), databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("tradingd")]
    assert ours
    assert not any(KEY in text for text in ours)
    theirs = [one.getMessage() for one in caplog.records if one.name.startswith("databento")]
    assert any("trouble with (key)" in text for text in theirs)
    assert not any(KEY in text for text in theirs)


def test_an_empty_key_is_refused_before_anything_is_dialled() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway, key="  ")
        with pytest.raises(Failure, match="no Databento key") as caught:
            await feed.open()
        assert caught.value.code is ExitCode.CONFIG

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
        assert gateway.connections == 0


def test_a_closed_port_is_a_failure_that_names_it() -> None:
    async def scene() -> None:
        with databento_gateway(KNOWN) as gateway:
            feed, _ = made(gateway)
        with pytest.raises(Failure, match=f"127.0.0.1:{gateway.port}") as caught:
            await feed.open()
        assert caught.value.code is ExitCode.FEED

    asyncio.run(scene())
    assert library_threads() == []


def test_a_gateway_that_never_greets_is_given_up() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.mute = True
        feed, _ = made(gateway, rules=Rules(connect=0.2))
        with pytest.raises(Failure, match="no answer within"):
            await feed.open()

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert library_threads() == []


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_lost_connection_is_mended_and_told_in_its_place(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG", "AAPL"):
            gateway.send(record(FROG, 10_000, sequence=9))
            # Half a record is no record.
            gateway.hang_up(bytes(record(FROG, 11_000, sequence=10))[:100])
            await until(lambda: gateway.connections == 2 and gateway.streaming)
            assert sorted(gateway.subscriptions()) == ["AAPL", "FROG"]
            # Another session may count anew: that is no second gap.
            gateway.send(record(FROG, 20_000, sequence=1), record(AAPL, 20_500, sequence=1))
            await until(lambda: len(heard.events) == 3)
        story = [
            (one.symbol, one.reason if isinstance(one, DepthGap) else one.ts_recv)
            for one in heard.all
        ]
        assert story == [
            ("FROG", 10_000),
            ("FROG", "reconnect"),
            ("AAPL", "reconnect"),
            ("FROG", 20_000),
            ("AAPL", 20_500),
        ]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway), loop_factory=loop)
    assert library_threads() == []


def test_a_silent_connection_is_given_up_and_a_beating_one_is_kept() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.silent = True
        rules = Rules(answer=0.1, first_wait=0.02, longest_wait=0.05, silence=0.3)
        feed, heard = made(gateway, rules=rules)
        async with running(feed, "FROG"):
            for _ in range(8):
                gateway.heartbeat(time.time_ns())
                await asyncio.sleep(0.1)
            assert gateway.connections == 1
            await until(lambda: gateway.connections == 2)
            await until(lambda: heard.gaps)
            assert "nothing heard for 0.3 s" in heard.gaps[0].detail

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert library_threads() == []


def test_heartbeats_carry_the_time_on_with_a_margin() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.heartbeat(20_000_000_000)
            await until(lambda: heard.reached_at)
            assert heard.reached_at == 18_999_999_999

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_gateway_that_is_away_for_a_while_is_found_again() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.refusal = "Connection limit reached"
            gateway.hang_up()
            await until(lambda: gateway.connections == 2)
            gateway.refusal = ""
            await until(lambda: gateway.streaming)
            gateway.send(record(FROG, 20_000))
            await until(lambda: heard.events)

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_sessions_refused_again_and_again_end_the_run() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway)
        await feed.open()
        run = asyncio.create_task(feed.run())
        await feed.subscribe("FROG")
        gateway.refusal = "API key deactivated"
        gateway.hang_up()
        with pytest.raises(Failure, match="API key deactivated"):
            async with asyncio.timeout(30):
                await run
        assert gateway.connections == 1 + QUICK.refusals
        await feed.close()

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert library_threads() == []


def test_a_symbol_subscribed_while_the_connection_is_away_is_asked_for_after_it() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.refusal = "later"
            gateway.hang_up()
            await until(lambda: gateway.connections == 2)
            asking = asyncio.create_task(feed.subscribe("AAPL"))
            gateway.refusal = ""
            await asking
            await until(lambda: gateway.streaming)
            await until(lambda: sorted(gateway.subscriptions()) == ["AAPL", "FROG"])
            gateway.send(record(AAPL, 20_000))
            await until(lambda: heard.events)

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_a_symbol_subscribed_while_a_connection_is_being_made_is_asked_for_on_it() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway)
        async with running(feed, "FROG"):
            gateway.delay = 0.2
            gateway.hang_up()
            await until(lambda: gateway.connections == 2)
            await feed.subscribe("AAPL")
            await until(lambda: gateway.subscriptions() == ["FROG", "AAPL"])
        assert gateway.connections == 2

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_records_that_wait_when_their_symbol_is_given_up_are_not_told() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG", "AAPL"):
            gateway.send(record(FROG, 10_000), record(AAPL, 10_001))
            # The loop is held until both wait at the border.
            while len(feed._border) < 2:
                time.sleep(0.001)  # noqa: ASYNC251
            await feed.unsubscribe("FROG")
            await until(lambda: heard.events)
            assert [event.symbol for event in heard.events] == ["AAPL"]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_an_unsubscribed_symbol_is_silent_until_it_is_wanted_again() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG", "AAPL"):
            await feed.unsubscribe("FROG")
            await feed.unsubscribe("FROG")
            gateway.send(record(FROG, 10_000), record(AAPL, 10_001))
            await until(lambda: heard.events)
            await feed.subscribe("FROG")
            gateway.send(record(FROG, 10_002))
            await until(lambda: len(heard.events) == 2)
            assert [event.ts_recv for event in heard.events] == [10_001, 10_002]
            # The session still had it: nothing was asked twice, nothing counts as dropped.
            assert gateway.subscriptions() == ["FROG", "AAPL"]
            assert feed.dropped == 0
            await feed.unsubscribe("FROG")
            gateway.hang_up()
            await until(lambda: gateway.connections == 2 and gateway.streaming)
            assert gateway.subscriptions() == ["AAPL"]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_another_instrument_behind_a_symbol_is_a_gap() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG"):
            gateway.send(record(FROG, 10_000, sequence=50))
            gateway.map("FROG", 777)
            gateway.send(record(FROG, 11_000), record(777, 12_000, sequence=3))
            await until(lambda: len(heard.events) == 2)
            assert [event.ts_recv for event in heard.events] == [10_000, 12_000]
            assert [(gap.reason, gap.detail) for gap in heard.gaps] == [
                ("cleared", "instrument 6292 is now 777")
            ]

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_records_that_the_gateway_left_out_are_a_gap_of_every_symbol() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway)
        async with running(feed, "FROG", "AAPL"):
            code = dbn.ErrorCode.SKIPPED_RECORDS_AFTER_SLOW_READING
            gateway.error("skipped to catch up", code)
            await until(lambda: len(heard.gaps) == 2)
            assert {(gap.symbol, gap.reason, gap.lost) for gap in heard.gaps} == {
                ("FROG", "dropped", 0),
                ("AAPL", "dropped", 0),
            }

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_what_overflows_the_queue_is_counted_to_the_record() -> None:
    count, room = 20_000, 1_000

    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway, room=room)
        async with running(feed, "FROG"):
            heard.slow = 0.0005
            one = bytearray(bytes(record(FROG, 10_000)))
            pouring = asyncio.create_task(asyncio.to_thread(gateway.pour, bytes(one) * count))
            await until(lambda: feed.dropped, seconds=20)
            heard.slow = 0.0
            await pouring
            last = record(FROG, 20_000)
            await until(lambda: len(heard.events) + feed.dropped == count, seconds=20)
            await asyncio.sleep(0)
            gateway.send(last)
            await until(lambda: heard.events[-1].ts_recv == 20_000)
            assert len(heard.events) - 1 + feed.dropped == count
            assert feed.dropped == sum(gap.lost for gap in heard.gaps)
            assert {gap.reason for gap in heard.gaps} == {"dropped"}
            # Runs, not records: fewer than one gap for each half of the queue.
            assert len(heard.gaps) <= count / (room / 2)

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_what_a_listener_raises_ends_the_run() -> None:
    class Broken(Heard):
        def event(self, event: DepthEvent) -> None:
            raise ZeroDivisionError

    async def scene(gateway: DatabentoGateway) -> None:
        feed, _ = made(gateway)
        feed.listen(Broken())
        async with running(feed, "FROG") as run:
            gateway.send(record(FROG, 10_000))
            with pytest.raises(ZeroDivisionError):
                async with asyncio.timeout(30):
                    await run

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))


def test_closing_ends_the_run_and_answers_who_waits() -> None:
    async def scene(gateway: DatabentoGateway) -> None:
        gateway.answers = False
        feed, _ = made(gateway, rules=Rules(answer=30))
        await feed.open()
        run = asyncio.create_task(feed.run())
        asking = asyncio.create_task(feed.subscribe("FROG"))
        await until(lambda: gateway.streaming)
        async with asyncio.timeout(30):
            await feed.close()
            await run
            await asking
        await feed.close()
        with pytest.raises(Failure, match="not open"):
            await feed.subscribe("AAPL")

    with databento_gateway(KNOWN) as gateway:
        asyncio.run(scene(gateway))
    assert library_threads() == []


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("xnas-itch-20250403.FROG.am.mbp-10.dbn.zst", "FROG"),
        ("xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst", "AAPL"),
    ],
)
def test_a_real_morning_through_the_gateway_is_the_files_records_and_books(
    real_data: Path, name: str, symbol: str
) -> None:
    import databento

    records = list(databento.DBNStore.from_bytes((real_data / "dbn" / name).read_bytes()))

    async def scene(gateway: DatabentoGateway) -> None:
        feed, heard = made(gateway, rules=Rules())
        async with running(feed, symbol):
            data = b"".join(map(bytes, records))
            pouring = asyncio.to_thread(gateway.pour, data, piece=10_007)
            await pouring
            await until(lambda: len(heard.all) >= len(records), seconds=20)
        assert heard.gaps == []
        for event, true in zip(heard.events, records, strict=True):
            assert event.symbol == symbol
            assert event.ts_event == true.ts_event
            assert event.ts_recv == true.ts_recv
            assert event.sequence == true.sequence
            assert event.price == (None if true.price == dbn.UNDEF_PRICE else true.price)
            assert (event.action, event.side) == (true.action.value, true.side.value)
            assert (event.size, event.depth) == (true.size, true.depth)
            assert event.closes == bool(true.flags & dbn.F_LAST)
            assert not event.suspect
            flat = []
            for level in true.levels:
                flat += [level.pretty_bid_px, level.pretty_ask_px]
                flat += [level.bid_sz, level.ask_sz, level.bid_ct, level.ask_ct]
            told = list(event.book(10))
            for at, value in enumerate(told):
                if at % 6 < 2:
                    same = flat[at] != flat[at] if value is None else value == round(flat[at] * 1e9)
                else:
                    same = value == flat[at]
                assert same, (at, value, flat[at])

    with databento_gateway({symbol: records[0].instrument_id}) as gateway:
        asyncio.run(scene(gateway))
