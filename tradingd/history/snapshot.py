"""Named, verified copies of the store, and the way back.

A snapshot holds the files of one moment and a manifest that names them with their hashes. Beside
the store files are hard links (they never change in place, so a link costs nothing and lasts);
a backup that must survive the disk goes elsewhere and is copied. A restore verifies every hash
before the first change and then swaps the whole store with one line of the manifest.
"""

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.history import manifest, recovery
from tradingd.history.integrity import verify
from tradingd.history.lock import refusing_writes, writer_lock
from tradingd.history.manifest import Commit, FileRecord, Fill, Manifest
from tradingd.history.provenance import in_force
from tradingd.history.store import Store
from tradingd.kits.atomicfile import TEMPORARY_SUFFIX, fsync_file, fsync_folder
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

FOLDER: Final = "snapshots"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")

type Progress = Callable[[int, int], None]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot holds, or what a restore brought back."""

    name: str
    path: str
    files: int
    rows: int
    bytes: int


def snapshot(
    store: Store, name: str, to: Path | None = None, progress: Progress = lambda _d, _a: None
) -> Snapshot:
    """Keep the store as it is now under a name.

    Raises
    ------
    Failure
        SNAPSHOT when the name is taken or a file is damaged; STORE_LOCKED; STORE_WRITE.
    """
    target = _folder(store, to) / _checked(name)
    if target.exists():
        raise _refused(f"snapshot {name} exists already", target, "a new name", name)
    with writer_lock(store.root), refusing_writes(target):
        records = store.contents().files()
        _check_intact(store.root, records, progress)
        partial = target.with_name(f".{name}{TEMPORARY_SUFFIX}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for record in records:
            _place(recovery.located(store.root, record.path), partial / record.path, to is None)
        manifest.append(partial, [_commit(f"snapshot {name}", records, fills=in_force(store.root))])
        partial.rename(target)
        fsync_folder(target.parent)
    return _report(name, target, records)


def restore(
    store: Store, name: str, origin: Path | None = None, progress: Progress = lambda _d, _a: None
) -> Snapshot:
    """Bring the store back to a snapshot; refused as a whole when one hash differs.

    Raises
    ------
    Failure
        SNAPSHOT when there is no such snapshot or one of its files is damaged.
    """
    source = _folder(store, origin) / _checked(name)
    if not (source / manifest.FILE_NAME).is_file():
        raise _unknown(source, name)
    stated = manifest.load(source)
    if not stated.commits:
        raise _refused(f"the manifest of snapshot {name} is empty", source, "its files", "no line")
    records = stated.files()
    _check_intact(source, records, progress)
    with writer_lock(store.root), refusing_writes(store.root):
        contents = _current(store)
        recovery.tidy(store.root, contents)
        if not contents.commits:
            manifest.begin(store.root)
        damaged = {one.path for one in verify(store.root, contents.files())}
        for record in records:
            if record.path not in contents or record.path in damaged:
                _place(source / record.path, store.root / record.path, origin is None)
        kept = {one.path for one in records}
        gone = tuple(one.path for one in contents.files() if one.path not in kept)
        entry = _commit(f"restore {name}", records, gone, fills=in_force(source))
        manifest.append(store.root, [entry])
        recovery.retire(store.root, gone)
    return _report(name, source, records)


def snapshots(store: Store, to: Path | None = None) -> list[str]:
    """Return the names of the snapshots, sorted."""
    found = _folder(store, to).glob(f"*/{manifest.FILE_NAME}")
    return sorted(path.parent.name for path in found if not path.parent.name.startswith("."))


def _folder(store: Store, elsewhere: Path | None) -> Path:
    return elsewhere if elsewhere is not None else store.root / FOLDER


def _checked(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise _refused("not a snapshot name", Path(name), "letters, digits, dots and dashes", name)


def _check_intact(root: Path, records: Sequence[FileRecord], progress: Progress) -> None:
    seen = iter(range(1, len(records) + 1))
    damage = verify(root, records, lambda _record: progress(next(seen), len(records)))
    if damage:
        raise _refused(
            f"{len(damage)} of {len(records)} files are damaged; nothing was changed",
            root / damage[0].path,
            "the content that was written",
            damage[0].problem,
        )


def _place(source: Path, target: Path, link: bool) -> None:
    """Put a file in place atomically: a hard link where wanted and possible, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}{TEMPORARY_SUFFIX}")
    temporary.unlink(missing_ok=True)
    try:
        if not link:
            raise OSError("a copy is wanted")
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
        fsync_file(temporary)
    temporary.replace(target)
    fsync_folder(target.parent)


def _current(store: Store) -> Manifest:
    """Contents of the store; a manifest that is lost or cannot be read is set aside."""
    try:
        return store.contents()
    except Failure:
        path = store.root / manifest.FILE_NAME
        if path.exists():
            path.replace(path.with_suffix(".damaged"))
        return Manifest()


def _commit(
    source: str,
    records: Sequence[FileRecord],
    gone: tuple[str, ...] = (),
    *,
    fills: Sequence[Fill],
) -> Commit:
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Commit(at=at, source=source, add=tuple(records), remove=gone, fills=tuple(fills))


def _report(name: str, path: Path, records: Sequence[FileRecord]) -> Snapshot:
    return Snapshot(
        name=name,
        path=str(path),
        files=len(records),
        rows=sum(one.rows for one in records),
        bytes=sum(one.bytes for one in records),
    )


def _unknown(path: Path, name: str) -> Failure:
    known = sorted(one.name for one in path.parent.glob("*") if one.is_dir())
    similar = nearest(name, known)
    return _refused(
        f"there is no snapshot {name}",
        path,
        f"perhaps {similar}" if similar else f"one of: {', '.join(known) or 'none exist'}",
        name,
    )


def _refused(what: str, where: Path, expected: str, found: str) -> Failure:
    return Failure(what, code=ExitCode.SNAPSHOT, where=str(where), expected=expected, found=found)
