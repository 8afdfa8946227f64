"""Folders, disk space and who may read what."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tradingd.app.doctor.check import Check
from tradingd.history.store import Store
from tradingd.kits.failure import Failure

LEAST_BYTES: Final = 1_000_000_000
LEAST_SHARE: Final = 0.10

_IMPORT: Final = "tradingd data import source=sample"


def store(root: Path) -> Check:
    """Say whether the history store is there, readable and writable."""
    if not root.exists():
        return _absent_store(root)
    try:
        files = len(Store(root).contents())
    except Failure as failure:
        return Check(
            name="store",
            status="fail",
            detail=failure.line(),
            next_step="tradingd data restore, or import again",
            critical=True,
        )
    if not os.access(root, os.W_OK):
        return Check(name="store", status="warn", detail=f"{root} is read-only for this user")
    if not files:
        return Check(name="store", status="warn", detail=f"{root} is empty", next_step=_IMPORT)
    return Check(name="store", status="ok", detail=f"{root}: {files} files", critical=True)


def _absent_store(root: Path) -> Check:
    parent = existing(root)
    if not os.access(parent, os.W_OK):
        return Check(
            name="store",
            status="fail",
            detail=f"{root} does not exist and {parent} is read-only for this user",
            next_step="set store.root to a folder this user may write",
            critical=True,
        )
    return Check(
        name="store", status="warn", detail=f"{root} does not exist yet", next_step=_IMPORT
    )


def results(root: Path) -> Check:
    """Say whether a run could write its folder; nothing is created to find out."""
    place = existing(root)
    if not place.is_dir():
        trouble = f"{place} is no folder"
    elif not os.access(place, os.W_OK | os.X_OK):
        trouble = f"{place} is read-only for this user"
    elif place == root:
        return Check(name="results", status="ok", detail=str(root), critical=True)
    else:
        return Check(
            name="results",
            status="ok",
            detail=f"{root} does not exist yet; the first run makes it",
            critical=True,
        )
    return Check(
        name="results",
        status="fail",
        detail=trouble if place == root else f"{root} cannot be made: {trouble}",
        next_step="set mode.results to a folder this user may write",
        critical=True,
    )


def disk(folder: Path) -> Check:
    """Compare free space with 1 GB and with a tenth of the file system."""
    usage = shutil.disk_usage(existing(folder))
    return judge_space(usage.free, usage.total, folder)


def judge_space(free: int, total: int, folder: Path) -> Check:
    """Fail below 1 GB, warn below a tenth."""
    detail = f"{free / 1e9:,.2f} GB free of {total / 1e9:,.2f} GB at {folder}"
    if free < LEAST_BYTES:
        return Check(
            name="disk space",
            status="fail",
            detail=detail,
            next_step="free at least 1 GB there, or put the folder elsewhere",
            critical=True,
        )
    if free < LEAST_SHARE * total:
        return Check(name="disk space", status="warn", detail=detail, next_step="free some space")
    return Check(name="disk space", status="ok", detail=detail, critical=True)


def secret_files(files: Sequence[Path]) -> Check:
    """Fail when a file that holds secrets can be read by anybody else."""
    present = [file for file in files if file.is_file()]
    loose = [file for file in present if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if loose:
        return Check(
            name="secret files",
            status="fail",
            detail="readable by others: " + ", ".join(map(str, loose)),
            next_step=f"chmod 600 {loose[0]}",
            critical=True,
        )
    detail = f"{len(present)} files, for their owner only" if present else "none in use"
    return Check(name="secret files", status="ok", detail=detail, critical=True)


def data_folders(folders: Sequence[Path]) -> Check:
    """Recommend that positions and results are not for everybody to read."""
    open_ones = [
        folder
        for folder in folders
        if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077
    ]
    if open_ones:
        return Check(
            name="data folders",
            status="warn",
            detail="other users may look into " + ", ".join(map(str, open_ones)),
            next_step=f"chmod 700 {open_ones[0]}",
        )
    return Check(name="data folders", status="ok", detail="for their owner only, or absent")


def sample_data(table: Path | None) -> Check:
    """Look for the daily bars that let a fresh machine run without a network."""
    if table and table.is_file():
        return Check(name="sample data", status="ok", detail=f"{table.name} is installed")
    return Check(
        name="sample data",
        status="warn",
        detail="bokeh-sampledata is not installed: source=sample has nothing to read",
        next_step="make setup installs the lock",
    )


def existing(path: Path) -> Path:
    """Return the path itself or its nearest ancestor that exists."""
    return next(one for one in (path, *path.parents) if one.exists())
