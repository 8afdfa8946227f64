"""What workers share: rows, folds and settings, in memory or as files they map.

Files are plain .npy arrays (never pickles) and one JSON document; mapped, they cost each worker
only the rows it takes.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from tradingd.config.training import LearnerConfig, TrainingConfig
from tradingd.learning.dataset import Dataset, Fold

ARRAYS: Final = ("symbol", "ts", "end", "session", "x", "y", "gain", "weight")
PARTS: Final = ("train", "validation", "test")
DOCUMENT: Final = "workload.json"


class Workload(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows, the folds cut from them, and how to learn."""

    dataset: Dataset
    folds: tuple[Fold, ...]
    training: TrainingConfig


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One fold of a workload with one learner: what a worker is told."""

    fold: int
    learner: LearnerConfig
    seed: int


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    names: tuple[str, ...]
    universe: tuple[str, ...]
    folds: tuple[int, ...]
    training: TrainingConfig


def write_workload(folder: Path, workload: Workload) -> None:
    """Write everything into an empty folder."""
    dataset = workload.dataset
    for name in ARRAYS:
        _save(folder / f"{name}.npy", getattr(dataset, name))
    for place, fold in enumerate(workload.folds):
        for part in PARTS:
            _save(folder / f"fold-{place}-{part}.npy", getattr(fold, part))
    document = _Document(
        names=dataset.names,
        universe=dataset.universe,
        folds=tuple(fold.number for fold in workload.folds),
        training=workload.training,
    )
    (folder / DOCUMENT).write_bytes(msgspec.json.encode(document))


def read_workload(folder: Path) -> Workload:
    """Map what `write_workload` wrote; rows are read when they are taken."""
    document = msgspec.json.decode((folder / DOCUMENT).read_bytes(), type=_Document)
    arrays = {name: _map(folder / f"{name}.npy") for name in ARRAYS}
    folds = tuple(
        Fold(number=number, **{part: _map(folder / f"fold-{place}-{part}.npy") for part in PARTS})
        for place, number in enumerate(document.folds)
    )
    return Workload(
        dataset=Dataset(names=document.names, universe=document.universe, **arrays),
        folds=folds,
        training=document.training,
    )


def _save(path: Path, array: Any) -> None:
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)


def _map(path: Path) -> Any:
    # An empty file cannot be mapped.
    array = np.load(path, mmap_mode=None if path.stat().st_size <= _HEADER else "r")
    return array


_HEADER: Final = 128
"""Bytes before the first item of a .npy file of one or two dimensions."""
