"""Computed features as Parquet files beside the history they come from.

They are in ``features/<first digits of the set's hash>/resolution=1d/symbol=SPY/`` below the
store's root, and one ``manifest.json`` names them: a file that it does not name was never finished
and goes at the next update. An update computes new bars only, from the set's memory
before them. It begins anew for a symbol whose earlier bars have changed, and for all when the set
compares symbols and one of them changed, came or went.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tradingd.features.batch import compute
from tradingd.features.digest import identity
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.moments import between, warm_start
from tradingd.features.series import PRICES, QUOTES, Integers, Series
from tradingd.history.lock import refusing_writes, writer_lock
from tradingd.kits.atomicfile import replacing, write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash

FOLDER: Final = "features"
MANIFEST: Final = "manifest.json"
_FILES: Final = 12
"""Files of a symbol after which an update writes them as one."""

_INPUTS: Final = ("ts", *PRICES, "volume", *QUOTES)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file; times are UTC ns, both inclusive."""

    path: str
    rows: int
    first_ts: int
    last_ts: int
    sha256: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is there of one symbol; `inputs` is the hash of the bars it was computed from."""

    inputs: str
    parts: tuple[Part, ...]

    @property
    def last_ts(self) -> int:
        """Time of the last row."""
        return self.parts[-1].last_ts

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(one.rows for one in self.parts)


class FeatureManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds; `features` are kinds and parameters by name."""

    hash: str
    bars: str
    benchmark: str
    memory: int
    features: dict[str, dict[str, object]]
    symbols: dict[str, Held] = {}


class Materialised(msgspec.Struct, frozen=True, kw_only=True):
    """What an update did."""

    folder: str
    hash: str
    features: int
    symbols: int
    rows: int
    rows_new: int
    rebuilt: int
    files: int


def folder_of(root: Path, feature_set: FeatureSet) -> Path:
    """Return where the features of a set are, below a store's root."""
    return root / FOLDER / feature_set.hash[:12]


def materialise(root: Path, feature_set: FeatureSet, series: Sequence[Series]) -> Materialised:
    """Bring the files of a set up to date with the bars.

    Parameters
    ----------
    root : Path
        Of the history store.
    series : sequence of Series
        All bars of the symbols, from the first to be kept.

    Raises
    ------
    Failure
        STORE_LOCKED while another process updates this set, STORE_WRITE when the disk refuses,
        UNREADABLE_INPUT when the manifest is damaged.
    """
    folder = folder_of(root, feature_set)
    bars = [one for one in series if len(one)]
    with writer_lock(folder), refusing_writes(folder):
        manifest = read_manifest(folder, feature_set)
        _tidy(folder, manifest)
        kept = _unchanged(manifest, feature_set, bars)
        frame = _computed(feature_set, bars, kept)
        symbols = {}
        for one in bars:
            symbols[one.symbol] = _updated(folder, feature_set, frame, one, kept.get(one.symbol))
        other = {} if feature_set.order else manifest.symbols
        new = msgspec.structs.replace(manifest, symbols=dict(sorted((other | symbols).items())))
        if new != manifest:
            write_bytes(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(new)))
        _tidy(folder, new)
    before = {name: held.rows for name, held in kept.items()}
    return Materialised(
        folder=str(folder),
        hash=feature_set.hash,
        features=len(feature_set),
        symbols=len(symbols),
        rows=sum(one.rows for one in symbols.values()),
        rows_new=sum(one.rows - before.get(name, 0) for name, one in symbols.items()),
        rebuilt=len((manifest.symbols.keys() & symbols.keys()) - kept.keys()),
        files=sum(len(one.parts) for one in symbols.values()),
    )


def read_manifest(folder: Path, feature_set: FeatureSet) -> FeatureManifest:
    """Return what a folder holds; that of an absent one is empty.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when the file is damaged or belongs to another set.
    """
    path = folder / MANIFEST
    found = FeatureManifest(
        hash=feature_set.hash,
        bars=feature_set.bars,
        benchmark=feature_set.benchmark,
        memory=feature_set.memory,
        features={
            name: identity(one)
            for name, one in zip(feature_set.names, feature_set.columns, strict=True)
        },
    )
    if not path.exists():
        return found
    try:
        found = msgspec.json.decode(path.read_bytes(), type=FeatureManifest)
    except msgspec.DecodeError as error:
        raise _damaged(path, str(error)) from error
    if found.hash != feature_set.hash:
        raise _damaged(path, f"features of {found.hash[:12]}")
    return found


