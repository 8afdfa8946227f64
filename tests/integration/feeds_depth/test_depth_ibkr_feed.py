"""`IbkrDepthFeed` through ib_async against a TWS on real sockets."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest
import uvloop

from tests.fakes.depth_hearing import Heard, until
from tests.servers.tws_depth import ASK, BID, DELETE, INSERT, UPDATE, Change, TwsDepth, tws_depth
from tradingd.config.depth import IbkrDepth
from tradingd.domain.depth import DepthEvent, DepthFeed, DepthGap, Dropping
from tradingd.domain.money import nanos
from tradingd.feeds.ibkr.feed import IbkrDepthFeed
from tradingd.feeds.ibkr.rules import Rules
from tradingd.kits.failure import ExitCode, Failure

KNOWN = {"FROG": 1, "AAPL": 2, "MSFT": 3, "NVDA": 4, "BRK B": 5}
QUICK = Rules(quiet=0.3, first_wait=0.02, longest_wait=0.05, ping=5, tick=0.01, again=0.02)
BOOK: list[Change] = [
    (0, INSERT, BID, 30.10, 200.0),
    (0, INSERT, ASK, 30.12, 300.0),
    (1, INSERT, BID, 30.09, 100.0),
]


def px(text: str) -> int:
    return nanos(Decimal(text))


class OneTime(Heard):
    """Interactive Brokers tells no time of the venue: both are ours."""

    def event(self, event: DepthEvent) -> None:
        assert event.ts_recv == event.ts_event
        super().event(event)


def made(
    tws: TwsDepth,
    *,
    exchange: str = "SMART",
    rows: int = 5,
    rules: Rules = QUICK,
    wall: Callable[[], int] = time.time_ns,
    timeout: float = 2.0,
) -> tuple[IbkrDepthFeed, Heard]:
    config = IbkrDepth(port=tws.port, client_id=9, exchange=exchange, rows=rows, timeout=timeout)
    feed = IbkrDepthFeed(config, wall=wall, rules=rules)
    heard = OneTime()
    feed.listen(heard)
    return feed, heard


@asynccontextmanager
async def running(feed: IbkrDepthFeed, *symbols: str) -> AsyncIterator[asyncio.Task[None]]:
    await feed.open()
    run = asyncio.create_task(feed.run())
    try:
        for symbol in symbols:
            await feed.subscribe(symbol)
        yield run
    finally:
        await feed.close()
        with suppress(ZeroDivisionError):
            async with asyncio.timeout(30):
                await run


def test_it_speaks_the_protocols_of_a_depth_feed() -> None:
    feed: DepthFeed = IbkrDepthFeed(IbkrDepth(exchange="ISLAND", rows=7), wall=time.time_ns)
    assert isinstance(feed, Dropping)
    told = (feed.label, feed.source, feed.levels, feed.replayed, feed.symbols())
    assert told == ("IB ISLAND", "ibkr", 7, False, None)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_book_is_told_change_by_change_exactly(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws, exchange="ISLAND")
        async with running(feed, "FROG"):
            await until(lambda: len(heard.events) == 3)
            tws.change("FROG", (0, UPDATE, ASK, 30.12, 250.0), (0, DELETE, BID, 0.0, 0.0))
            await until(lambda: len(heard.events) == 5)
        told = [
            (one.action, one.side, one.depth, one.price, one.size, one.closes)
            for one in heard.events
        ]
        assert told == [
            ("A", "B", 0, px("30.10"), 200, False),
            ("A", "A", 0, px("30.12"), 300, False),
            ("A", "B", 1, px("30.09"), 100, True),
            ("M", "A", 0, px("30.12"), 250, False),
            ("C", "B", 0, px("30.10"), 200, True),
        ]
        none = (None, None)
        assert heard.events[2].book(2) == (
            *(px("30.10"), px("30.12"), 200, 300, *none),
            *(px("30.09"), None, 100, 0, *none),
        )
        assert heard.events[4].book(1) == (px("30.09"), px("30.12"), 100, 250, *none)
        # A state does not change any more once it is told.
        assert heard.events[0].book(1) == (px("30.10"), None, 200, 0, *none)
        assert (heard.gaps, feed.dropped) == ([], 0)

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws), loop_factory=loop)


def test_rows_of_several_exchanges_at_one_price_are_one_level() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = [
            (0, INSERT, BID, 30.10, 200.0, "ARCA"),
            (1, INSERT, BID, 30.10, 100.0, "ISLAND"),
            (2, INSERT, BID, 30.09, 50.0, "BATS"),
        ]
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            await until(lambda: len(heard.events) == 3)
        last = heard.events[-1]
        assert (last.depth, last.book(2)[0::6]) == (1, (px("30.10"), px("30.09")))
        assert last.book(2)[2::6] == (300, 50)

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))
        (asked,) = tws.requests(10)
    # Exchange, rows, smart depth.
    assert (asked[10], asked[15], asked[16]) == ("SMART", "5", "1")


def test_nothing_but_contracts_depth_and_time_is_ever_asked() -> None:
    async def scene(tws: TwsDepth) -> None:
        feed, heard = made(tws, rules=Rules(quiet=0.1, ping=0.05))
        async with running(feed, "FROG"):
            await until(lambda: tws.requests(49))
            await feed.unsubscribe("FROG")
            await until(lambda: tws.requests(11))
            assert heard.gaps == []

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))
        assert tws.kinds() == {"71", "9", "10", "11", "49"}
        assert tws.sessions[0].client_id == 9


def test_a_share_class_is_asked_for_as_the_broker_writes_it() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["BRK B"] = [(0, INSERT, BID, 500.0, 1.0)]
        feed, heard = made(tws)
        async with running(feed, "BRK.B"):
            assert [event.symbol for event in heard.events] == ["BRK.B"]

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_fraction_of_a_share_is_cut_and_counted() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = [(0, INSERT, BID, 30.10, 200.7), (0, INSERT, ASK, 30.1234, 1.0)]
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            assert [(one.price, one.size) for one in heard.events] == [
                (px("30.10"), 200),
                (px("30.1234"), 1),
            ]
            assert feed.fractions == 1

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_an_unknown_symbol_is_refused_before_a_depth_line_is_used() -> None:
    async def scene(tws: TwsDepth) -> None:
        feed, _ = made(tws)
        async with running(feed):
            with pytest.raises(Failure, match="No security definition") as caught:
                await feed.subscribe("NOSUCH")
            assert caught.value.code is ExitCode.UNKNOWN_SYMBOL
            assert tws.requests(10) == []

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_fourth_book_is_refused_with_a_way_out_and_a_freed_line_is_used_again() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books = dict.fromkeys(KNOWN, BOOK)
        feed, heard = made(tws)
        async with running(feed, "FROG", "AAPL", "MSFT"):
            with pytest.raises(Failure, match="Max number") as caught:
                await feed.subscribe("NVDA")
            assert caught.value.code is ExitCode.FEED
            assert "3 depth lines" in caught.value.next_step
            await feed.unsubscribe("AAPL")
            await feed.subscribe("NVDA")
            assert tws.subscribed() == ["FROG", "MSFT", "NVDA"]
            assert heard.gaps == []

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


@pytest.mark.parametrize("code", [354, 10089, 10090, 10092, 10197])
def test_what_the_account_may_not_see_is_refused_with_tws_words(code: int) -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.refusals["FROG"] = (code, "Requested market data is not subscribed")
        feed, _ = made(tws)
        async with running(feed):
            with pytest.raises(Failure, match="is not subscribed") as caught:
                await feed.subscribe("FROG")
            assert caught.value.code is ExitCode.FEED
            assert f"code {code}" in caught.value.where
            assert "Client Portal" in caught.value.next_step
            assert feed._streams == {}

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_exchanges_without_permission_matter_only_when_no_other_tells_rows() -> None:
    text = "Exchanges - Depth: ARCA; Need additional market data permissions - Depth: BATS"

    async def scene(tws: TwsDepth) -> None:
        tws.refusals = {"FROG": (2152, text), "AAPL": (2152, text)}
        tws.books["FROG"] = BOOK
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            assert len(heard.events) == 3
            with pytest.raises(Failure, match="additional market data permissions"):
                await feed.subscribe("AAPL")
            await until(lambda: tws.subscribed() == ["FROG"])

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_refusal_that_comes_late_is_a_gap_and_ends_the_subscription() -> None:
    async def scene(tws: TwsDepth) -> None:
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            tws.error("FROG", 10197, "No market data during competing live session")
            await until(lambda: heard.gaps)
            assert [(gap.symbol, gap.reason) for gap in heard.gaps] == [("FROG", "refused")]
            tws.hang_up()
            await until(lambda: tws.connections == 2)
            assert tws.subscribed() == []

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_reset_empties_the_book_between_the_rows_before_and_after_it() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            text = "Market depth data has been RESET. Please empty deep book contents"
            tws.error("FROG", 317, text, then=((0, INSERT, BID, 29.0, 10.0),))
            await until(lambda: len(heard.events) == 5)
        assert [(gap.symbol, gap.reason) for gap in heard.gaps] == [("FROG", "cleared")]
        cleared, first = heard.events[3:]
        assert (cleared.action, cleared.closes) == ("R", True)
        assert cleared.book(1) == (None, None, 0, 0, None, None)
        assert first.book(2)[0::6] == (px("29.0"), None)

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_halted_book_is_subscribed_again() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            tws.error("FROG", 316, "Market depth data has been HALTED. Please re-subscribe.")
            await until(lambda: len(heard.events) == 7)
            assert [gap.reason for gap in heard.gaps] == ["cleared"]
            assert len(tws.requests(10)) == 2
            assert tws.subscribed() == ["FROG"]

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_data_lost_between_tws_and_the_broker_is_a_gap_and_subscribed_again() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            tws.error("", 1100, "Connectivity between IB and TWS has been lost")
            await until(lambda: heard.gaps)
            tws.forget()
            tws.error("", 1101, "Connectivity has been restored - data lost")
            await until(lambda: len(heard.events) == 6)
            assert [gap.reason for gap in heard.gaps] == ["reconnect"]
            assert heard.events[-1].book(1)[2] == 200
            tws.error("", 1101, "Connectivity has been restored - data lost")
            await until(lambda: len(heard.gaps) == 2)
        assert tws.connections == 1

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_data_kept_between_tws_and_the_broker_is_not_subscribed_again() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws)
        async with running(feed, "FROG"):
            tws.error("", 1100, "Connectivity between IB and TWS has been lost")
            await until(lambda: heard.gaps)
            at = heard.reached_at
            await asyncio.sleep(0.05)
            # Nobody can tell how far the data has come.
            assert heard.reached_at == at
            tws.error("", 1102, "Connectivity has been restored - data maintained")
            await until(lambda: heard.reached_at > at)
            tws.change("FROG", (0, UPDATE, BID, 30.10, 7.0))
            await until(lambda: len(heard.events) == 4)
            assert heard.events[-1].book(2)[2::6] == (7, 100)
        assert len(tws.requests(10)) == 1

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_lost_socket_is_mended_with_fresh_books() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books = {"FROG": BOOK, "AAPL": BOOK}
        feed, heard = made(tws)
        async with running(feed, "FROG", "AAPL"):
            tws.books["FROG"] = [(0, INSERT, BID, 31.0, 5.0)]
            tws.hang_up()
            await until(lambda: len(heard.events) == 10)
        story = [
            (one.symbol, one.reason if isinstance(one, DepthGap) else one.action)
            for one in heard.all
        ]
        assert story[6:8] == [("FROG", "reconnect"), ("AAPL", "reconnect")]
        (fresh,) = [one for one in heard.events[6:] if one.symbol == "FROG"]
        assert fresh.book(2)[0::6] == (px("31.0"), None)

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_dead_line_is_noticed_and_a_quiet_one_is_kept() -> None:
    async def scene(tws: TwsDepth) -> None:
        rules = Rules(quiet=0.1, ping=0.1, first_wait=0.02, longest_wait=0.05)
        feed, heard = made(tws, rules=rules, timeout=0.3)
        async with running(feed, "FROG"):
            await until(lambda: len(tws.requests(49)) >= 2)
            assert (tws.connections, heard.gaps) == (1, [])
            tws.silent = True
            await until(lambda: tws.connections >= 2)
            assert "nothing heard" in heard.gaps[0].detail
            tws.silent = False
            await until(lambda: tws.subscribed() == ["FROG"])

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_client_id_in_use_is_a_failure_that_says_so() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.taken = {9}
        feed, _ = made(tws)
        with pytest.raises(Failure, match="already in use") as caught:
            await feed.open()
        assert caught.value.code is ExitCode.FEED
        assert "depth.client_id" in caught.value.next_step
        await feed.close()

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_nobody_at_the_port_is_a_failure_that_names_it() -> None:
    async def scene() -> None:
        with tws_depth(KNOWN) as tws:
            feed, _ = made(tws)
        with pytest.raises(Failure, match=f"127.0.0.1:{tws.port}") as caught:
            await feed.open()
        assert caught.value.code is ExitCode.FEED
        assert "IB Gateway" in caught.value.next_step

    asyncio.run(scene())


def test_a_program_that_does_not_greet_is_given_up() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.mute = True
        feed, _ = made(tws, timeout=0.2)
        with pytest.raises(Failure, match="no answer within"):
            await feed.open()

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_a_contract_that_is_not_answered_is_a_failure_in_time() -> None:
    async def scene(tws: TwsDepth) -> None:
        feed, _ = made(tws, timeout=0.2)
        async with running(feed):
            tws.silent = True
            with pytest.raises(Failure, match="no answer about FROG"):
                await feed.subscribe("FROG")

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_two_who_subscribe_at_once_share_one_line() -> None:
    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, _ = made(tws)
        async with running(feed):
            await asyncio.gather(feed.subscribe("FROG"), feed.subscribe("FROG"))
            results = await asyncio.gather(
                feed.subscribe("NOSUCH"), feed.subscribe("NOSUCH"), return_exceptions=True
            )
            assert [type(result) for result in results] == [Failure, Failure]
        assert len(tws.requests(10)) == 1

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_our_clock_may_go_back_but_no_time_that_is_told() -> None:
    walls = itertools.chain([2_000, 1_000], itertools.count(1_500, 1_000))

    async def scene(tws: TwsDepth) -> None:
        tws.books["FROG"] = BOOK
        feed, heard = made(tws, wall=lambda: next(walls))
        async with running(feed, "FROG"):
            for size in range(1, 40):
                tws.change("FROG", (0, UPDATE, BID, 30.1, float(size)))
            await until(lambda: len(heard.events) == 42)
            times = [event.ts_recv for event in heard.events]
            assert times == sorted(times)
            assert times[0] >= 2_000
            assert times[-1] > times[0]

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))


def test_what_a_listener_raises_ends_the_run() -> None:
    class Broken(Heard):
        def event(self, event: DepthEvent) -> None:
            raise ZeroDivisionError

    async def scene(tws: TwsDepth) -> None:
        feed, _ = made(tws)
        feed.listen(Broken())
        async with running(feed, "FROG") as run:
            tws.change("FROG", *BOOK)
            with pytest.raises(ZeroDivisionError):
                async with asyncio.timeout(30):
                    await run

    with tws_depth(KNOWN) as tws:
        asyncio.run(scene(tws))
