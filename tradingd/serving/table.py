"""Predictions that were made before, asked by row: what judges a model in a backtest."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.domain.advice import Abstention, Advice
from tradingd.kits.atomicfile import replacing
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    import pyarrow as pa

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

_MODEL: Final = b"tradingd.model"
_ABOUT_SIGNAL: Final = b"tradingd.about_signal"
_NUMBERS: Final = ("score", "probability", "low", "high")


class PredictionRows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Predictions, any order, each (symbol, ts) once.

    Parameters
    ----------
    model : str
        ``name@version``, or whatever names it.
    about_signal : bool
        As in `Advice`.
    symbols : sequence of str
        `symbol` holds indices into it.
    symbol, ts : array of int
        Of the feature row; `ts` is the close of its bar, UTC ns.
    score, probability, low, high : array of float
        As in `Advice`; nan where there is none. A row without a score is an abstention for missing
        features.
    """

    model: str
    symbols: Sequence[str]
    symbol: Integers
    ts: Integers
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    about_signal: bool = False


class PredictionTable:
    """Answers from rows; never from a row of another moment than the one asked for.

    Parameters
    ----------
    rows : PredictionRows
    where : str
        The file, for refusals.

    Raises
    ------
    Failure
        INVALID_ROW: a row is there twice, or a probability is none.
    """

    def __init__(self, rows: PredictionRows, where: str = "predictions") -> None:
        _check_probabilities(rows, where)
        order = np.lexsort((rows.ts, rows.symbol))
        symbol, ts = rows.symbol[order], rows.ts[order]
        same = (np.diff(symbol) == 0) & (np.diff(ts) == 0)
        if same.any():
            place = int(np.flatnonzero(same)[0])
            raise _refused(
                "a prediction is there twice",
                where,
                expected="one row a symbol and moment",
                found=f"{rows.symbols[symbol[place]]} at {_stamp(int(ts[place]))}",
            )
        self.model = rows.model
        self._about_signal = rows.about_signal
        # Indexing a memoryview gives a plain number at a third of an array's price.
        self._ts = memoryview(np.ascontiguousarray(ts))
        self._columns = [
            memoryview(np.ascontiguousarray(getattr(rows, name)[order])) for name in _NUMBERS
        ]
        numbers = np.arange(len(rows.symbols))
        starts = np.searchsorted(symbol, numbers, side="left").tolist()
        ends = np.searchsorted(symbol, numbers, side="right").tolist()
        self._spans = dict(zip(rows.symbols, zip(starts, ends, strict=True), strict=True))

    def __len__(self) -> int:
        return len(self._ts)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last moment, UTC ns; None when it is empty."""
        if not len(self._ts):
            return None
        return min(self._ts), max(self._ts)

    def advice(self, symbol: str, ts: int) -> Advice:
        """Return the prediction of exactly this row, or an abstention."""
        start, end = self._spans.get(symbol, (0, 0))
        place = bisect_left(self._ts, ts, start, end)
        if place == end or self._ts[place] != ts:
            return Advice(
                symbol=symbol,
                ts=ts,
                model=self.model,
                abstention=Abstention.NO_ROW,
                why=f"no prediction of {symbol} at {_stamp(ts)}",
            )
        score, probability, low, high = (_number(column[place]) for column in self._columns)
        missing = score is None
        return Advice(
            symbol=symbol,
            ts=ts,
            model=self.model,
            score=score,
            probability=probability,
            low=low,
            high=high,
            about_signal=self._about_signal,
            abstention=Abstention.MISSING_FEATURES if missing else None,
            why="features of the row are missing" if missing else "",
        )


def write_predictions(path: Path, rows: PredictionRows) -> None:
    """Write predictions as `read_predictions` reads them, atomically; sorted, so bytes repeat."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = np.lexsort((rows.symbol, rows.ts))
    names = np.asarray(rows.symbols, dtype=object)[rows.symbol[order]]
    columns: dict[str, Any] = {
        "symbol": pa.array(names, pa.string()),
        "ts_event": pa.array(rows.ts[order]).cast(pa.timestamp("ns")),
    }
    for name in _NUMBERS:
        columns[name] = pa.array(getattr(rows, name)[order], from_pandas=True)
    table = pa.table(columns).replace_schema_metadata(
        {_MODEL: rows.model.encode(), _ABOUT_SIGNAL: b"1" if rows.about_signal else b"0"}
    )
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def read_predictions(path: Path) -> PredictionTable:
    """Read a Parquet file of predictions.

    Columns symbol (string), ts_event (nanosecond timestamp, naive UTC, or integers), score, and
    optionally probability, low and high.

    Raises
    ------
    Failure
        UNREADABLE_INPUT, DAMAGED_PARQUET, or INVALID_ROW naming the column or row.
    """
    table = _read(path)
    for name in ("symbol", "ts_event", "score"):
        if name not in table.column_names:
            raise _refused(
                f"predictions have no column {name}",
                str(path),
                expected="symbol, ts_event, score[, probability, low, high]",
                found=", ".join(table.column_names),
            )
    import pyarrow as pa

    facts = table.schema.metadata or {}
    try:
        ts, names = table["ts_event"], table["symbol"].cast(pa.string())
        if ts.null_count or names.null_count:
            raise ValueError("nulls in symbol or ts_event")
        symbols = names.combine_chunks().dictionary_encode()
        stamps = ts if pa.types.is_integer(ts.type) else ts.cast(pa.timestamp("ns"))
        numbers = {name: _floats(table, name) for name in _NUMBERS}
        rows = PredictionRows(
            model=facts.get(_MODEL, path.name.encode()).decode(),
            about_signal=facts.get(_ABOUT_SIGNAL) == b"1",
            symbols=symbols.dictionary.to_pylist(),
            symbol=symbols.indices.to_numpy().astype(np.int64),
            ts=stamps.cast(pa.int64()).to_numpy(),
            **numbers,
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError, ValueError) as error:
        raise _refused(
            "predictions have columns of other types",
            str(path),
            expected="symbol as text, ts_event as timestamps, numbers as float64; no nulls in"
            " symbol and ts_event",
            found=str(error),
        ) from error
    return PredictionTable(rows, str(path))


def _read(path: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except OSError as error:
        if not path.is_file():
            raise Failure(
                "there is no file of predictions",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(path),
                next_step="`tradingd model train` writes one for every model it judges",
            ) from error
        raise _damaged(path, error) from error
    except pa.ArrowInvalid as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> Failure:
    return Failure(
        "the predictions' file cannot be read",
        code=ExitCode.DAMAGED_PARQUET,
        where=str(path),
        expected="a whole Parquet file",
        found=str(error).splitlines()[0],
    )


def _floats(table: "pa.Table", name: str) -> Floats:
    import pyarrow as pa

    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    found: Floats = table[name].cast(pa.float64()).to_numpy()
    return found


def _check_probabilities(rows: PredictionRows, where: str) -> None:
    with np.errstate(invalid="ignore"):
        wrong = (rows.probability < 0) | (rows.probability > 1)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise _refused(
            "a prediction's probability is none",
            where,
            expected="0 to 1",
            found=f"{rows.probability[place]:g} for {rows.symbols[rows.symbol[place]]} at"
            f" {_stamp(int(rows.ts[place]))}",
        )


def _number(value: float) -> float | None:
    return value if value == value else None


def _stamp(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts // 1_000_000_000, tz=dt.UTC).strftime(
        "%Y-%m-%d %H:%M:%S UTC"
    )


def _refused(what: str, where: str, *, expected: str, found: str) -> Failure:
    return Failure(what, code=ExitCode.INVALID_ROW, where=where, expected=expected, found=found)
