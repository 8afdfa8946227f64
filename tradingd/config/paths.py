"""Where a configuration's files live when it does not say: XDG folders of the user."""

import os
from pathlib import Path
from typing import Final

from tradingd.config.mode import BacktestMode
from tradingd.config.system import SystemConfig

SERVICE_HOME: Final = Path("/var/lib/tradingd")
"""Home of the account that the units run as (systemd/sysusers.d): state and data in one place."""


def data_home() -> Path:
    """Return the user's data folder: ``$XDG_DATA_HOME/tradingd`` or its default.

    For the units' own account it is its home, where the units may write.
    """
    if base := os.environ.get("XDG_DATA_HOME"):
        return Path(base) / "tradingd"
    home = Path.home()
    return home if home == SERVICE_HOME else home / ".local" / "share" / "tradingd"


def store_root(config: SystemConfig) -> Path:
    """Return the folder of the history store."""
    return Path(config.store.root).expanduser() if config.store.root else data_home() / "history"


def level2_root(config: SystemConfig) -> Path:
    """Return the folder of order books."""
    return Path(config.store.level2).expanduser() if config.store.level2 else data_home() / "level2"


def registry_root(config: SystemConfig) -> Path:
    """Return the folder of the model registry."""
    stated = config.registry.root
    return Path(stated).expanduser() if stated else data_home() / "registry"


def results_root(config: SystemConfig) -> Path:
    """Return the folder that holds run folders."""
    stated = config.mode.results if isinstance(config.mode, BacktestMode) else ""
    return Path(stated).expanduser() if stated else data_home() / "runs"


def state_root(instance: str) -> Path:
    """Return the state folder of an instance: systemd's, else ``$XDG_STATE_HOME/tradingd/NAME``.

    Under systemd ``$STATE_DIRECTORY`` names it; other programs of the same instance find it in
    /var/lib/tradingd when that folder exists.
    """
    for given in os.environ.get("STATE_DIRECTORY", "").split(":"):
        if given and Path(given).name == instance:
            return Path(given)
    system = SERVICE_HOME / instance
    if system.is_dir():
        return system
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "tradingd" / instance
