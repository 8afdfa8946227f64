"""Starts the simulated broker as a process of its own when nothing listens."""

import asyncio
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

from tradingd.kits.failure import ExitCode, Failure

_ALREADY_RUNNING: Final = 3
"""Exit code of a broker whose state folder another one holds (contracts/simbroker.md)."""

_PATIENCE: Final = 10.0
_POLL: Final = 0.02


async def ensure_running(
    socket: Path,
    state: Path,
    *,
    cash: Decimal,
    half_spread_bps: float,
    account: str,
    next_bar: bool = False,
    commission_per_share: Decimal = Decimal("0.005"),
    commission_min: Decimal = Decimal(1),
    participation_percent: float = 0.0,
) -> bool:
    """Start a broker unless one listens; return True when this call started it.

    It runs in a session of its own, writes to ``simbroker.log`` in its state folder, and outlives
    us. Of two starters at the same moment one starts it, and both return when it answers.

    Parameters
    ----------
    socket : Path
        Where it listens.
    state : Path
        Its folder, made when it is missing.
    cash : Decimal
        Opening cash of a new account, dollars.
    half_spread_bps : float
        Half the spread around the last price, basis points.
    account : str
        Name of a new account.
    next_bar : bool
        Whether what arrives between bars waits for the next one (daily bars).
    commission_per_share, commission_min : Decimal
        What an order costs: dollars per share, and at least this.
    participation_percent : float
        Share of a bar's volume that may be filled; 0: no bound.

    Raises
    ------
    Failure
        BROKER, when it does not start.
    """
    if await listens(socket):
        return False
    command = (
        *(sys.executable, "-m", "tradingd.simbroker", "--detach"),
        *("--state", str(state), "--socket", str(socket)),
        *terms(
            cash=cash,
            account=account,
            half_spread_bps=half_spread_bps,
            next_bar=next_bar,
            commission_per_share=commission_per_share,
            commission_min=commission_min,
            participation_percent=participation_percent,
        ),
    )
    # It answers with its exit code once the detached process listens or has given up. Not the
    # loop's own subprocesses: uvloop's leak the pipe into the detached process, so it never ends.
    starter = await asyncio.to_thread(
        subprocess.run, command, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if starter.returncode == 0:
        return True
    if starter.returncode == _ALREADY_RUNNING and await _answers_soon(socket):
        return False
    said = starter.stderr.decode(errors="replace").strip()
    raise Failure(
        "The simulated broker does not start",
        code=ExitCode.BROKER,
        where=str(state),
        expected=f"a broker that listens on {socket}",
        found=said or _last_words(state / "simbroker.log"),
        next_step=f"read {state / 'simbroker.log'}",
    )


def terms(
    *,
    cash: Decimal,
    account: str,
    half_spread_bps: float,
    next_bar: bool,
    commission_per_share: Decimal,
    commission_min: Decimal,
    participation_percent: float,
) -> tuple[str, ...]:
    """Return the words of a broker's command line that say on what terms it trades."""
    return (
        *("--account", account, "--cash", f"{cash:f}"),
        *("--arrivals", "next-bar" if next_bar else "touch"),
        *("--half-spread-bps", f"{Decimal(str(half_spread_bps)):f}"),
        *("--commission-per-share", f"{commission_per_share:f}"),
        *("--commission-min", f"{commission_min:f}"),
        *("--participation", f"{min(participation_percent, 100.0):.4f}"),
    )


async def listens(socket: Path) -> bool:
    """Tell whether somebody accepts connections on a socket."""
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    return True


async def _answers_soon(socket: Path) -> bool:
    """Wait for the starter that was faster."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while not await listens(socket):
        if loop.time() > end:
            return False
        await asyncio.sleep(_POLL)
    return True


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it left no message"
    return lines[-1] if lines else "it left no message"
