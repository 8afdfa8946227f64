"""A connection of our own to the broker that a configuration names; nothing is launched."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from tradingd.app.clients import alpaca_client, broker_socket, rest_of
from tradingd.config.broker import AlpacaBroker as AlpacaConfig
from tradingd.config.broker import SimulatedBroker as SimulatedConfig
from tradingd.config.mode import LiveMode
from tradingd.config.secrets import resolve
from tradingd.config.system import SystemConfig
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
)
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.keys import resolved

_PATIENCE: Final = 15.0
"""Seconds for a first answer: a person waits."""


class Asked(Protocol):
    """What a verification asks of a broker's client: questions only, no command."""

    @property
    def name(self) -> str:
        """Kind of broker."""
        ...

    async def connect(self) -> BrokerAccount:
        """Connect and log in; Failure BROKER when that fails."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def account(self) -> BrokerAccount:
        """Return cash and equity."""
        ...

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat."""
        ...

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account."""
        ...

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        """Return executions at or after a broker time."""
        ...

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return adjustments at or after a broker time."""
        ...


def connection(config: SystemConfig, state: Path) -> Asked:
    """Return a client of the configured broker, not connected yet.

    Raises
    ------
    Failure
        CONFIG for a broker that cannot be asked, or keys that do not resolve.
    """
    seconds = config.supervision.command_seconds
    match config.broker:
        case SimulatedConfig():
            from tradingd.brokers.simulated.broker import SimulatedBroker

            return SimulatedBroker(broker_socket(config, state), timeout=seconds)
        case AlpacaConfig() as alpaca:
            return alpaca_client(
                resolved(resolve, alpaca.key_id, alpaca.secret_key),
                rest=rest_of(config, alpaca),
                live=isinstance(config.mode, LiveMode),
                timeout=seconds,
                # The daemon needs the account's rate more than we do.
                requests_per_minute=max(10, alpaca.requests_per_minute // 4),
                connect_seconds=min(alpaca.connect_seconds, _PATIENCE),
                listen=False,
            )
    raise Failure(
        "this broker cannot be asked",
        code=ExitCode.CONFIG,
        where="broker",
        expected="simulated or alpaca",
        found=str(config.broker.__struct_config__.tag),
    )
