"""Which files of a history store count: the lines of its manifest, read as any tool would.

The layout is published in `contracts/history-manifest.json`. A store without a manifest is read
by its folders alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

_MANIFEST: Final = "manifest.jsonl"
_EVER: Final = 2**62


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file; `first_ts` and `last_ts` are UTC ns of its first and last row."""

    path: str
    table: str
    symbol: str = ""
    resolution: str | None = None
    first_ts: int = -_EVER
    last_ts: int = _EVER
    adjusted: bool = False


class _Commit(msgspec.Struct, frozen=True):
    add: tuple[File, ...] = ()
    remove: tuple[str, ...] = ()


class Catalog:
    """The files of a store; looks again when the manifest has grown.

    Parameters
    ----------
    root : Path
        The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: tuple[int, int] | None = None
        self._files: dict[tuple[str, str, str | None], list[File]] = {}

    def bars(self, symbol: str, resolution: str, low: int, high: int) -> list[File]:
        """Return the files that may hold bars with low <= ts_event <= high."""
        return self._between("bars", symbol, resolution, low, high)

    def ticks(self, table: str, symbol: str, low: int, high: int) -> list[File]:
        """Return the files of quotes or trades with low <= ts_event <= high."""
        return self._between(table, symbol, None, low, high)

    def actions(self) -> list[File]:
        """Return the files of corporate actions."""
        self._refresh()
        return self._files.get(("actions", "", None), [])

    def symbols(self, resolution: str) -> list[str]:
        """Return the symbols that have bars of a resolution."""
        self._refresh()
        return sorted(key[1] for key in self._files if key[0] == "bars" and key[2] == resolution)

    def span(self, symbols: Iterable[str], resolution: str) -> tuple[int, int] | None:
        """Return the first and the last time of some symbols' bars, as far as files tell."""
        files = [one for name in symbols for one in self.bars(name, resolution, -_EVER, _EVER)]
        if not files:
            return None
        return min(one.first_ts for one in files), max(one.last_ts for one in files)

    def _between(
        self, table: str, symbol: str, resolution: str | None, low: int, high: int
    ) -> list[File]:
        self._refresh()
        files = self._files.get((table, symbol, resolution), [])
        return [one for one in files if one.last_ts >= low and one.first_ts <= high]

    def _refresh(self) -> None:
        manifest = self.root / _MANIFEST
        if not manifest.exists():
            self._arrange(_by_folders(self.root))
            return
        state = manifest.stat()
        seen = (state.st_mtime_ns, state.st_size)
        if seen != self._seen:
            self._arrange(_named(manifest))
            self._seen = seen

    def _arrange(self, files: Iterable[File]) -> None:
        self._files = {}
        for one in sorted(files, key=lambda file: (file.first_ts, file.path)):
            self._files.setdefault((one.table, one.symbol, one.resolution), []).append(one)


def _named(manifest: Path) -> Sequence[File]:
    decoder = msgspec.json.Decoder(_Commit)
    files: dict[str, File] = {}
    # Lines are appended; one without its end is a commit that never was.
    for line in manifest.read_bytes().split(b"\n")[:-1]:
        if not line:
            continue
        commit = decoder.decode(line)
        for path in commit.remove:
            files.pop(path, None)
        files.update((one.path, one) for one in commit.add)
    return list(files.values())


def _by_folders(root: Path) -> list[File]:
    files = []
    for path in root.glob("*/**/*.parquet"):
        parts = path.relative_to(root).parts
        if parts[0] == ".retired":
            continue
        keys = dict(part.partition("=")[::2] for part in parts if "=" in part)
        files.append(
            File(
                path="/".join(parts),
                table=parts[1] if parts[0] == "reference" else parts[0],
                symbol=keys.get("symbol", ""),
                resolution=keys.get("resolution"),
            )
        )
    return files
