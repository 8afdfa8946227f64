"""Cells that a person merged over several rows: all of them hold what the first one shows.

openpyxl's streaming reader tells nothing of merged cells, so their list is read from the sheet's
XML (ECMA-376 Part 1, 18.3.1.54 and 18.3.1.55) beside it.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final
from zipfile import ZipFile

from tradingd.backfill.tradelog.sheet import Row

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]+\d+:[A-Z]+\d+)\"")
_CHUNK: Final = 1 << 20
_LONGEST: Final = 200
"""Bytes of one mergeCell element at most."""

type Spans = dict[tuple[int, int], int]
"""(first row from 1, column from 0) -> last row."""


def merged_spans(path: Path, sheet: str) -> Spans:
    """Return the cells of a sheet that reach over several rows."""
    from openpyxl.utils.cell import range_boundaries

    with ZipFile(path) as archive:
        member = _member(archive, sheet)
        if member is None or member not in archive.namelist():
            return {}
        with archive.open(member) as stream:
            references = list(_references(stream))
    spans: Spans = {}
    for reference in references:
        column, first, _, last = range_boundaries(reference)
        if column and first and last and last > first:
            spans[first, column - 1] = last
    return spans


def filled(rows: Iterable[Row], spans: Spans) -> Iterator[Row]:
    """Yield the rows with merged cells repeated."""
    held: dict[int, tuple[int, object]] = {}
    for number, cells in rows:
        if not spans:
            yield number, cells
            continue
        row = list(cells)
        for column, cell in enumerate(row):
            if (number, column) in spans:
                held[column] = spans[number, column], cell
            elif cell is None and column in held and number <= held[column][0]:
                row[column] = held[column][1]
        yield number, tuple(row)


def _references(stream: IO[bytes]) -> Iterator[str]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        text = rest + chunk
        end = 0
        for found in _MERGED.finditer(text):
            yield found[1].decode()
            end = found.end()
        rest = text[max(end, len(text) - _LONGEST) :]


def _member(archive: ZipFile, sheet: str) -> str | None:
    from openpyxl.xml.functions import fromstring

    book = fromstring(archive.read("xl/workbook.xml"))
    ids = {one.get("name"): one.get(_REL) for one in book.iter(f"{_MAIN}sheet")}
    links = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id"): one.get("Target", "") for one in links}
    target = targets.get(ids.get(sheet))
    if not target:
        return None
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
