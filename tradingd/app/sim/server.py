"""The Alpaca test server as a process of its own: started, told what to do wrong, ended."""

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.keys import Keys

ENDPOINT: Final = "endpoint.json"
_PATIENCE: Final = 20.0


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a test server listens: what it writes into its folder when it does."""

    url: str
    socket: str
    pid: int
    account: str


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """The stored bars that a test server plays."""

    store: Path
    bars: str
    symbols: Sequence[str]
    start: dt.date
    end: dt.date
    speed: float
    wait_for_client: bool = True


def options(state: Path, market: Market | None, more: Sequence[str] = ()) -> list[str]:
    """Return the server's command line."""
    words = [sys.executable, "-P", "-m", "tradingd.simalpaca", "--state", str(state), *more]
    if market is None:
        return words
    words += ["--store", str(market.store), "--bars", market.bars, "--speed", f"{market.speed:g}"]
    words += ["--start", market.start.isoformat(), "--end", market.end.isoformat()]
    words += ["--symbols", ",".join(market.symbols)] if market.symbols else []
    return [*words, "--wait-for-client"] if market.wait_for_client else words


@contextlib.contextmanager
def running(
    state: Path, market: Market | None, keys: Keys, more: Sequence[str] = ()
) -> Iterator[Endpoint]:
    """Run a test server that lets only these keys in; end it afterwards.

    Raises
    ------
    Failure
        BROKER, when it does not come up.
    """
    state.mkdir(parents=True, exist_ok=True)
    (state / ENDPOINT).unlink(missing_ok=True)
    environment = {
        **os.environ,
        "SIMALPACA_KEY_ID": keys.key_id,
        "SIMALPACA_SECRET_KEY": keys.secret,
    }
    with (state / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            options(state, market, more),
            env=environment,
            stdout=log,
            stderr=log,
            process_group=0,  # Ctrl-C is for who started it: it ends the daemon first
        )
    try:
        yield _listening(process, state)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listening(process: subprocess.Popen[bytes], state: Path) -> Endpoint:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, json.JSONDecodeError, msgspec.ValidationError):
            return msgspec.json.decode((state / ENDPOINT).read_bytes(), type=Endpoint)
        time.sleep(0.05)
    raise Failure(
        "the test server does not start",
        code=ExitCode.BROKER,
        where=str(state),
        expected=f"{ENDPOINT} within {_PATIENCE:g} s",
        next_step=f"read {state / 'server.log'}",
    )


async def misbehave(endpoint: Endpoint, plan: Mapping[str, object]) -> None:
    """Let the server do wrong from now on; an empty plan ends it."""
    client = SimulatedBroker(Path(endpoint.socket), timeout=5.0)
    await client.connect()
    try:
        await client.misbehave(plan)
    finally:
        await client.close()
