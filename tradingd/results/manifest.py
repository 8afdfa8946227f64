"""What a result states about its own origin, so that another can repeat it.

No wall time, host or absolute path: the same inputs give the same bytes anywhere.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

LOCATIONS: Final = (
    ("store", "root"),
    ("mode", "results"),
    ("source", "path"),
    ("depth", "path"),
)
"""Configuration keys that say where files are on one machine and decide no result."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance and outcome of one run.

    Parameters
    ----------
    run_id : str
        Name of the run without the counter of repetitions.
    config, config_hash
        The composed configuration, without locations, and its hash.
    data_hash : str
        Fingerprint of the stored files and range that were read.
    git_commit, git_dirty
        State of the repository the code runs from; None outside a checkout.
    packages : mapping
        Versions of the packages that decide results.
    start, end : date, optional
        The range asked for; None: all that is stored.
    first_ts, last_ts : int
        First and last bar delivered, UTC nanoseconds; 0 when there was none.
    cash, final_equity, final_cash : Decimal
        Dollars.
    gate_counts : mapping
        Limit -> (orders evaluated, orders denied).
    notes : tuple of str
        What qualifies the costs: fee rates that could not be verified, dates out of a schedule.
    """

    run_id: str
    tradingd: str
    python: str
    packages: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None
    strategy: str
    config_hash: str
    config: dict[str, Any]
    data_hash: str
    seed: int
    risk_profile: str
    fees: str
    symbols: tuple[str, ...]
    resolution: str
    start: dt.date | None
    end: dt.date | None
    first_ts: int
    last_ts: int
    rows: int
    cash: Decimal
    final_equity: Decimal
    final_cash: Decimal
    open_positions: int
    gate_counts: dict[str, tuple[int, int]] = {}
    notes: tuple[str, ...] = ()


def portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a configuration tree without the keys that name this machine's folders."""
    tree = {group: _copy(values) for group, values in config.items()}
    for group, key in LOCATIONS:
        if isinstance(tree.get(group), dict):
            tree[group].pop(key, None)
    return tree


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
