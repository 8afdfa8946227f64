"""Group `broker`: where orders go, and what trading there costs."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import BasisPoints, Group, Percent, SecretRef

FeeSchedule = Literal["none", "alpaca", "ibkr_fixed", "ibkr_tiered"]
"""Names of the dated commission schedules that `tradingd.costs` ships."""


class BrokerBase(Group, frozen=True, kw_only=True):
    """What every broker states: its costs and the kind of account."""

    fees: Annotated[FeeSchedule, Meta(description="Dated commission and regulatory schedule.")] = (
        "ibkr_tiered"
    )
    account: Annotated[
        Literal["margin", "cash"], Meta(description="Cash accounts may not sell short.")
    ] = "margin"
    borrow_rate: Annotated[
        Percent, Meta(description="Annual fee on the value of short positions, actual/360.")
    ] = 0.5


class SimulatedBroker(BrokerBase, tag_field="kind", tag="simulated", frozen=True, kw_only=True):
    """The venue inside the backtest engine; in paper mode the stand-alone simulated broker."""

    endpoint: Annotated[
        str,
        Meta(
            description="Unix socket of the simulated broker in paper mode; "
            "empty: simbroker.sock in the state folder."
        ),
    ] = ""
    launch: Annotated[
        bool,
        Meta(description="Paper: start the simulated broker when nothing listens on the socket."),
    ] = True
    half_spread_bps: Annotated[
        BasisPoints, Meta(description="Paper: half the spread around the last price.")
    ] = 1.0
    arrivals: Annotated[
        Literal["auto", "touch", "next_bar"],
        Meta(
            description="Paper: what arrives between bars trades at the touch, or in the next bar "
            "as in a backtest; auto: next_bar for daily bars, else touch."
        ),
    ] = "auto"
    commission_per_share: Annotated[
        Decimal, Meta(description="Paper: commission per share.", extra={"unit": "USD"})
    ] = Decimal("0.005")
    commission_min: Annotated[
        Decimal, Meta(description="Paper: least commission of an order.", extra={"unit": "USD"})
    ] = Decimal(1)

    def __post_init__(self) -> None:
        for name in ("commission_per_share", "commission_min"):
            amount: Decimal = getattr(self, name)
            if not amount.is_finite() or not 0 <= amount <= 1_000_000:
                raise ValueError(f"broker.{name} must be 0 to 1,000,000, found {amount}")
            if amount != round(amount, 9):
                raise ValueError(f"broker.{name} must have at most nine decimals, found {amount}")


class AlpacaBroker(BrokerBase, tag_field="kind", tag="alpaca", frozen=True, kw_only=True):
    """Alpaca; in a backtest only its costs matter."""

    fees: Annotated[FeeSchedule, Meta(description="Dated commission and regulatory schedule.")] = (
        "alpaca"
    )
    key_id: SecretRef = "env:APCA_API_KEY_ID"
    secret_key: SecretRef = "env:APCA_API_SECRET_KEY"  # noqa: S105 - a reference, no secret
    endpoint: Annotated[
        str,
        Meta(
            description="Base URL of the trading API; empty: Alpaca's own host of the mode. "
            "Another host than Alpaca's must be on this machine (tradingd sim alpaca)."
        ),
    ] = ""
    requests_per_minute: Annotated[
        int,
        Meta(
            ge=10,
            le=100_000,
            description="Requests a minute that the account allows; orders that reduce risk and "
            "cancels go first.",
        ),
    ] = 200
    connect_seconds: Annotated[
        float,
        Meta(gt=0, description="Wait for the first connection.", extra={"unit": "seconds"}),
    ] = 30.0


class IbkrBroker(BrokerBase, tag_field="kind", tag="ibkr", frozen=True, kw_only=True):
    """Interactive Brokers through TWS or IB Gateway; in a backtest only its costs matter."""

    host: Annotated[str, Meta(min_length=1, description="Host of TWS or IB Gateway.")] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            description="IB Gateway: 4002 paper, 4001 live; TWS: 7497 paper, 7496 live.",
        ),
    ] = 4002
    client_id: Annotated[
        int, Meta(ge=0, le=999, description="API client; one id per connection.")
    ] = 1


BrokerConfig = SimulatedBroker | AlpacaBroker | IbkrBroker
