"""A run's folder: built hidden, renamed when complete, marked when the run failed.

``<root>/.<run_id>.partial/`` becomes ``<root>/<run_id>/`` by one rename, so a folder without the
dot always holds a finished run or one that says why it failed.
"""

import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tradingd.kits.atomicfile import TEMPORARY_SUFFIX, fsync_file, fsync_folder, write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.layout import ERROR

_RUN_ID: Final = re.compile(r"(?P<content>.+-[0-9a-f]{8}-[0-9a-f]{8})(?:-\d+)?")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_]+")


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `error.json`: why a run failed."""

    type: str
    message: str
    exit_code: int
    traceback: str


class RunFolder:
    """One run's folder; construct it with `create` or `open`.

    Parameters
    ----------
    root : Path
        Folder of all runs.
    run_id : str
        ``strategy-config-data`` with eight digits of either hash, and ``-2``, ``-3`` ... when the
        same run was made before.
    path : Path
        Where the files are now.
    """

    def __init__(self, root: Path, run_id: str, path: Path) -> None:
        self.root = root
        self.run_id = run_id
        self.path = path
        self._closers: list[Callable[[], None]] = []

    @classmethod
    def create(cls, root: Path, name: str, config_hash: str, data_hash: str) -> "RunFolder":
        """Reserve a run id and make its hidden folder; safe between processes."""
        content = f"{_UNSAFE.sub('_', name)}-{config_hash[:8]}-{data_hash[:8]}"
        root.mkdir(parents=True, exist_ok=True)
        attempt = 1
        while True:
            run_id = content if attempt == 1 else f"{content}-{attempt}"
            folder = cls(root, run_id, root / f".{run_id}{TEMPORARY_SUFFIX}")
            if folder._reserve():
                return folder
            attempt += 1

    @classmethod
    def open(cls, root: Path, run_id: str) -> "RunFolder":
        """Return a finished or failed run; RUN_NOT_FOUND when there is none of this id."""
        path = root / run_id
        if not run_id or not path.is_dir():
            raise Failure(
                f"no run {run_id!r}",
                code=ExitCode.RUN_NOT_FOUND,
                where=str(root),
                next_step="tradingd runs list",
            )
        return cls(root, run_id, path)

    @property
    def content_id(self) -> str:
        """The part of the run id that inputs decide: no counter of repetitions."""
        match = _RUN_ID.fullmatch(self.run_id)
        return match["content"] if match else self.run_id

    @property
    def final_path(self) -> Path:
        """Where the files are once the run is sealed."""
        return self.root / self.run_id

    @property
    def sealed(self) -> bool:
        """True when the run is complete or marked as failed."""
        return self.path == self.final_path

    def file(self, name: str) -> Path:
        """Return the path of one of the run's files."""
        return self.path / name

    def closes(self, closer: Callable[[], None]) -> None:
        """Register what must be closed before a failed run's folder is shown."""
        self._closers.append(closer)

    def seal(self) -> None:
        """Make every file durable and rename the folder to its final name."""
        for path in sorted(self.path.iterdir()):
            fsync_file(path)
        fsync_folder(self.path)
        self.path.rename(self.final_path)
        self.path = self.final_path
        fsync_folder(self.root)

    def fail(self, error: BaseException) -> None:
        """Keep what was recorded, write `error.json` with the traceback, and seal the folder."""
        if self.sealed:
            return
        for closer in self._closers:
            self._close_quietly(closer, error)
        content = msgspec.json.format(msgspec.json.encode(_describe(error)), indent=2)
        write_bytes(self.file(ERROR), content + b"\n")
        self.seal()

    @staticmethod
    def _close_quietly(closer: Callable[[], None], error: BaseException) -> None:
        # The run's own failure is the one to report; a full disk may well cause both.
        try:
            closer()
        except Exception as second:  # noqa: BLE001 - attached to the first, never lost
            error.add_note(f"closing the results failed too: {second!r}")

    def _reserve(self) -> bool:
        if self.final_path.exists():
            return False
        try:
            self.path.mkdir()
        except FileExistsError:
            return False
        # Another process may have sealed this id between the two checks above.
        if self.final_path.exists():
            self.path.rmdir()
            return False
        return True


def _describe(error: BaseException) -> RunError:
    return RunError(
        type=type(error).__name__,
        message=str(error),
        exit_code=int(error.code) if isinstance(error, Failure) else int(ExitCode.BUG),
        traceback="".join(traceback.format_exception(error)),
    )
