"""Run `tradingd sim ...` for a person."""

import datetime as dt
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tradingd.app.sim.drill import USUAL_RATE, Drilled, Terms, rate
from tradingd.app.sim.drill import drill as play
from tradingd.cli import screen
from tradingd.cli.sim import DrillParams, DrillReport, SimAlpacaParams, SimServer
from tradingd.config.load import load
from tradingd.config.paths import store_root
from tradingd.domain.market import Resolution
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    from tradingd.app.sim.practice import Wish


def alpaca(params: SimAlpacaParams) -> SimServer:
    """Become the test server; it prints where it listens and ends by a signal."""
    from tradingd.app.sim.practice import check_market, check_port, check_state
    from tradingd.app.sim.server import options
    from tradingd.history.store import Store

    overlay = Path(params.overlay) if params.overlay else None
    root = store_root(load(params.overrides, overlay=overlay).config)
    check_market(Store(root), _market(params))
    check_port(params.port)
    usual = root.parent / ("simalpaca-live" if params.live else "simalpaca")
    state = Path(params.state).expanduser() if params.state else usual
    check_state(state)
    screen.console().print(_hint(params), soft_wrap=True, markup=False)
    program, *rest = [*options(state, None, _words(params, root))]
    os.execv(program, (program, *rest))  # noqa: S606 - no shell, our own interpreter


def _words(params: SimAlpacaParams, root: Path) -> list[str]:
    """Return the server's options for its port, its account and its market."""
    words = ["--port", str(params.port), "--cash", f"{params.cash:.2f}"]
    words += ["--requests-per-minute", str(rate(params.speed))]
    words += ["--live-like"] if params.live else []
    words += ["--store", str(root), "--bars", params.bars, "--speed", repr(params.speed)]
    for name in ("symbols", "start", "end"):
        value = getattr(params, name)
        words += [f"--{name}", value] if value else []
    return words if params.now else [*words, "--wait-for-client"]


def _market(params: SimAlpacaParams) -> "Wish":
    from tradingd.app.sim.practice import Wish

    return Wish(
        resolution=Resolution(params.bars),
        symbols=tuple(one.strip().upper() for one in params.symbols.split(",") if one.strip()),
        start=_day(params.start, "--start"),
        end=_day(params.end, "--end"),
    )


def _day(text: str | None, where: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Failure(
            "there is no such day",
            code=ExitCode.USAGE,
            where=where,
            found=str(text),
            next_step="tradingd sim alpaca --help",
        ) from None


def _hint(params: SimAlpacaParams) -> str:
    """Return how to trade there."""
    url = f"http://127.0.0.1:{params.port or 'PORT'}"
    mode = "mode=live mode.account=3SIM000001 " if params.live else ""
    allowed = rate(params.speed)
    pace = f" broker.requests_per_minute={allowed}" if allowed > USUAL_RATE else ""
    symbols = params.symbols or "A,B"
    keys = (
        "the key pair of SIMALPACA_KEY_ID and SIMALPACA_SECRET_KEY is let in"
        if os.environ.get("SIMALPACA_KEY_ID")
        else "any key pair is let in: export APCA_API_KEY_ID=PKSIM APCA_API_SECRET_KEY=secret"
    )
    return (
        f"{keys}; then, in another terminal:\n"
        f"tradingd run -i sim {mode}broker=alpaca broker.endpoint={url} feed=alpaca "
        f"feed.endpoint={url} feed.clock=data universe=symbols universe.symbols=[{symbols}]{pace}"
    )


def render_server(report: SimServer) -> None:
    """Print nothing: the server has spoken for itself."""


def drill(params: DrillParams) -> DrillReport:
    """Play the drill, telling each stage as it begins."""
    folder = _folder(params.folder)
    began = time.monotonic()
    signal.signal(signal.SIGHUP, _interrupted)  # or server and daemon would be left behind

    def say(text: str) -> None:
        # Standard output is the report's, which may be read by a program.
        sys.stderr.write(f"{time.monotonic() - began:6.1f}  {text}\n")
        sys.stderr.flush()

    terms = Terms(
        symbols=params.symbols,
        days=params.days,
        seed=params.seed,
        speed=params.speed,
        overrides=params.overrides,
    )
    return _report(play(folder, terms, say))


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _folder(stated: str) -> Path:
    if not stated:
        return Path(tempfile.mkdtemp(prefix="tradingd-drill-"))
    folder = Path(stated).expanduser()
    if folder.exists() and any(folder.iterdir()):
        raise Failure(
            "the folder of a drill must be new or empty",
            code=ExitCode.USAGE,
            where=str(folder),
            next_step="name another one, or leave --folder out",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _report(done: Drilled) -> DrillReport:
    wrong = bool(done.findings or done.left)
    return DrillReport(
        exit_code=done.code or (ExitCode.RECONCILE if wrong else ExitCode.OK),
        folder=done.folder,
        stages=done.stages,
        kills=done.kills,
        orders=done.orders,
        fills=done.fills,
        unknown=done.unknown,
        recovered=done.recovered,
        lost=done.lost,
        left=done.left,
        daemon_code=done.code,
        findings=done.findings,
        seconds=done.seconds,
    )


def render_drill(report: DrillReport) -> None:
    """Print what the daemon made of it, and whether both books agree."""
    rows = (
        ("orders that reached the broker", report.orders),
        ("fills booked", report.fills),
        ("sent without an answer, settled with the broker", report.unknown),
        ("proven never to have arrived", report.lost),
        ("given up and found again", report.recovered),
        ("still without a proven outcome", report.left),
    )
    screen.table("What the journal says", ("", "orders"), rows)
    for finding in report.findings:
        screen.console().print(f"DIFFERS  {finding}", soft_wrap=True, markup=False)
    verdict = "differ" if report.findings else "agree"
    screen.console().print(
        f"The broker's book and the journal {verdict}. Everything is in {report.folder}",
        soft_wrap=True,
        markup=False,
    )
    screen.summary(
        {
            "stages": report.stages,
            "kills": report.kills,
            "orders": report.orders,
            "fills": report.fills,
            "differences": len(report.findings),
            "unproven": report.left,
            "seconds": f"{report.seconds:.1f}",
            "exit": report.exit_code,
        }
    )