def _damaged(path: Path, found: str) -> Failure:
    return Failure(
        "the manifest of computed features cannot be used",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected="the manifest of this set of features",
        found=found,
        next_step=f"remove the folder {path.parent}; its features are computed anew",
    )


def _inputs(series: Series, last_ts: int) -> str:
    """Hash the bars up to a time."""
    rows = int(np.searchsorted(series.ts, last_ts, side="right"))
    digest = hashlib.sha256()
    for name in _INPUTS:
        if (values := getattr(series, name)) is not None:
            digest.update(name.encode() + np.ascontiguousarray(values[:rows]).tobytes())
    return digest.hexdigest()


def _unchanged(
    manifest: FeatureManifest, feature_set: FeatureSet, series: Sequence[Series]
) -> dict[str, Held]:
    """Return what stays of the symbols that are wanted."""
    found = {
        one.symbol: held
        for one in series
        if (held := manifest.symbols.get(one.symbol)) is not None
        and _inputs(one, held.last_ts) == held.inputs
    }
    together = {one.symbol for one in series} == manifest.symbols.keys() == found.keys()
    # Symbols that are compared change each other's values; a late symbol also its earlier ones.
    if feature_set.order and not (together and _in_step(series, found)):
        return {}
    return found


def _in_step(series: Sequence[Series], held: Mapping[str, Held]) -> bool:
    """Whether every new bar lies after all the old ones."""
    latest = max((one.last_ts for one in held.values()), default=0)
    return all(
        not np.any((one.ts > held[one.symbol].last_ts) & (one.ts <= latest)) for one in series
    )


def _computed(
    feature_set: FeatureSet, series: Sequence[Series], kept: Mapping[str, Held]
) -> FeatureFrame | None:
    """Compute from the memory before the first new bars on; None where there are none."""
    new = {
        one.symbol: int(later[0])
        for one in series
        if len(later := one.ts[one.ts > (held.last_ts if (held := kept.get(one.symbol)) else -1)])
    }
    if not new:
        return None
    end = max(int(one.ts[-1]) for one in series)
    if feature_set.order:
        start = warm_start(series, feature_set, min(new.values()))
        return compute(feature_set, between(series, start, end))
    alone = [
        between([one], warm_start([one], feature_set, new[one.symbol]), end)[0]
        for one in series
        if one.symbol in new
    ]
    return compute(feature_set, alone)


def _updated(
    folder: Path,
    feature_set: FeatureSet,
    frame: FeatureFrame | None,
    series: Series,
    kept: Held | None,
) -> Held:
    if frame is None:
        assert kept is not None
        return kept
    rows = frame.of(series.symbol)
    rows = rows[frame.ts[rows] > (kept.last_ts if kept else -1)]
    if not len(rows):
        assert kept is not None
        return kept
    parts = () if kept is None else kept.parts
    place = folder / f"resolution={feature_set.bars}" / f"symbol={series.symbol}"
    part = _written(folder, place, frame, rows, parts if len(parts) >= _FILES else ())
    parts = (part,) if len(parts) >= _FILES else (*parts, part)
    return Held(inputs=_inputs(series, parts[-1].last_ts), parts=parts)


def _written(
    folder: Path, place: Path, frame: FeatureFrame, rows: Integers, older: Sequence[Part]
) -> Part:
    """Write rows, with those of older files before them, as one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"ts_event": pa.array(frame.ts[rows]).cast(pa.timestamp("ns"))}
    columns |= {
        name: pa.array(np.ascontiguousarray(frame.x[rows, index]))
        for index, name in enumerate(frame.names)
    }
    tables = [pq.read_table(folder / one.path, partitioning=None) for one in older]
    table = pa.concat_tables([*tables, pa.table(columns)])
    first, last = (table["ts_event"][at].value for at in (0, -1))
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(first // 1_000_000_000))
    draft = place / f"{stamp}.parquet"
    with replacing(draft) as temporary:
        pq.write_table(table, temporary, compression="zstd")
        sha256 = file_hash(temporary)
    path = place / f"{stamp}-{sha256[:16]}.parquet"
    draft.replace(path)
    return Part(
        path=path.relative_to(folder).as_posix(),
        rows=table.num_rows,
        first_ts=first,
        last_ts=last,
        sha256=sha256,
    )


def _tidy(folder: Path, manifest: FeatureManifest) -> None:
    """Remove the files that the manifest does not name."""
    named = {part.path for held in manifest.symbols.values() for part in held.parts}
    for path in folder.glob("resolution=*/symbol=*/*.parquet*"):
        if path.relative_to(folder).as_posix() not in named:
            path.unlink()
