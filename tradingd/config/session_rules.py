"""Keys that cannot stand together in a paper or live session.

They are asked when a session starts, and by `config check` and `doctor`, not when a configuration
is read: `broker=alpaca` alone is good for a backtest, whatever the feed.
"""

from collections.abc import Callable
from typing import Final

from tradingd.config.broker import IbkrBroker, SimulatedBroker
from tradingd.config.contradictions import Contradiction
from tradingd.config.feed import ReplayFeed
from tradingd.config.refusals import Origin, contradiction
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import Failure
from tradingd.kits.loopback import local


def demand_session(config: SystemConfig) -> None:
    """Refuse a configuration that no session can trade with.

    Raises
    ------
    Failure
        CONFIG, naming the keys.
    """
    if refusal := session_refusal(config):
        raise refusal


def session_refusal(config: SystemConfig, origin: Origin = lambda path: "") -> Failure | None:
    """Return why no session can trade with a configuration; None when one can.

    Parameters
    ----------
    config : SystemConfig
        Of a mode that trades: a backtest may have what these rules refuse.
    origin : callable
        Tells where a key was written.
    """
    found = next((found for rule in _RULES if (found := rule(config))), None)
    return None if found is None else contradiction(found, origin)


def _the_broker_can_trade(config: SystemConfig) -> Contradiction | None:
    if not isinstance(config.broker, IbkrBroker):
        return None
    return Contradiction(
        what="broker=ibkr cannot trade yet: it only gives a backtest its costs",
        keys=("broker.kind",),
        expected="simulated or alpaca",
        found="ibkr",
        next_step="broker=alpaca, broker=simulated, or mode=backtest",
    )


def _orders_and_prices_are_of_one_world(config: SystemConfig) -> Contradiction | None:
    """Real orders at prices of another day, or on the data of a drill, would only lose money."""
    if isinstance(config.broker, SimulatedBroker):
        return None
    feed, endpoint = config.feed, getattr(config.broker, "endpoint", "")
    if endpoint and local(endpoint):
        return None
    if isinstance(feed, ReplayFeed):
        found, key = "feed=replay: the prices of another day", "feed.kind"
    elif feed.endpoint and local(feed.endpoint):
        found, key = f"feed.endpoint={feed.endpoint}: a test server", "feed.endpoint"
    elif feed.data in ("test", "delayed_sip"):
        found, key = f"feed.data={feed.data}", "feed.data"
    else:
        return None
    return Contradiction(
        what="orders for a real broker need the prices of now",
        keys=("broker.kind", key),
        expected="feed=alpaca with feed.data=iex or sip",
        found=found,
        next_step="feed=alpaca, or broker=simulated",
    )


def _data_time_is_for_drills(config: SystemConfig) -> Contradiction | None:
    feed = config.feed
    if isinstance(feed, ReplayFeed) or feed.clock == "wall":
        return None
    if feed.endpoint and local(feed.endpoint):
        return None
    return Contradiction(
        what="only a test server on this machine has a time of its own",
        keys=("feed.clock", "feed.endpoint"),
        expected="feed.clock=wall, or feed.endpoint=http://127.0.0.1:PORT",
        found=f"feed.clock=data with {feed.endpoint or 'Alpaca itself'}",
        next_step="feed.clock=wall",
    )


_RULES: Final[tuple[Callable[[SystemConfig], Contradiction | None], ...]] = (
    _the_broker_can_trade,
    _orders_and_prices_are_of_one_world,
    _data_time_is_for_drills,
)
