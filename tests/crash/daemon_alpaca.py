"""A run of the whole daemon at Alpaca's test server, which plays a day whether or not it lives.

The server misbehaves over HTTP and both of its streams, and is killed and started again. The last
daemon is left alone until the day is over; in half of the runs it meets misbehaviour, too, which
ends while it lives.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.acceptance import compare_books
from tests.acceptance.daemon.alpaca_server import Alpaca, Trader, acted_twice, invented, position
from tests.acceptance.daemon.paper import desk_strategy, query
from tests.crash import tally
from tests.crash.alpaca import STATUSES
from tradingd.kits.failure import ExitCode

SPEED: Final = 600.0
"""Data seconds a second: a session takes 39 s."""

SESSION: Final = (
    "mode.warm_up_bars=30",
    "risk.orders_per_minute=100000",
    "supervision.settle_seconds=1",
    "supervision.command_seconds=1",
)
LATE: Final = (0.3, 2.0)
"""Seconds of a late answer: some come when nobody waits any more."""

LATEST: Final = 16.0
"""Seconds of a run after which no further daemon is started to be killed: the day goes on."""

START: Final = 12.0
"""Seconds that such a daemon is given to be ready: while the server is silent, it will not be."""

RESTARTS: Final = 0.4
"""Share of the runs in which the server is killed."""


NO_START: Final = (ExitCode.BROKER, ExitCode.RECONCILE, ExitCode.FEED)
"""How a start may end while the server misbehaves."""


def run(seed: int, home: Path) -> tuple[list[str], Counter[str]]:
    """Play one run; return what is wrong at its end, and what it has met."""
    rng = random.Random(seed)
    days = invented(home / "history", seed=rng.randint(1, 10**6))
    server = Alpaca(home, days.market(SPEED), "--requests-per-minute", "0").start()
    daemon = Trader(home, *_overrides(server, days.symbols, rng))
    try:
        end = time.monotonic() + LATEST
        for _ in range(rng.randint(1, 3)):
            if time.monotonic() > end:
                break
            server.misbehave(**faults(rng))
            if trouble := _lived(daemon, server, rng):
                return [trouble], _met(home, daemon)
        server.misbehave()
        daemon.start().ready()
        if rng.random() < 0.5:
            server.misbehave(**faults(rng))
            time.sleep(rng.uniform(2.0, 6.0))
            server.misbehave()
        code = daemon.wait(240)
        troubles = [f"exit code {code}\n{daemon.errors()[-4000:]}"] if code else []
        return [*troubles, *wrong(daemon, server)], _met(home, daemon)
    except AssertionError as error:
        return [f"{error}\n{daemon.errors()[-4000:]}"], _met(home, daemon)
    finally:
        daemon.close()
        server.close()


def _overrides(server: Alpaca, symbols: object, rng: random.Random) -> list[str]:
    base = [one for one in server.overrides(symbols) if not one.startswith("strategy")]  # type: ignore[arg-type]
    return [*base, *SESSION, *desk_strategy("AtRandom", seed=rng.randint(0, 10**6))]


def _lived(daemon: Trader, server: Alpaca, rng: random.Random) -> str:
    """Start a daemon and kill it; return why it ended by itself, if it did."""
    daemon.start()
    if rng.random() < 0.25:
        seconds = rng.uniform(0.5, 3.0)
    else:
        _until(START, lambda: daemon.notified.is_ready or daemon.ended)
        seconds = rng.uniform(0.2, 4.0)
    if rng.random() < RESTARTS:
        _until(seconds / 2, lambda: daemon.ended)
        server.restart()
        server.misbehave(**faults(rng))
        seconds /= 2
    _until(seconds, lambda: daemon.ended)
    if daemon.ended and not daemon.notified.is_ready and daemon.wait() in NO_START:
        return ""  # the server did not answer: the unit would start it again
    if daemon.ended:
        return f"a life ended by itself\n{daemon.errors()[-4000:]}"
    daemon.kill()
    return ""


def _until(seconds: float, done: Callable[[], bool]) -> None:
    """Wait so long, or until something is done."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.01)


def faults(rng: random.Random) -> dict[str, object]:
    """Draw a plan of misbehaviour; mild, so that a life gets somewhere."""
    share = rng.choice((0.0, 0.02, 0.05))
    kinds = ("drop_request", "drop_response", "late_response", "reject", "reject_later")
    odds = dict.fromkeys((*kinds, "pending", "504_done"), share)
    odds |= dict.fromkeys(("disconnect_before", "disconnect_after"), share / 4)
    odds |= dict.fromkeys(STATUSES, share / 4)
    odds |= {"delay": share, "partial": 0.2}
    ops = ["submit", "replace", "cancel", "cancel_all"]
    words = ("drop_request", "drop_response", *STATUSES)
    asked = [rng.choice(words) if rng.random() < 0.1 else "ok" for _ in range(100)]
    return {
        "seed": rng.randint(0, 10**9),
        "ops": ops,
        "probabilities": odds,
        "delay_seconds": [0.001, 0.05],
        "late_seconds": list(LATE),
        "hang": rng.random() < 0.5,
        "refuse_seconds": rng.choice((0.0, 0.3)),
        "script": {"question": asked} if rng.random() < 0.5 else {},
        "stream": _stream(rng),
        "data_stream": _stream(rng) if rng.random() < 0.3 else {},
        "clock_skew_seconds": rng.choice((0.0, 0.0, -30.0, 30.0)),
    }


def _stream(rng: random.Random) -> dict[str, object]:
    match rng.choice(("whole", "some", "some", "much", "mute", "half open", "closed")):
        case "some":
            return {"drop": 0.05, "duplicate": 0.1, "reorder": 0.1, "delay_seconds": [0, 0.01]}
        case "much":
            return {"drop": 0.3, "duplicate": 0.3, "reorder": 0.3, "delay_seconds": [0, 0.05]}
        case "mute":
            return {"mute": True}
        case "half open":
            return {"half_open": True}
        case "closed":
            return {"close_now": True, "refuse_seconds": rng.uniform(0.0, 1.0)}
    return {}


def unprotected(server: Alpaca) -> list[str]:
    """Return the symbols that are held and have no working stop at the server."""
    query_stops = "SELECT symbol FROM orders WHERE status='WORKING' AND type='STOP_MARKET'"
    stops = {row["symbol"] for row in query(server.store, query_stops)}
    return sorted(set(server.positions()) - stops)


def wrong(daemon: Trader, server: Alpaca) -> list[str]:
    """Return every disagreement, and what else must not be."""
    books = compare_books.read(server.store, daemon.journal)
    troubles = [str(finding) for finding in compare_books.compare(books)]
    troubles += [f"unprotected: {symbol}" for symbol in unprotected(server)]
    halted = daemon.rows("SELECT * FROM states WHERE state = 'HALTED'")
    troubles += [f"halted: {row['reason']}" for row in halted]
    troubles += [f"decided twice: {row}" for row in acted_twice(daemon)]
    if not daemon.rows("SELECT * FROM fills"):
        troubles.append(f"nothing was traded until {position(daemon)}: the run proves nothing")
    return troubles


def _met(home: Path, daemon: Trader) -> Counter[str]:
    return tally.of(home / "alpaca.log", daemon.journal)
