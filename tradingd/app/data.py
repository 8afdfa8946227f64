"""Compose the data commands: a configured source into the configured store, and back out."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.config.paths import store_root
from tradingd.config.source import TabularSource
from tradingd.config.system import SystemConfig
from tradingd.domain.market import DataKind
from tradingd.domain.ports import ImportTask, Source
from tradingd.history.batch import Batch
from tradingd.history.merge import Written
from tradingd.history.missing import no_data, unknown_symbol_anywhere
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure

type Progress = Callable[[int, int], None]

# What a bad input file, or a vendor, can cause; anything else (a full disk, a held lock) ends the
# import.
INPUT_FAILURES: Final = frozenset(
    {
        ExitCode.DAMAGED_PARQUET,
        ExitCode.DAMAGED_ARCHIVE,
        ExitCode.INVALID_ROW,
        ExitCode.UNREADABLE_INPUT,
        ExitCode.UNKNOWN_SYMBOL,
        ExitCode.SOURCE,
    }
)


class BadFile(msgspec.Struct, frozen=True, kw_only=True):
    """An input file that was refused as a whole."""

    file: str
    exit_code: int
    problem: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did; `exit_code` is that of the first refused file.

    `skipped` counts the rows left out on request, by the rule they broke.
    """

    exit_code: int
    source: str
    files: int
    files_refused: int
    rows_new: int
    rows_same: int
    rows_revised: int
    rows_skipped: int
    symbols: int
    actions: int
    seconds: float
    skipped: dict[str, int] = {}
    refused: tuple[BadFile, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a query; `more` tells that the limit cut them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def open_store(config: SystemConfig) -> Store:
    """Return the configured store; touches nothing."""
    return Store(store_root(config), config.store)


def import_history(
    config: SystemConfig,
    source: Source,
    *,
    keep_going: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Imported:
    """Bring everything a source has into the store, file by file.

    A file enters whole or not at all; files before a bad one stay.

    Raises
    ------
    Failure
        Of the first bad file, unless `keep_going`; STORE_LOCKED or STORE_WRITE in any case.
    """
    began = time.perf_counter()
    tasks = source.tasks()
    adjusted = isinstance(config.source, TabularSource) and config.source.adjusted
    counts, symbols, refused = Written(), set[str](), list[BadFile]()
    skipped = Counter[str]()
    with open_store(config).batch(source.name, adjusted=adjusted) as batch:
        for done, task in enumerate(tasks, start=1):
            try:
                counts += _import_task(batch, task, symbols)
                skipped.update(task.skipped)
            except Failure as failure:
                if not keep_going or failure.code not in INPUT_FAILURES:
                    raise
                refused.append(
                    BadFile(file=task.label, exit_code=failure.code, problem=failure.line())
                )
            progress(done, len(tasks))
        actions = source.actions()
        counts_of_facts = batch.actions(actions) + batch.reference(source.reference())
    return Imported(
        exit_code=refused[0].exit_code if refused else ExitCode.OK,
        source=source.name,
        files=len(tasks) - len(refused),
        files_refused=len(refused),
        rows_new=counts.rows_new + counts_of_facts.rows_new,
        rows_same=counts.rows_same + counts_of_facts.rows_same,
        rows_revised=counts.rows_revised + counts_of_facts.rows_revised,
        rows_skipped=skipped.total(),
        symbols=len(symbols),
        actions=len(actions),
        seconds=round(time.perf_counter() - began, 3),
        skipped=dict(sorted(skipped.items())),
        refused=tuple(refused),
    )


def _import_task(batch: Batch, task: ImportTask, symbols: set[str]) -> Written:
    counts, seen = Written(), set()
    with batch.unit(), _naming(task):
        for symbol, table in task.load():
            counts += _write(batch, task, symbol, table)
            seen.add(symbol)
    symbols |= seen
    return counts


def _write(batch: Batch, task: ImportTask, symbol: str, table: pa.Table) -> Written:
    if task.kind is DataKind.QUOTES:
        return batch.quotes(symbol, table)
    if task.kind is DataKind.TRADES:
        return batch.trades(symbol, table)
    assert task.resolution is not None
    return batch.bars(task.resolution, symbol, table)


@contextmanager
def _naming(task: ImportTask) -> Iterator[None]:
    """Add the input file to a failure that does not name it."""
    try:
        yield
    except Failure as failure:
        if failure.code in INPUT_FAILURES and task.label not in failure.where:
            failure.where = f"{task.label} {failure.where}".strip()
        raise


def query(store: Store, sql: str, limit: int) -> Answer:
    """Run one SELECT over the store's views; it can neither write nor read other files.

    Raises
    ------
    Failure
        USAGE for SQL that is not one SELECT or that fails, UNKNOWN_SYMBOL when it finds nothing
        and names a symbol that is not stored, NO_DATA over an empty store.
    """
    from tradingd.history.views import translated

    if not len(store.contents()):
        raise no_data(store.root, DataKind.BARS, None)
    with store.connect(sealed=True) as connection, translated():
        _check_select(connection, sql)
        relation = connection.sql(sql)
        table = pa.table(relation.limit(limit + 1).to_arrow_table())
    if not table.num_rows:
        _check_symbols(store, sql)
    return Answer(
        columns=tuple(table.column_names),
        rows=tuple(zip(*(_cells(column) for column in table[:limit].columns), strict=True)),
        more=table.num_rows > limit,
    )


def _check_select(connection: Any, sql: str) -> None:
    kinds = [str(one.type.name) for one in connection.extract_statements(sql)]
    if kinds == ["SELECT"]:
        return
    raise Failure(
        "a query is one SELECT statement",
        code=ExitCode.USAGE,
        expected="SELECT ... FROM bars",
        found=", ".join(kinds) or "nothing",
    )


_SYMBOLS: Final = re.compile(r"\bsymbol\s*(?:=|in\s*\()\s*((?:'[^']*'\s*,?\s*)+)", re.IGNORECASE)


def _check_symbols(store: Store, sql: str) -> None:
    """Refuse an empty answer about a symbol that is not stored: the question was mistaken."""
    contents = store.contents()
    known = {one.symbol for one in contents.files() if one.symbol}
    known |= {one.symbol for one in store.actions()}
    for group in _SYMBOLS.findall(sql):
        for symbol in re.findall(r"'([^']*)'", group):
            if symbol not in known:
                raise unknown_symbol_anywhere(store.root, symbol, sorted(known))


def _cells(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return [_instant(cell) for cell in column]
    if pa.types.is_decimal(column.type):
        return [None if cell is None else f"{cell.normalize():f}" for cell in column.to_pylist()]
    return [_plain(cell) for cell in column.to_pylist()]


def _instant(cell: Any) -> str | None:
    if not cell.is_valid:
        return None
    text = str(np.datetime64(cell.value, cell.type.unit))
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(cell: Any) -> Any:
    return cell if isinstance(cell, bool | int | float | str | None) else str(cell)


def stored_symbols(store: Store) -> Sequence[str]:
    """Return the stored symbols; refuse an empty store."""
    symbols = sorted({one.symbol for one in store.contents().files() if one.symbol})
    if not symbols:
        raise no_data(store.root, DataKind.BARS, None)
    return symbols


def folder(text: str | None) -> Path | None:
    """Return a folder named on the command line."""
    return Path(text).expanduser() if text else None
