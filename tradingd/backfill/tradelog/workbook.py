"""Workbooks (.xlsx, .xlsm), read row by row: memory does not grow with the log."""

import datetime as dt
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tradingd.backfill.tradelog.merged import filled, merged_spans
from tradingd.backfill.tradelog.sheet import Row, Sheet
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    from openpyxl import Workbook


@contextmanager
def open_workbook(path: Path) -> Iterator[list[Sheet]]:
    """Open a workbook for the length of the block; formulas count as their last known value.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when it is no workbook, damaged or encrypted.
    """
    with path.open("rb") as stream:
        book = _loaded(path, stream)
        try:
            yield [_sheet(path, one, book.epoch) for one in book.worksheets]
        finally:
            book.close()


def _loaded(path: Path, stream: BinaryIO) -> "Workbook":
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # Of styles, validations and pictures that it leaves out; none of them is a trade.
            warnings.simplefilter("ignore", UserWarning)
            return load_workbook(stream, read_only=True, data_only=True)
    except Exception as error:
        # Of a damaged file comes anything: from zip, XML or styles.
        raise _damaged(path, error) from error


def _sheet(path: Path, sheet: Any, epoch: dt.datetime) -> Sheet:
    title: str = sheet.title
    state: str = sheet.sheet_state
    return Sheet(
        name=title, rows=_rows(path, sheet, title), visible=state == "visible", epoch=epoch
    )


def _rows(path: Path, sheet: Any, title: str) -> Iterator[Row]:
    """Yield rows with their merged cells filled."""
    try:
        # Some exporters state a size that cuts columns off.
        sheet.reset_dimensions()
        values = enumerate(sheet.iter_rows(values_only=True), start=1)
        yield from filled(values, merged_spans(path, title))
    except Exception as error:
        # Of a damaged file comes anything: from zip, XML or styles.
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> Failure:
    return Failure(
        "the workbook cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected="an .xlsx file without a password",
        found=str(error) or type(error).__name__,
        next_step="open it in a spreadsheet program and save it as .xlsx or .csv",
    )
