"""What the broker or the market does not allow in a symbol is denied; what reduces leaves."""

import asyncio
from pathlib import Path

from tests.crash.life import Process
from tradingd.app.trading.live_market import LiveMarket
from tradingd.domain.broker_reports import AssetFacts
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import Admission, Wish


class NoStreams:
    """A feed of bars alone."""


def submit(process: Process, side: Side, quantity: int, purpose: Purpose) -> Admission:
    return process.shim.submit(
        Wish(
            strategy="test",
            symbol="AAA",
            side=side,
            quantity=quantity,
            type=OrderType.MARKET,
            purpose=purpose,
            reason="a test",
            ts=process.clock.now(),
        )
    )


def limits(answer: Admission) -> list[str]:
    return [one.limit for one in answer.verdict.denials]


def test_a_symbol_without_shares_to_borrow_is_bought_and_sold_but_never_sold_short(
    folder: Path,
) -> None:
    market = LiveMarket(NoStreams(), lambda: 0)  # type: ignore[arg-type] # nothing more is asked
    market.know([AssetFacts(symbol="AAA", shortable=False)], ["AAA"])
    process = Process(folder, closed=market.refusal)

    async def story() -> None:
        await process.start()
        await process.batch({})
        assert limits(submit(process, Side.SELL, 1, Purpose.ENTRY)) == ["market"]
        assert submit(process, Side.BUY, 10, Purpose.ENTRY).allowed
        async with asyncio.timeout(30):
            while process.book.position("AAA") is None:  # noqa: ASYNC110 - a fill tells nobody here
                await asyncio.sleep(0.01)
        assert limits(submit(process, Side.SELL, 11, Purpose.ENTRY)) == ["market"], (
            "a turn is short"
        )
        assert submit(process, Side.SELL, 10, Purpose.EXIT).allowed
        await process.end()

    asyncio.run(story())


def test_in_a_symbol_the_broker_does_not_trade_nothing_is_opened(folder: Path) -> None:
    market = LiveMarket(NoStreams(), lambda: 0)  # type: ignore[arg-type] # nothing more is asked
    market.know([AssetFacts(symbol="AAA", tradable=False)], ["AAA"])
    process = Process(folder, closed=market.refusal)

    async def story() -> None:
        await process.start()
        await process.batch({})
        assert limits(submit(process, Side.BUY, 1, Purpose.ENTRY)) == ["market"]
        await process.end()

    asyncio.run(story())
