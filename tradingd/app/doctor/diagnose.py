"""Run every health check in reading order."""

import datetime as dt
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import tradingd
from tradingd.app.doctor import access, environment, freshness, storage
from tradingd.app.doctor.alpaca import alpaca
from tradingd.app.doctor.check import Check, Diagnosis, diagnosis, said
from tradingd.config.environment import Environment, read_environment
from tradingd.config.load import Loaded, load
from tradingd.config.mode import BacktestMode
from tradingd.config.paths import results_root, store_root
from tradingd.config.session_rules import session_refusal
from tradingd.costs.age import schedule_age, unverified
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.sample.dataset import FILE

CHECKOUT: Final = Path(tradingd.__file__).resolve().parents[1]


def diagnose(
    overrides: Sequence[str] = (), *, overlay: Path | None = None, today: dt.date
) -> Diagnosis:
    """Look at the installation, and at what the configuration names.

    Parameters
    ----------
    overrides : sequence of str
        The configuration to check, as for `tradingd backtest`.
    overlay : Path, optional
        Site folder that wins over the packaged tree.
    today : date
        UTC.
    """
    return diagnosis([*_installation(), *_configured(overrides, overlay, today)])


def _installation() -> Iterator[Check]:
    yield environment.python()
    yield environment.modules()
    yield environment.lock(CHECKOUT / "requirements.lock")
    yield environment.threads(os.environ, os.cpu_count() or 1)
    yield storage.sample_data(_sample_table())
    yield freshness.clock()
    yield access.ports()


def _configured(overrides: Sequence[str], overlay: Path | None, today: dt.date) -> Iterator[Check]:
    try:
        variables = read_environment()
        loaded = load(overrides, overlay=overlay)
    except Failure as failure:
        yield Check(
            name="configuration",
            status="fail",
            detail=failure.line(),
            next_step="tradingd config check",
            critical=True,
        )
        return
    yield Check(name="configuration", status="ok", detail=f"hash {loaded.hash[:12]}", critical=True)
    yield from _folders(loaded, variables)
    yield access.credentials(
        dict(_used(loaded)),
        variables,
        needed=not isinstance(loaded.config.mode, BacktestMode),
    )
    yield from _dated(loaded, today)
    yield from _session(loaded)
    yield from alpaca(loaded.config, today)


def _used(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Yield the references of groups that are switched on: the rest ask nobody for a key."""
    off = set() if loaded.config.backfill.enabled else {"backfill"}
    tree = {name: group for name, group in loaded.tree.items() if name not in off}
    yield from access.references(tree)


def _session(loaded: Loaded) -> Iterator[Check]:
    """Say whether `tradingd run` takes the configuration; a backtest may have what it refuses."""
    if isinstance(loaded.config.mode, BacktestMode):
        return
    refusal = session_refusal(loaded.config)
    yield Check(
        name="session",
        status="ok" if refusal is None else "fail",
        detail="tradingd run takes this configuration" if refusal is None else said(refusal),
        next_step="" if refusal is None else refusal.next_step,
        critical=True,
    )


def _folders(loaded: Loaded, variables: Environment) -> Iterator[Check]:
    root, results = store_root(loaded.config), results_root(loaded.config)
    yield storage.store(root)
    yield storage.results(results)
    yield storage.disk(root)
    named = [
        access.secret_path(reference, variables.values)
        for _, reference in access.references(loaded.tree)
    ]
    yield storage.secret_files([Path.cwd() / ".env", *(file for file in named if file)])
    yield storage.data_folders([root, results])


def _dated(loaded: Loaded, today: dt.date) -> Iterator[Check]:
    try:
        calendar = SessionCalendar(loaded.config.session.calendar)
        yield freshness.calendar(
            calendar.name,
            importlib.metadata.version("exchange_calendars"),
            calendar.sessions[-1].day,
            today,
        )
    except Failure as failure:
        yield Check(name="calendar", status="fail", detail=failure.line(), critical=True)
    yield freshness.fees(loaded.config.broker.fees, schedule_age(today), len(unverified()))


def _sample_table() -> Path | None:
    found = importlib.util.find_spec("bokeh_sampledata")
    return Path(found.origin).parent / FILE if found and found.origin else None
