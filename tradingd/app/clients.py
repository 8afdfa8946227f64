"""How a broker is reached: for trading, for checks from outside, for the kill switch.

Nothing is connected here, and a client is imported only when one is made.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tradingd.config.broker import AlpacaBroker as AlpacaConfig
from tradingd.config.broker import SimulatedBroker as SimulatedConfig
from tradingd.config.mode import LiveMode
from tradingd.config.system import SystemConfig
from tradingd.vendors.alpaca import hosts
from tradingd.vendors.alpaca.keys import Keys

if TYPE_CHECKING:
    from tradingd.brokers.alpaca.broker import AlpacaBroker


def alpaca_client(
    keys: Keys,
    *,
    rest: str,
    live: bool,
    timeout: float,
    requests_per_minute: int,
    connect_seconds: float,
    listen: bool = True,
) -> "AlpacaBroker":
    """Return the client of an Alpaca account; keys and host must fit the mode.

    Parameters
    ----------
    keys : Keys
    rest : str
        Base URL of the trading API.
    live : bool
        Whether the mode is live; paper otherwise.
    timeout, requests_per_minute, connect_seconds, listen
        As `AlpacaBroker` takes them.

    Raises
    ------
    Failure
        CONFIG, naming the key that does not fit.
    """
    from tradingd.brokers.alpaca.accounts import check_endpoint
    from tradingd.brokers.alpaca.broker import AlpacaBroker

    check_endpoint(mode="live" if live else "paper", rest=rest, keys=keys)
    return AlpacaBroker(
        keys,
        rest=rest,
        timeout=timeout,
        requests_per_minute=requests_per_minute,
        connect_seconds=connect_seconds,
        listen=listen,
    )


def rest_of(config: SystemConfig, alpaca: AlpacaConfig) -> str:
    """Return the base URL of the trading API."""
    return alpaca.endpoint or (hosts.LIVE if isinstance(config.mode, LiveMode) else hosts.PAPER)


def broker_socket(config: SystemConfig, state: Path) -> Path:
    """Return where the simulated broker listens."""
    stated = config.broker.endpoint if isinstance(config.broker, SimulatedConfig) else ""
    return Path(stated).expanduser() if stated else state / "simbroker.sock"
