"""A model's files against its manifest: in the folder, of the stated size and hash, nothing else.

No file is opened here but to be hashed or looked into as plain data; nothing is ever unpickled.
"""

import shutil
from pathlib import Path
from typing import Final

from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash

MOST_BYTES: Final = 512 * 1024 * 1024
"""Of one file; a thousand trees are some 5 MB."""

SERVED: Final = ("lightgbm-text", "xgboost-json", "xgboost-ubj", "onnx")
"""Formats that are read without running them, and that serving knows."""


def check_files(folder: Path, manifest: ModelManifest) -> None:
    """Refuse a folder that is not what its manifest says.

    Raises
    ------
    Failure
        CONTRACT, naming the file.
    """
    if manifest.artifact.format not in SERVED:
        raise _refused(
            folder, "the format of a model is not served", ", ".join(SERVED),
            manifest.artifact.format,
        )  # fmt: skip
    artifact = manifest.artifact
    _check(folder, artifact.path, artifact.sha256, artifact.bytes)
    for one in manifest.files:
        _check(folder, one.path, one.sha256, one.bytes)


def copy_files(folder: Path, manifest: ModelManifest, to: Path) -> None:
    """Copy what the manifest names, and nothing else."""
    for path in (manifest.artifact.path, *(one.path for one in manifest.files)):
        target = to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, target)


def _check(folder: Path, stated: str, digest: str, size: int | None) -> None:
    path = folder / stated
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _refused(path, "a model's file lies outside its folder", str(folder), "elsewhere")
    if not path.is_file():
        raise _refused(path, "a model's file is missing", "a file", "none")
    found = path.stat().st_size
    if found > MOST_BYTES:
        raise _refused(path, "a model's file is too large", f"{MOST_BYTES} bytes", str(found))
    if size is not None and found != size:
        raise _refused(path, "a model's file has another size", f"{size} bytes", str(found))
    if (other := file_hash(path)) != digest:
        raise _refused(path, "a model's file is not the one of its manifest", digest, other)


def _refused(path: Path, what: str, expected: str, found: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONTRACT,
        where=str(path),
        expected=expected,
        found=found,
        next_step="take the folder as its maker wrote it, whole",
    )
