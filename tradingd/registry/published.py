"""The registry's folder on this machine: a model's files and manifest, and where aliases point.

``NAME/aliases.json`` and ``NAME/VERSION/...`` under ``ROOT/models``; each file is replaced at
once. Who serves needs only this, and no MLflow: `current` is two small reads.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import ModelManifest
from tradingd.kits import atomicfile
from tradingd.kits.failure import ExitCode, Failure

ALIASES: Final = "aliases.json"
_FOLDER: Final = "models"


def folder_of(root: Path, name: str, version: int) -> Path:
    """Return where a version's files are."""
    return root / _FOLDER / name / str(version)


def aliases(root: Path, name: str) -> dict[str, int]:
    """Return where each alias points; empty where there is none.

    Raises
    ------
    Failure
        REGISTRY when the file is damaged.
    """
    path = root / _FOLDER / name / ALIASES
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise Failure(
            "the aliases of a model cannot be read",
            code=ExitCode.REGISTRY,
            where=str(path),
            expected="alias: version",
            found=str(error),
            next_step=f"tradingd model show {name}",
        ) from error


def current(root: Path, name: str, alias: str) -> Path | None:
    """Return the manifest that an alias points to; None where it points nowhere.

    Raises
    ------
    Failure
        As of `aliases`.
    """
    version = aliases(root, name).get(alias)
    if version is None:
        return None
    return folder_of(root, name, version) / manifests.FILE_NAME


def write_aliases(root: Path, name: str, pointed: Mapping[str, int]) -> None:
    """Say where aliases point; the file is touched only where that changes."""
    if aliases_or_none(root, name) == dict(pointed):
        return
    content = msgspec.json.format(msgspec.json.encode(dict(sorted(pointed.items()))), indent=2)
    atomicfile.write_bytes(root / _FOLDER / name / ALIASES, content + b"\n")


def aliases_or_none(root: Path, name: str) -> dict[str, int] | None:
    """Return them, or None where the file is missing or damaged and has to be written anew."""
    if not (root / _FOLDER / name / ALIASES).exists():
        return None
    try:
        return aliases(root, name)
    except Failure:
        return None


def write_manifest(root: Path, manifest: ModelManifest) -> None:
    """Put a manifest in its place; the file is touched only where it changes."""
    path = folder_of(root, manifest.name, int(manifest.version)) / manifests.FILE_NAME
    content = manifests.encode(manifest)
    if not path.exists() or path.read_bytes() != content:
        atomicfile.write_bytes(path, content)


def publish_files(root: Path, name: str, version: int, fill: Callable[[Path], None]) -> Path:
    """Make a version's folder whole or not at all; `fill` writes into the folder it is given."""
    folder = folder_of(root, name, version)
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f".{version}{atomicfile.TEMPORARY_SUFFIX}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        fill(unfinished)
        for path in unfinished.rglob("*"):
            if path.is_file():
                atomicfile.fsync_file(path)
        unfinished.replace(folder)
        atomicfile.fsync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return folder
