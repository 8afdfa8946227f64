"""What a strategy wants, what the gate answers, what the venue did."""

from enum import StrEnum

import msgspec

from tradingd.domain.money import Nanos


class Side(StrEnum):
    """Direction of an order or a fill."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sale."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """Order types the engine submits."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"


class Purpose(StrEnum):
    """Why an order exists; the gate treats increases and exits differently.

    ENTRY may open, enlarge or flip a position; EXIT and PROTECT only reduce one; CORPORATE books a
    split and passes outside gate, fees and trade counts.
    """

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    PROTECT = "PROTECT"
    CORPORATE = "CORPORATE"


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An order before it is allowed to leave; the gate's only input from a strategy.

    `price` is the limit price, or the last mark for a market order: the price the limits are
    checked at. `protective_stop` is the stop that will guard an entry (None where there is none).
    """

    order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    price: Nanos
    purpose: Purpose
    reason: str
    ts: int
    protective_stop: Nanos | None = None


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that an intent would break."""

    limit: str
    observed: str
    allowed: str
    explanation: str


class Verdict(msgspec.Struct, frozen=True):
    """The gate's answer: allowed when no limit denies."""

    denials: tuple[Denial, ...] = ()

    @property
    def allowed(self) -> bool:
        """True when the order may leave."""
        return not self.denials


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """An execution; `price` is what the venue reports, costs already in it are named apart.

    `slippage` is the part of (price - touch price) x quantity x side that the cost model added,
    positive when it cost money. `commission` is the sum of all fee components.
    """

    order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: int
    price: Nanos
    commission: Nanos
    slippage: Nanos
    purpose: Purpose
    ts: int
