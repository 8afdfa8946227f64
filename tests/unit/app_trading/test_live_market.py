"""Halts, facts and quotes of a live market: what may not be opened, and why."""

from collections.abc import Callable, Sequence

import pytest

from tradingd.app.trading.live_market import LiveMarket
from tradingd.domain.broker_reports import AssetFacts
from tradingd.domain.feed import Quote, TradingHalt
from tradingd.domain.orders import Side


class Streams:
    """A feed's side streams, told by the test."""

    def listen(
        self, *, quote: Callable[[Quote], None], halt: Callable[[TradingHalt], None]
    ) -> None:
        self.quote, self.halt = quote, halt

    def mute(self) -> Sequence[str]:
        return ["QUIET"]


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def market(streams: Streams) -> LiveMarket:
    return LiveMarket(streams, lambda: 0)  # type: ignore[arg-type] # it asks for no more than the streams


def test_nothing_is_opened_in_a_halted_symbol_until_it_trades_again(
    market: LiveMarket, streams: Streams
) -> None:
    streams.halt(TradingHalt(symbol="SPY", halted=True, reason="LULD pause", ts=1))
    assert "LULD pause" in (market.refusal("SPY", Side.BUY, 0) or "")
    assert market.refusal("AAPL", Side.BUY, 0) is None
    streams.halt(TradingHalt(symbol="SPY", halted=False, reason="", ts=2))
    assert market.refusal("SPY", Side.BUY, 0) is None


@pytest.mark.parametrize(
    ("facts", "side", "after", "refused"),
    [
        (AssetFacts(symbol="SPY"), Side.BUY, 0, False),
        (AssetFacts(symbol="SPY"), Side.SELL, -10, False),
        (AssetFacts(symbol="SPY", tradable=False), Side.BUY, 0, True),
        (AssetFacts(symbol="SPY", shortable=False), Side.SELL, -1, True),
        (AssetFacts(symbol="SPY", shortable=False), Side.SELL, 0, False),
        (AssetFacts(symbol="SPY", shortable=False), Side.SELL, -10, True),
        (AssetFacts(symbol="SPY", shortable=False), Side.SELL, 10, False),
        (AssetFacts(symbol="SPY", shortable=False), Side.BUY, 0, False),
        (AssetFacts(symbol="SPY", easy_to_borrow=False), Side.SELL, -1, True),
        (AssetFacts(symbol="OTHER"), Side.BUY, 0, True),
    ],
)
def test_what_the_broker_allows_decides(
    market: LiveMarket, facts: AssetFacts, side: Side, after: int, refused: bool
) -> None:
    market.know([facts], ["SPY"])
    assert (market.refusal("SPY", side, after) is not None) is refused


def test_symbols_the_broker_does_not_know_are_named(market: LiveMarket) -> None:
    assert market.know([AssetFacts(symbol="SPY")], ["SPY", "NOPE"]) == ["NOPE"]


def test_without_facts_everything_may_be_tried(market: LiveMarket) -> None:
    assert market.refusal("SPY", Side.SELL, 0) is None


@pytest.mark.parametrize(
    ("bid", "ask", "touch"),
    [(99, 101, (99, 101)), (100, 100, (100, 100)), (101, 99, None), (0, 100, None)],
)
def test_a_crossed_or_one_sided_quote_is_no_touch(
    market: LiveMarket, streams: Streams, bid: int, ask: int, touch: tuple[int, int] | None
) -> None:
    streams.quote(Quote("SPY", bid, ask, 1, 1, 1))
    assert market.touch("SPY") == touch
    assert market.touch("AAPL") is None


def test_symbols_that_are_mute_are_told(market: LiveMarket) -> None:
    assert market.mute == ("QUIET",)
