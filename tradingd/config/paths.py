"""Where a configuration's files live when it does not say: XDG folders of the user."""

import os
from pathlib import Path

from tradingd.config.mode import BacktestMode
from tradingd.config.system import SystemConfig


def data_home() -> Path:
    """Return the user's data folder, ``$XDG_DATA_HOME/tradingd`` or its default."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "tradingd"


def store_root(config: SystemConfig) -> Path:
    """Return the folder of the history store."""
    return Path(config.store.root).expanduser() if config.store.root else data_home() / "history"


def results_root(config: SystemConfig) -> Path:
    """Return the folder that holds run folders."""
    stated = config.mode.results if isinstance(config.mode, BacktestMode) else ""
    return Path(stated).expanduser() if stated else data_home() / "runs"
