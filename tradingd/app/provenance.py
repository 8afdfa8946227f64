"""What a run must state about itself so that another can repeat it."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from tradingd import __version__
from tradingd.config.load import Loaded
from tradingd.config.mode import BacktestMode
from tradingd.config.system import strategy_name
from tradingd.domain.money import decimal
from tradingd.engine.run import Outcome
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.manifest import Manifest, portable

DECISIVE_PACKAGES: Final = (
    "bokeh-sampledata",
    "duckdb",
    "empyrical-reloaded",
    "exchange-calendars",
    "hydra-core",
    "msgspec",
    "nautilus-trader",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
)
"""Packages whose version can change a result or its bytes."""


class Described(Protocol):
    """Data that a run was over."""

    def symbols(self) -> Sequence[str]:
        """Return the symbols, sorted."""
        ...

    def fingerprint(self) -> str:
        """Return a hash of the exact files that were read."""
        ...


def describe_run(
    loaded: Loaded,
    run_id: str,
    feed: Described,
    resolution: str,
    outcome: Outcome,
    notes: Sequence[str],
) -> Manifest:
    """Return the manifest of a finished backtest; `notes` qualify its costs."""
    config = loaded.config
    if not isinstance(config.mode, BacktestMode):
        raise Failure("only a backtest is described here", code=ExitCode.BUG, where="mode")
    commit, dirty = git_state(Path(__file__).resolve().parent)
    return Manifest(
        run_id=run_id,
        tradingd=__version__,
        python=platform.python_version(),
        packages={name: importlib.metadata.version(name) for name in DECISIVE_PACKAGES},
        git_commit=commit,
        git_dirty=dirty,
        strategy=strategy_name(config),
        config_hash=loaded.hash,
        config=portable(loaded.tree),
        data_hash=feed.fingerprint(),
        seed=config.seed,
        risk_profile=config.risk.profile,
        fees=config.broker.fees,
        symbols=tuple(feed.symbols()),
        resolution=resolution,
        start=config.mode.start,
        end=config.mode.end,
        first_ts=outcome.first_ts,
        last_ts=outcome.last_ts,
        rows=outcome.rows,
        cash=config.mode.cash,
        final_equity=decimal(outcome.final_equity),
        final_cash=decimal(outcome.final_cash),
        open_positions=outcome.open_positions,
        gate_counts=dict(outcome.gate_counts),
        notes=tuple(notes),
    )


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return (commit, uncommitted changes) of the checkout the code runs from, or (None, None)."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None or _git(folder, "ls-files", "--error-unmatch", __file__) is None:
        return None, None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - literal words, no shell
            ["git", "-C", str(folder), *words],  # noqa: S607 - git of the PATH is the user's git
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
