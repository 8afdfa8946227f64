"""The engine with one pseudo-venue, one account, and one instrument per symbol."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import CacheConfig, LoggerConfig
from nautilus_trader.execution import FeeModel, FillModel
from nautilus_trader.model import (
    AccountType,
    BarType,
    BookType,
    ClientOrderId,
    Equity,
    InstrumentId,
    OmsType,
    Quantity,
    Symbol,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig

from tradingd.domain.market import Instrument, Resolution
from tradingd.domain.money import Nanos
from tradingd.engine.units import PRECISION, USD, money, price

VENUE: Final = Venue("XNYS")
"""One venue is one exchange and one account, so all equities share one."""

_SPECS: Final = {
    Resolution.SECOND: "1-SECOND",
    Resolution.MINUTE: "1-MINUTE",
    Resolution.HOUR: "1-HOUR",
    Resolution.DAY: "1-DAY",
}
_BARS_KEPT: Final = 16
"""Bars a symbol that the engine's cache keeps; its default of 10,000 costs 2 MB a symbol."""
_NO_RATE_LIMIT: Final = "1000000000/00:00:01"
# The gate judges buying power; the engine's margin must never come first.
_LEVERAGE: Final = Decimal(1_000_000)


class Verbs:
    """The engine's order verbs, past the overrides that lead every strategy call to the desk."""

    def __init__(
        self,
        submit: Callable[..., None],
        submit_list: Callable[..., None],
        modify: Callable[..., None],
        cancel: Callable[..., None],
    ) -> None:
        self.submit = submit
        self.submit_list = submit_list
        self._modify = modify
        self._cancel = cancel

    def cancel(self, engine_id: str) -> None:
        """Cancel a working order."""
        self._cancel(ClientOrderId(engine_id))

    def modify(
        self,
        engine_id: str,
        *,
        quantity: int | None = None,
        limit: Nanos | None = None,
        stop: Nanos | None = None,
    ) -> None:
        """Change a working order; None leaves a value as it is."""
        self._modify(
            ClientOrderId(engine_id),
            None if quantity is None else Quantity.from_int(quantity),
            None if limit is None else price(limit),
            None if stop is None else price(stop),
        )


def instrument_id(symbol: str) -> InstrumentId:
    """Return the engine's id of a symbol."""
    return InstrumentId(Symbol(symbol), VENUE)


def bar_type(symbol: str, resolution: Resolution) -> BarType:
    """Return the engine's bar type of a symbol."""
    return BarType.from_str(f"{symbol}.{VENUE.value}-{_SPECS[resolution]}-LAST-EXTERNAL")


def equity(instrument: Instrument) -> Equity:
    """Return the engine's instrument, with a nano as its tick.

    The engine drops a fill between two ticks without a word, and the order rests for ever; bars
    have such prices (a midpoint print at the open, adjusted history). The real tick is applied
    where prices are made: slippage, limits, stops.
    """
    return Equity(
        instrument_id(instrument.symbol),
        Symbol(instrument.symbol),
        USD,
        PRECISION,
        price(1),
        0,
        0,
    )


def make_engine(
    cash: Nanos,
    instruments: Iterable[Instrument],
    fills: FillModel,
    fees: FeeModel,
    *,
    books: bool = False,
) -> BacktestEngine:
    """Return an engine ready for a strategy and data; it opens no socket and logs nothing.

    Its account is a margin account far from any limit whatever the broker's kind: what a cash or
    margin account may do is the gate's to say. Latency is the wire's. With `books` the venue
    matches against aggregated levels and keeps the queue before every resting limit.
    """
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggerConfig(bypass_logging=True),
            run_analysis=False,
            cache=CacheConfig(bar_capacity=_BARS_KEPT, tick_capacity=_BARS_KEPT),
            risk_engine=RiskEngineConfig(
                max_order_submit_rate=_NO_RATE_LIMIT, max_order_modify_rate=_NO_RATE_LIMIT
            ),
        )
    )
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [money(cash)],
        base_currency=USD,
        default_leverage=_LEVERAGE,
        fill_model=fills,
        fee_model=fees,
        # A stop that is already through the market acts at once, as at a broker.
        reject_stop_orders=False,
        book_type=BookType.L2_MBP if books else BookType.L1_MBP,
        bar_execution=not books,
        # The default gives a displayed share to every order that asks for it.
        liquidity_consumption=books,
        queue_position=books,
    )
    for instrument in instruments:
        engine.add_instrument(equity(instrument))
    return engine


def account_cash(engine: BacktestEngine) -> Nanos:
    """Return the engine's cash: its balance less what open positions cost.

    A margin account's balance moves by realised profit only, so the cost of open positions is
    still in it. The engine computes profits in floating point: good to far below a cent.
    """
    cache: Any = engine.cache
    account = cache.account_for_venue(VENUE)
    cash = account.balance_total(USD).as_decimal()
    for position in cache.positions_open():
        cash -= Decimal(position.signed_qty) * Decimal(position.avg_px_open)
    return int((cash * 1_000_000_000).to_integral_value())


def engine_positions(engine: BacktestEngine) -> dict[str, int]:
    """Return the engine's open positions by symbol, signed shares."""
    cache: Any = engine.cache
    found: dict[str, int] = {}
    for position in cache.positions_open():
        symbol = position.instrument_id.symbol.value
        found[symbol] = found.get(symbol, 0) + int(position.signed_qty)
    return {symbol: quantity for symbol, quantity in found.items() if quantity}
