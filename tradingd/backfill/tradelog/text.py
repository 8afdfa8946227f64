"""CSV files of any spreadsheet and broker: separators and encodings are found out."""

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from tradingd.backfill.tradelog.sheet import Row, Sheet
from tradingd.kits.failure import ExitCode, Failure

DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 1 << 20


@contextmanager
def open_text(
    path: Path, is_header: Callable[[Sequence[object]], bool], look: int
) -> Iterator[list[Sheet]]:
    """Open a CSV file for the length of the block as its one sheet.

    Parameters
    ----------
    path : pathlib.Path
        UTF-8 or UTF-16 with or without a mark, else Windows-1252.
    is_header : Callable
        Tells a header; the separator under which there is one is the file's.
    look : int
        Lines to look at for that.
    """
    encoding = _encoding(path)
    delimiter = next(
        (one for one in DELIMITERS if _has_header(path, encoding, one, is_header, look)),
        DELIMITERS[0],
    )
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        yield [Sheet(name="", rows=_rows(path, stream, delimiter))]


def _has_header(
    path: Path,
    encoding: str,
    delimiter: str,
    is_header: Callable[[Sequence[object]], bool],
    look: int,
) -> bool:
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        rows = _rows(path, stream, delimiter)
        return any(is_header(cells) for _, cells in islice(rows, look))


def _rows(path: Path, stream: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, tuple(cells)
    except csv.Error as error:
        raise Failure(
            "the trade log cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=f"{path}, line {reader.line_num}",
            expected="CSV text",
            found=str(error),
            next_step="export it again as .csv or .xlsx",
        ) from error


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        head = stream.read(4)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        chunk = head
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = stream.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"
