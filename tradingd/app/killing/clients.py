"""What an instance's endpoint file names, as a client that is not connected yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tradingd.app.killing.closing import ClosingBroker, Connect
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits.failure import ExitCode, Failure

_PER_MINUTE: Final = 200
"""Requests that Alpaca allows every account; what the daemon had set is not known here."""

type _Make = Callable[[BrokerEndpoint, float], ClosingBroker]


def client_of(known: BrokerEndpoint, answer: float) -> Connect:
    """Return what makes a client of the broker, as often as it is asked.

    Parameters
    ----------
    answer : float
        Seconds to wait for one answer.

    Raises
    ------
    Failure
        NOT_FLAT for a kind that is not known here, or references that do not resolve.
    """
    make = _KINDS.get(known.kind)
    if make is None:
        raise Failure(
            f"the kill switch does not know brokers of kind {known.kind}",
            code=ExitCode.NOT_FLAT,
            expected=" or ".join(_KINDS),
            next_step="flatten with the broker's own tools; the instance is latched",
        )
    return lambda: make(known, answer)


def _simulated(known: BrokerEndpoint, answer: float) -> ClosingBroker:
    from tradingd.brokers.simulated.broker import SimulatedBroker

    return SimulatedBroker(Path(known.socket), timeout=answer)


def _alpaca(known: BrokerEndpoint, answer: float) -> ClosingBroker:
    from tradingd.app.clients import alpaca_client
    from tradingd.config.secrets import resolve
    from tradingd.vendors.alpaca.keys import resolved

    try:
        return alpaca_client(
            resolved(resolve, known.key_id, known.secret_key),
            rest=known.url,
            live=known.mode == "live",
            timeout=answer,
            requests_per_minute=_PER_MINUTE,
            connect_seconds=4 * answer,
            listen=False,
        )
    except Failure as failure:
        raise _cannot_log_in(failure) from failure


_KINDS: Final[dict[str, _Make]] = {"simulated": _simulated, "alpaca": _alpaca}


def _cannot_log_in(failure: Failure) -> Failure:
    return Failure(
        "the kill switch cannot log in at the broker",
        code=ExitCode.NOT_FLAT,
        where=failure.where,
        expected=failure.expected,
        found=failure.what,
        next_step="flatten with the broker's own tools, or start the unit tradingd-kill@, which "
        "has the credentials; the instance is latched",
    )
