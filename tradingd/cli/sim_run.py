"""Run `tradingd sim ...` for a person."""

import os
import tempfile
import time
from pathlib import Path

from tradingd.app.sim.drill import Drilled, Terms
from tradingd.app.sim.drill import drill as play
from tradingd.cli import screen
from tradingd.cli.sim import DrillParams, DrillReport, SimAlpacaParams, SimServer
from tradingd.config.load import load
from tradingd.config.paths import store_root
from tradingd.kits.failure import ExitCode, Failure


def alpaca(params: SimAlpacaParams) -> SimServer:
    """Become the test server; it prints where it listens and ends by a signal."""
    from tradingd.app.sim.server import options

    overlay = Path(params.overlay) if params.overlay else None
    root = store_root(load(params.overrides, overlay=overlay).config)
    state = Path(params.state).expanduser() if params.state else root.parent / "simalpaca"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    program, *rest = [*options(state, None, _words(params, root))]
    os.execv(program, (program, *rest))  # noqa: S606 - no shell, our own interpreter


def _words(params: SimAlpacaParams, root: Path) -> list[str]:
    """Return the server's options for its port, its account and its market."""
    words = ["--port", str(params.port), "--cash", f"{params.cash:g}"]
    words += ["--live-like"] if params.live else []
    words += ["--store", str(root), "--bars", params.bars, "--speed", f"{params.speed:g}"]
    for name in ("symbols", "start", "end"):
        value = getattr(params, name)
        words += [f"--{name}", value] if value else []
    return [*words, "--wait-for-client"] if params.wait else words


def render_server(report: SimServer) -> None:
    """Print nothing: the server has spoken for itself."""


def drill(params: DrillParams) -> DrillReport:
    """Play the drill, telling each stage as it begins."""
    folder = _folder(params.folder)
    began = time.monotonic()

    def say(text: str) -> None:
        line = f"{time.monotonic() - began:6.1f}  {text}"
        screen.console().print(line, soft_wrap=True, markup=False)

    terms = Terms(
        symbols=params.symbols,
        days=params.days,
        seed=params.seed,
        speed=params.speed,
        overrides=params.overrides,
    )
    return _report(play(folder, terms, say))


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
