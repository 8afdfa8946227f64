"""What TWS refuses, in words a person can act on."""

from typing import Final

from tradingd.feeds.ibkr import codes
from tradingd.kits.failure import ExitCode, Failure

_STEPS: Final = {
    codes.TOO_MANY: "an account has 3 depth lines unless it trades a lot or buys Quote Booster "
    "packs: lower the recorder's number of streams, or close depth windows in TWS",
    codes.CLIENT_ID_TAKEN: "another program has this client id: choose another depth.client_id",
}
_PERMISSION: Final = (
    "subscribe to the exchange's depth of book in Client Portal (Settings, Market Data), accept "
    "the API's market data agreement, and end other sessions of the same user; or choose another "
    "depth.exchange"
)


def unreachable(address: str, why: str, code: int = 0) -> Failure:
    """Return the failure to connect."""
    step = "start TWS or IB Gateway and log in; in its settings, API: enable socket clients, set "
    return Failure(
        f"no connection to TWS or IB Gateway: {why}",
        code=ExitCode.FEED,
        where=address,
        expected="TWS or IB Gateway, listening there for API clients",
        next_step=_STEPS.get(code, f"{step}the port of depth.port, trust this machine"),
    )


def unknown_symbol(symbol: str, exchange: str, why: str) -> Failure:
    """Return the failure to find one stock by that name."""
    return Failure(
        f"Interactive Brokers has no single US stock {symbol} on {exchange}: {why}",
        code=ExitCode.UNKNOWN_SYMBOL,
        where=f"{symbol} on {exchange}",
        next_step="check its spelling, and depth.exchange (SMART knows every US stock)",
    )


def refused(symbol: str, exchange: str, code: int, why: str) -> Failure:
    """Return the refusal of a subscription, in TWS's words."""
    step = _PERMISSION if code in codes.PERMISSIONS else "look the code up in IB's message codes"
    return Failure(
        f"Interactive Brokers refuses the depth of {symbol}: {why}",
        code=ExitCode.FEED,
        where=f"{symbol} on {exchange}, code {code}",
        next_step=_STEPS.get(code, step),
    )


def unanswered(symbol: str, address: str, seconds: float) -> Failure:
    """Return the failure to hear anything about a symbol."""
    return Failure(
        f"no answer about {symbol} within {seconds:g} s",
        code=ExitCode.FEED,
        where=address,
        expected="TWS connected to Interactive Brokers",
        next_step="look at TWS: it may be logging in or restarting; or raise depth.timeout",
    )


def not_open() -> Failure:
    """Return the failure to use a feed that is not open."""
    return Failure(
        "the depth feed is not open",
        code=ExitCode.FEED,
        next_step="listen, then open, then subscribe",
    )
