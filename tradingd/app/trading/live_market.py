"""What a live feed and a real broker say of each symbol beside its bars: quotes, halts, facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from tradingd.domain.broker import AssetBook, Broker
from tradingd.domain.broker_reports import AssetFacts
from tradingd.domain.feed import Feed, LiveStreams, Quote, TradingHalt
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.execution.touch import Quotes


class LiveMarket:
    """The latest quote, halt and trading facts of every symbol.

    Parameters
    ----------
    feed : Feed
        Heard when it has more to say than bars (`LiveStreams`); before it is opened.
    now : Callable
        Session time, UTC ns: old quotes tell nothing.

    Attributes
    ----------
    heard : Callable
        Hears every quote.
    """

    def __init__(self, feed: Feed, now: Callable[[], int]) -> None:
        self.heard: Callable[[Quote], None] = lambda _: None
        self.halts: dict[str, TradingHalt] = {}
        self._quotes = Quotes(now)
        self._facts: Mapping[str, AssetFacts] = {}
        self._streams = feed if isinstance(feed, LiveStreams) else None
        if self._streams is not None:
            self._streams.listen(quote=self._quoted, halt=self._halted)

    async def ask(self, broker: Broker, symbols: Sequence[str]) -> list[str]:
        """Ask a broker that can tell for its facts; return the symbols that it does not know.

        Raises
        ------
        BrokerUnavailable
            When there is no answer; what was known before stands.
        """
        if not isinstance(broker, AssetBook):
            return []
        return self.know(await broker.assets(symbols), symbols)

    def know(self, facts: Iterable[AssetFacts], symbols: Iterable[str]) -> list[str]:
        """Take what the broker says of the symbols; return those that it does not know."""
        self._facts = {one.symbol: one for one in facts}
        return [symbol for symbol in symbols if symbol not in self._facts]

    def touch(self, symbol: str) -> tuple[Nanos, Nanos] | None:
        """Return (bid, ask) as last quoted; None without a usable quote."""
        return self._quotes.touch(symbol)

    def refusal(self, symbol: str, side: Side, after: int) -> str | None:
        """Return why nothing may be opened or enlarged in a symbol; None when it may.

        Parameters
        ----------
        symbol : str
        side : Side
            Of the order.
        after : int
            Signed shares that would be held after it: a sale that leaves fewer than none is short.
        """
        halt = self.halts.get(symbol)
        if halt is not None:
            return f"trading in {symbol} is halted: {halt.reason}"
        facts = self._facts.get(symbol)
        if facts is None:
            return f"the broker does not know {symbol}" if self._facts else None
        if not facts.tradable:
            return f"the broker does not trade {symbol}"
        if side is Side.SELL and after < 0 and not (facts.shortable and facts.easy_to_borrow):
            return f"{symbol} cannot be sold short: the broker has no shares to borrow"
        return None

    @property
    def mute(self) -> tuple[str, ...]:
        """Symbols that are subscribed and silent while others speak."""
        return () if self._streams is None else tuple(self._streams.mute())

    def _quoted(self, quote: Quote) -> None:
        self._quotes.take(quote)
        self.heard(quote)

    def _halted(self, told: TradingHalt) -> None:
        if told.halted:
            self.halts[told.symbol] = told
        else:
            self.halts.pop(told.symbol, None)
