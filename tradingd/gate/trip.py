"""One round trip of a symbol, from flat to flat."""

import msgspec

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side


class ClosedTrip(msgspec.Struct, frozen=True, kw_only=True):
    """A finished round trip; quantities and prices in the share units of the entry.

    `quantity` counts every share entered, so (exit_price - entry_price) x quantity x side is the
    gross result, through splits too: 100 shares bought at 645 and sold as 700 at 93 read entry
    645, exit 651. `realised` is the gross result less `commission`; cash in lieu of a fraction is
    part of the exit. `dividends` (negative when paid on a short) and `borrow` stand apart.
    """

    strategy: str
    symbol: str
    side: Side
    quantity: int
    entry_price: Nanos
    exit_price: Nanos
    realised: Nanos
    commission: Nanos
    slippage: Nanos
    dividends: Nanos
    borrow: Nanos
    ts_opened: int
    ts_closed: int

    @property
    def net(self) -> Nanos:
        """Result with dividends and borrow fees; the loss streak goes by its sign."""
        return self.realised + self.dividends - self.borrow


class Trip(msgspec.Struct, kw_only=True):
    """A round trip in progress. Mutable on purpose: the book adds every fill to it."""

    strategy: str
    sign: int
    ts_opened: int
    quantity: int = 0
    entered: Nanos = 0
    exited: Nanos = 0
    commission: Nanos = 0
    slippage: Nanos = 0
    dividends: Nanos = 0
    borrow: Nanos = 0

    def closed(self, symbol: str, ts: int) -> ClosedTrip:
        """Return the finished trip."""
        return ClosedTrip(
            strategy=self.strategy,
            symbol=symbol,
            side=Side.BUY if self.sign > 0 else Side.SELL,
            quantity=self.quantity,
            entry_price=divided(self.entered, self.quantity),
            exit_price=divided(self.exited, self.quantity),
            realised=self.sign * (self.exited - self.entered) - self.commission,
            commission=self.commission,
            slippage=self.slippage,
            dividends=self.dividends,
            borrow=self.borrow,
            ts_opened=self.ts_opened,
            ts_closed=ts,
        )


def divided(amount: Nanos, parts: int) -> Nanos:
    """Divide an amount, rounding half up to a whole nano; 0 where there are no parts."""
    return (2 * amount + parts) // (2 * parts) if parts > 0 else 0
