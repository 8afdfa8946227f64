"""Drill the whole daemon against the Alpaca test server: faults, a kill, then the books.

The server is another process that imports nothing of the daemon but the simulated broker's book,
follows Alpaca's published contract, and keeps its own store. At the end `verify` asks it and the
daemon's journal independently.
"""

import asyncio
import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.sim.daemon import DrillDaemon
from tradingd.app.sim.history import fill_store
from tradingd.app.sim.server import Endpoint, Market, misbehave, running
from tradingd.app.sim.stages import STAGES, Stage
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode
from tradingd.session.calendar import SessionCalendar
from tradingd.vendors.alpaca.keys import Keys

SPEED: Final = 600.0
"""Data seconds per wall second: a session takes 39 s."""

USUAL_RATE: Final = 200
"""Requests a minute that Alpaca allows an account."""

_SESSION: Final = 23_400.0
_STOP: Final = 120.0

type Say = Callable[[str], None]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a drill plays.

    Parameters
    ----------
    symbols, days, seed : int
        Invented symbols, sessions that are traded, seed of the prices.
    speed : float
        Data seconds per wall second.
    overrides : sequence of str
        More keys of the daemon's configuration.
    """

    symbols: int = 8
    days: int = 2
    seed: int = 7
    speed: float = SPEED
    overrides: Sequence[str] = ()


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """How it went; counts are the journal's."""

    folder: str
    stages: int
    kills: int
    orders: int
    fills: int
    unknown: int
    recovered: int
    lost: int
    left: int
    code: int
    findings: tuple[str, ...]
    seconds: float


def drill(folder: Path, terms: Terms, say: Say, stages: Sequence[Stage] = STAGES) -> Drilled:
    """Play the stages, then let the market end; return what the journal counted.

    Raises
    ------
    Failure
        When server or daemon do not come up.
    """
    began = time.monotonic()
    calendar = SessionCalendar()
    store = Store(folder / "history")
    say(f"inventing {terms.symbols} symbols (SYNTHETIC) in {store.root}")
    symbols, first, last = fill_store(
        store, symbols=terms.symbols, days=terms.days, seed=terms.seed, calendar=calendar
    )
    market = Market(
        store=store.root, bars="1m", symbols=symbols, start=first, end=last, speed=terms.speed
    )
    keys = Keys("PKDRILL" + secrets.token_hex(6).upper(), secrets.token_urlsafe(30))
    allowed = str(rate(terms.speed))
    more = ("--requests-per-minute", allowed)
    with running(folder / "server", market, keys, more) as endpoint:
        say(f"test server at {endpoint.url}, account {endpoint.account}")
        overrides = [
            *overrides_for(endpoint, symbols),
            f"broker.requests_per_minute={allowed}",
            *terms.overrides,
        ]
        credentials = {"APCA_API_KEY_ID": keys.key_id, "APCA_API_SECRET_KEY": keys.secret}
        with DrillDaemon(folder, overrides, credentials) as daemon:
            daemon.start()
            say(f"daemon {daemon.name} is ready")
            for stage in stages:
                _play(stage, endpoint, daemon, say)
            asyncio.run(misbehave(endpoint, {}))
            say("calm: the market goes on to its end")
            code = daemon.end_of_market(patience(terms))
            findings = daemon.differences()
            say("the books are compared")
            return _counted(folder, daemon, stages, code, findings, time.monotonic() - began)


def overrides_for(endpoint: Endpoint, symbols: Sequence[str]) -> list[str]:
    """Return the configuration of a daemon that trades at a test server in its time."""
    return [
        "mode=paper",
        "broker=alpaca",
        f"broker.endpoint={endpoint.url}",
        "feed=alpaca",
        f"feed.endpoint={endpoint.url}",
        "feed.clock=data",
        "universe=symbols",
        f"universe.symbols=[{','.join(symbols)}]",
        "strategy=both",
        # A drill wants orders, not a result: signals come often, and no limit holds them back.
        "strategy.members.mean_reversion.z_entry=1.2",
        "strategy.members.mean_reversion.rsi_oversold=45",
        "strategy.members.mean_reversion.rsi_overbought=55",
        "risk=open",
        # Or the kill switch would rightly end it at the tenth error within a minute.
        "supervision.broker_errors=0",
        "telemetry.metrics_port=0",
    ]


def rate(speed: float) -> int:
    """Return requests a minute of the wall: Alpaca's 200 hold for a market of normal speed."""
    return min(100_000, round(USUAL_RATE * max(1.0, speed / 10)))


def patience(terms: Terms) -> float:
    """Return wall seconds that the rest of the market may take: twice its sessions, and a stop."""
    return _STOP + 2 * terms.days * _SESSION / terms.speed


def _play(stage: Stage, endpoint: Endpoint, daemon: DrillDaemon, say: Say) -> None:
    if not daemon.running:
        return
    say(f"{stage.seconds:4.0f} s  {stage.what}")
    if stage.kill:
        daemon.kill()
    asyncio.run(misbehave(endpoint, stage.plan))
    if stage.kill:
        daemon.start()
    end = time.monotonic() + stage.seconds
    while daemon.running and time.monotonic() < end:
        time.sleep(0.1)


def _counted(
    folder: Path,
    daemon: DrillDaemon,
    stages: Sequence[Stage],
    code: int,
    findings: tuple[str, ...],
    seconds: float,
) -> Drilled:
    def count(query: str, *values: object) -> int:
        return int(database.execute(query, values).fetchone()[0])

    steps = "SELECT count(DISTINCT order_id) FROM order_events WHERE step = ?"
    uri = f"file:{daemon.state / 'journal.sqlite'}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        return Drilled(
            folder=str(folder),
            stages=len(stages),
            kills=sum(stage.kill for stage in stages),
            orders=count("SELECT count(*) FROM orders WHERE broker_order_id != ''"),
            fills=count("SELECT count(*) FROM fills"),
            unknown=count(steps, "unknown"),
            recovered=count(steps, "recovered"),
            lost=count(steps, "lost"),
            left=count("SELECT count(*) FROM orders WHERE state IN ('INTENT','UNKNOWN')"),
            findings=findings,
            code=code if code >= 0 else ExitCode.BUG,
            seconds=seconds,
        )
