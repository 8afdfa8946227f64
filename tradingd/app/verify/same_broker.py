"""Whether the configuration given now means the broker that the instance's daemon connected to.

A daemon that was started with overrides left them nowhere but in `endpoint.json`: who compares
without them would ask another broker, and find that everything differs.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tradingd.app.clients import rest_of
from tradingd.config.broker import AlpacaBroker as AlpacaConfig
from tradingd.config.system import SystemConfig
from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca import hosts

_CHOOSES_BROKER = ("broker", "mode")


def demand_same_broker(
    config: SystemConfig, state: Path, *, command: Sequence[str], overrides: Sequence[str]
) -> None:
    """Refuse a configuration that means another broker than the one the daemon wrote down.

    Parameters
    ----------
    command, overrides : Sequence[str]
        What was asked (``tradingd verify --instance paper``), and the overrides beside it: for the
        command to repeat.

    Raises
    ------
    Failure
        CONFIG, with what `endpoint.json` says and the overrides to repeat; nothing where there is
        no such file that can be read.
    """
    try:
        written = endpoint.read(state)
    except Failure:
        return
    asked = _asked(config)
    known = (written.kind, written.url)
    if asked == known:
        return
    kept = [one for one in overrides if not _chooses_broker(one)]
    words = (*command, *kept, *overrides_for(written, state))
    raise Failure(
        "this configuration means another broker than the instance's daemon uses; "
        "nothing was compared",
        code=ExitCode.CONFIG,
        where=str(state / endpoint.ENDPOINT),
        expected=" ".join(part for part in (*known, written.mode) if part),
        found=" ".join(part for part in asked if part),
        next_step=f"repeat the overrides of its run: {shlex.join(words)}; "
        "if it is to use another broker from now on, start the daemon first",
    )


def overrides_for(written: BrokerEndpoint, state: Path) -> tuple[str, ...]:
    """Return the overrides that choose a broker as an endpoint file has it."""
    if written.kind == "simulated":
        own = written.socket in ("", str(state / "simbroker.sock"))
        return ("broker=simulated", *(() if own else (f"broker.endpoint={written.socket}",)))
    words = [f"broker={written.kind}"]
    if written.mode:
        words.append(f"mode={written.mode}")
    if written.mode == "live":
        words.append(f"mode.account={written.account}")
    if written.url not in ("", hosts.PAPER, hosts.LIVE):
        words.append(f"broker.endpoint={written.url}")
    usual = AlpacaConfig()
    if written.key_id not in ("", usual.key_id):
        words.append(f"broker.key_id={written.key_id}")
    if written.secret_key not in ("", usual.secret_key):
        words.append(f"broker.secret_key={written.secret_key}")
    return tuple(words)


def _asked(config: SystemConfig) -> tuple[str, str]:
    """Return kind and address of the configured broker, as `endpoint.json` has them."""
    broker = config.broker
    if isinstance(broker, AlpacaConfig):
        return "alpaca", rest_of(config, broker)
    return str(broker.__struct_config__.tag), ""


def _chooses_broker(override: str) -> bool:
    group = override.lstrip("+~").partition("=")[0].partition(".")[0]
    return group in _CHOOSES_BROKER
