"""The broker that a configuration names: its client, not connected yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tradingd.app.clients import alpaca_client, broker_socket, rest_of
from tradingd.app.trading.parts import mode_name, resolution, session_mode
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import ensure_running, terms
from tradingd.config.broker import AlpacaBroker as AlpacaConfig
from tradingd.config.broker import SimulatedBroker as SimulatedConfig
from tradingd.config.mode import LiveMode, PaperMode
from tradingd.config.secrets import Secret
from tradingd.config.system import SystemConfig
from tradingd.domain.broker import Broker
from tradingd.domain.broker_reports import BrokerAccount
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.domain.market import Resolution
from tradingd.execution.touch import half_spread
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.keys import resolved

type Resolve = Callable[[str], Secret]
"""Resolves a reference to a secret, and hides the secret from every log from then on."""


async def connected_broker(
    config: SystemConfig, state: Path, instance: str, secret: Resolve
) -> Broker:
    """Return the client of the configured broker, not connected yet; a simulated one's runs.

    Raises
    ------
    Failure
        CONFIG for a broker that cannot trade, or keys and host of another mode; BROKER when a
        simulated one does not start.
    """
    match config.broker:
        case SimulatedConfig():
            return await _simulated_broker(config, state, instance)
        case AlpacaConfig() as alpaca:
            return alpaca_broker(config, alpaca, secret)
    raise _cannot_trade(config)


def alpaca_broker(config: SystemConfig, alpaca: AlpacaConfig, secret: Resolve) -> Broker:
    """Return the client of an Alpaca account; keys and host must fit the mode.

    Raises
    ------
    Failure
        CONFIG, naming the key that does not fit.
    """
    return alpaca_client(
        resolved(secret, alpaca.key_id, alpaca.secret_key),
        rest=rest_of(config, alpaca),
        live=mode_name(config) == "live",
        timeout=config.supervision.command_seconds,
        requests_per_minute=alpaca.requests_per_minute,
        connect_seconds=alpaca.connect_seconds,
    )


def endpoint_of(config: SystemConfig, state: Path, account: str) -> BrokerEndpoint:
    """Return where the account is reached, for the kill switch: references, never secrets."""
    if isinstance(config.broker, AlpacaConfig):
        return BrokerEndpoint(
            kind="alpaca",
            account=account,
            url=rest_of(config, config.broker),
            key_id=config.broker.key_id,
            secret_key=config.broker.secret_key,
            mode=mode_name(config),
        )
    return BrokerEndpoint(
        kind="simulated", account=account, socket=str(broker_socket(config, state))
    )


def half_spread_bps(config: SystemConfig) -> float:
    """Return half the spread to be expected where there are no quotes."""
    if isinstance(config.broker, SimulatedConfig):
        return config.broker.half_spread_bps
    return half_spread(config.execution.slippage)


def check_account(config: SystemConfig, account: BrokerAccount) -> None:
    """Refuse an account that is not the one, or not of the kind, that the mode is meant for.

    Raises
    ------
    Failure
        CONFIG, naming both; BROKER for an account that may not trade.
    """
    if not isinstance(config.broker, AlpacaConfig):
        return
    from tradingd.brokers.alpaca.accounts import check_account as check

    mode = session_mode(config)
    wanted = mode.account if isinstance(mode, LiveMode) else ""
    check(mode=mode_name(config), account=account, wanted=wanted)


async def _simulated_broker(config: SystemConfig, state: Path, instance: str) -> SimulatedBroker:
    simulated, mode = _simulated(config)
    socket = broker_socket(config, state)
    launched = False
    if simulated.launch:
        launched = await ensure_running(
            socket,
            state / "simbroker",
            **_terms(config, simulated, mode, instance),
        )
    if launched:
        _launch_mark(state).touch()
    return SimulatedBroker(socket, timeout=config.supervision.command_seconds)


def owns_broker(state: Path) -> bool:
    """Whether the broker's process is this instance's own: launched by it, now or before a crash.

    One that a unit of its own runs is not ours to end.
    """
    return _launch_mark(state).exists()


def disown_broker(state: Path) -> None:
    """Note that the broker we launched has been ended."""
    _launch_mark(state).unlink(missing_ok=True)


def _launch_mark(state: Path) -> Path:
    return state / "simbroker" / "launched"


def broker_options(config: SystemConfig, instance: str) -> tuple[str, ...]:
    """Return the terms of the simulated broker as its own command line takes them.

    Raises
    ------
    Failure
        CONFIG where another broker is configured.
    """
    broker, mode = _simulated(config)
    return terms(**_terms(config, broker, mode, instance))


def _terms(
    config: SystemConfig, broker: SimulatedConfig, mode: PaperMode, instance: str
) -> dict[str, Any]:
    return {
        "cash": mode.cash,
        "account": f"SIM-{instance}",
        "half_spread_bps": broker.half_spread_bps,
        "commission_per_share": broker.commission_per_share,
        "commission_min": broker.commission_min,
        "participation_percent": config.execution.participation_percent,
        "next_bar": waits_for_next_bar(broker, resolution(config)),
    }


def _simulated(config: SystemConfig) -> tuple[SimulatedConfig, PaperMode]:
    mode = session_mode(config)
    if isinstance(config.broker, SimulatedConfig) and isinstance(mode, PaperMode):
        return config.broker, mode
    raise _cannot_trade(config)


def _cannot_trade(config: SystemConfig) -> Failure:
    return Failure(
        "this broker cannot trade here",
        code=ExitCode.CONFIG,
        where="broker",
        expected="alpaca, or simulated in mode paper",
        found=f"{config.broker.__struct_config__.tag} in mode {mode_name(config)}",
        next_step="broker=alpaca, or broker=simulated mode=paper",
    )


def waits_for_next_bar(broker: SimulatedConfig, bars: Resolution) -> bool:
    """Whether the simulated broker lets what arrives between bars wait for the next one."""
    if broker.arrivals == "auto":
        # A daily bar closes with the market: what is sent on it trades at the next open.
        return bars is Resolution.DAY
    return broker.arrivals == "next_bar"
