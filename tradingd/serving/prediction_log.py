"""Every prediction of a session on disk, a Parquet file a day.

``DAY.parquet`` of a day that is over, ``DAY/NNNNNN.parquet`` of the one that is not: parts are
written whole, merged when the day turns, and found again after a sudden death. Everything here
blocks and runs in the thread of `tradingd.serving.shadow`.
"""

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.kits.atomicfile import replacing
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    import pyarrow as pa

type Floats = NDArray[np.float64]

FOLDER: Final = "predictions"
"""In the state folder of an instance."""

FEATURE: Final = "x_"
"""What names of feature columns begin with."""

FEATURES_HASH: Final = b"tradingd.features_hash"
_DAY_NS: Final = 86_400_000_000_000
_PATTERN: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


class Predicted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One prediction.

    Parameters
    ----------
    ts : int
        Of the row it is made from, UTC ns: the close of its bar, or its quote.
    role : str
        ``champion`` or ``challenger``.
    took_ns : int
        From the question to the answer.
    row : array of float
        The features as the model saw them.
    """

    ts: int
    symbol: str
    model: str
    role: str
    score: float
    probability: float | None
    low: float | None
    high: float | None
    took_ns: int
    row: Floats


class PredictionLog:
    """Writes predictions of one set of features.

    Parameters
    ----------
    folder : Path
        Made at the first write.
    names : sequence of str
        Features, in the order of a row.
    features_hash : str
        Of the set.
    keep_days : int
        Newest days that are kept.
    """

    def __init__(
        self, folder: Path, names: Sequence[str], features_hash: str, *, keep_days: int
    ) -> None:
        self.folder = folder
        self._names = tuple(names)
        self._hash = features_hash
        self._keep = keep_days
        self._day = ""
        self._rows: list[Predicted] = []

    @property
    def buffered(self) -> int:
        """Predictions in memory."""
        return len(self._rows)

    def begin(self) -> None:
        """Merge what there is in parts, and let go of days that are too old."""
        for part in sorted(self.folder.glob(_PATTERN)):
            self._merge(part.name)

    def append(self, one: Predicted) -> None:
        """Keep a prediction in memory."""
        self._rows.append(one)

    def flush(self) -> int:
        """Write what is in memory, and merge days that are over; return how many were written.

        Raises
        ------
        OSError
            What could not be written stays in memory.
        """
        by_day: dict[int, list[Predicted]] = {}
        for one in self._rows:
            by_day.setdefault(one.ts // _DAY_NS, []).append(one)
        written = 0
        try:
            for number in sorted(by_day):
                rows = by_day[number]
                self._of_day(_name(number), rows, over=number != max(by_day))
                written += len(rows)
                del by_day[number]
        finally:
            self._rows = [one for rows in by_day.values() for one in rows]
        return written

    def end(self) -> int:
        """As `flush`, and merge the day in hand."""
        written = self.flush()
        self.begin()
        return written

    def drop(self) -> int:
        """Forget what is in memory; return how many."""
        dropped, self._rows = len(self._rows), []
        return dropped

    def _of_day(self, day: str, rows: Sequence[Predicted], *, over: bool) -> None:
        if day > self._day:
            if self._day:
                self._merge(self._day)
            self._day = day
        folder, whole = self.folder / day, self.folder / f"{day}.parquet"
        if over and not folder.exists() and not whole.exists():
            # A replay has many days in one breath: each is written once.
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(whole, rows)
            self._retain()
            return
        folder.mkdir(parents=True, exist_ok=True)
        number = max((int(one.stem) for one in folder.glob("*.parquet")), default=0) + 1
        self._write(folder / f"{number:06}.parquet", rows)

    def _write(self, path: Path, rows: Sequence[Predicted]) -> None:
        import pyarrow.parquet as pq

        with replacing(path) as partial:
            pq.write_table(self._table(rows), partial, compression="zstd")

    def _table(self, rows: Sequence[Predicted]) -> "pa.Table":
        import pyarrow as pa

        columns: dict[str, Any] = {
            "symbol": pa.array([one.symbol for one in rows], pa.string()),
            "ts_event": pa.array([one.ts for one in rows], pa.int64()).cast(pa.timestamp("ns")),
            "model": pa.array([one.model for one in rows], pa.string()),
            "role": pa.array([one.role for one in rows], pa.string()),
            "took_ns": pa.array([one.took_ns for one in rows], pa.int64()),
        }
        for name in ("score", "probability", "low", "high"):
            columns[name] = pa.array([getattr(one, name) for one in rows], pa.float64())
        x = np.stack([one.row for one in rows])
        for column, name in enumerate(self._names):
            columns[FEATURE + name] = pa.array(np.ascontiguousarray(x[:, column]), pa.float64())
        return pa.table(columns).replace_schema_metadata({FEATURES_HASH: self._hash.encode()})

    def _merge(self, day: str) -> None:
        import pyarrow.parquet as pq

        folder, whole = self.folder / day, self.folder / f"{day}.parquet"
        parts = sorted(folder.glob("*.parquet"))
        if parts:
            files = [whole, *parts] if whole.exists() else parts
            with replacing(whole) as partial:
                pq.write_table(_joined(files), partial, compression="zstd")
        shutil.rmtree(folder, ignore_errors=True)
        self._retain()

    def _retain(self) -> None:
        days = sorted(self.folder.glob(f"{_PATTERN}.parquet"))
        for old in days[: max(len(days) - self._keep, 0)]:
            old.unlink(missing_ok=True)


def read_log(
    folder: Path, start: dt.date | None = None, end: dt.date | None = None
) -> "pa.Table | None":
    """Read the predictions of some days, both inclusive; each (model, symbol, moment) once.

    Columns symbol, ts_event (naive UTC), model, role, took_ns, score, probability, low, high, and
    one ``x_NAME`` a feature. A moment that was predicted twice, over a restart, has its last one.

    Returns
    -------
    Table
        By moment, symbol and model; None where there is no prediction.

    Raises
    ------
    Failure
        DAMAGED_PARQUET naming the file.
    """
    files = [one for day, one in _files(folder) if (not start or day >= start)
             and (not end or day <= end)]  # fmt: skip
    if not files:
        return None
    table = _joined(files)
    ts = table["ts_event"].cast("int64").to_numpy()
    symbol, model = (
        np.unique(table[name].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)[1]
        for name in ("symbol", "model")
    )
    order = np.lexsort((model, symbol, ts))
    last = np.ones(len(order), np.bool_)
    last[:-1] = (
        (np.diff(ts[order]) != 0) | (np.diff(symbol[order]) != 0) | (np.diff(model[order]) != 0)
    )
    return table.take(order[last])


def _files(folder: Path) -> Iterator[tuple[dt.date, Path]]:
    for one in sorted(folder.glob(f"{_PATTERN}*")):
        day = dt.date.fromisoformat(one.name[:10])
        for file in sorted(one.glob("*.parquet")) if one.is_dir() else [one]:
            if file.suffix == ".parquet":
                yield day, file


def _joined(files: Sequence[Path]) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for one in files:
        try:
            tables.append(pq.read_table(one, partitioning=None))
        except (pa.ArrowInvalid, OSError) as error:
            raise Failure(
                "recorded predictions cannot be read",
                code=ExitCode.DAMAGED_PARQUET,
                where=str(one),
                expected="a whole Parquet file",
                found=str(error).splitlines()[0],
                next_step="move the file away; the other days are not affected",
            ) from error
    return pa.concat_tables(tables, promote_options="default")


def _name(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(day)).isoformat()
