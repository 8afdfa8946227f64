"""Check, read and export the audit; light enough for the operator's program (sqlite3, msgspec).

The writer makes the chain (`commit.py`); this module only reads, except `append`, which lets
another program of the instance (the kill switch) audit when there is no daemon.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tradingd.domain.journal import AuditRow
from tradingd.journal.chain import COLUMNS, EMPTY, GAP, HASHED, Head, broken_types, digest
from tradingd.journal.commit import stored_head, write_records
from tradingd.journal.faults import explained
from tradingd.journal.genesis import begin_audit, missing
from tradingd.journal.head import HeadFile, head_path, read_head
from tradingd.journal.opening import open_writer, reading
from tradingd.kits.atomicfile import replacing

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM audit"
_ACTION = COLUMNS.index("action")


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the audit with its place in the chain; `wall` is UTC ns."""

    number: int
    prev_hash: str
    actor: str
    action: str
    subject: str
    detail: str
    wall: int
    uid: int
    pid: int
    hash: str


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """The first place where the chain does not hold."""

    number: int
    what: str
    expected: str
    found: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were missing at the end when a daemon started; `number` is the row that says so."""

    number: int
    detail: str
    wall: int


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a check: rows that hold, the first break, gaps noted by starting daemons.

    `missing_rows` counts rows at the end that the head table or the head file knows of.
    """

    file: str
    rows: int
    head: str
    missing_rows: int = 0
    broken: Break | None = None
    gaps: tuple[Gap, ...] = ()


def verify(path: Path) -> AuditReport:
    """Walk the whole chain and compare its end with both places that keep the head.

    Reads a snapshot, so the daemon may write meanwhile; some 0.5 s for 100,000 rows.

    Raises
    ------
    Failure
        JOURNAL when the file is no journal or cannot be read at all.
    """
    # Before the snapshot: the file may be behind the table, never ahead of it.
    noted = read_head(path)
    gaps: list[Gap] = []
    with reading(path) as connection:
        # Damaged text must reach the comparison instead of ending the read.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        last, broken = _walk(connection, gaps)
        broken = broken or _cut(connection, path, last, noted)
        missing_rows = _missing_rows(connection, noted)
    return AuditReport(
        file=str(path),
        rows=last.number,
        head=last.hash,
        missing_rows=missing_rows,
        broken=broken,
        gaps=tuple(gaps),
    )


def tail(path: Path, last: int) -> tuple[AuditLine, ...]:
    """Return the last rows, oldest first.

    Raises
    ------
    Failure
        JOURNAL when the file cannot be read.
    """
    with reading(path) as connection:
        found = connection.execute(f"{_SELECT} ORDER BY number DESC LIMIT ?", (last,)).fetchall()
    return tuple(_line(row) for row in reversed(found))


def export(path: Path, target: Path) -> int:
    """Write every row as a line of JSON, oldest first; return the number of rows.

    The file is written beside and renamed, mode 0600. Its rows carry their hashes, so the copy can
    be checked without the journal.

    Raises
    ------
    Failure
        JOURNAL when the journal cannot be read.
    """
    encoder = msgspec.json.Encoder()
    rows = 0
    with reading(path) as connection, replacing(target) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            for row in connection.execute(f"{_SELECT} ORDER BY number"):
                stream.write(encoder.encode(_line(row)) + b"\n")
                rows += 1
    return rows


def append(path: Path, *rows: AuditRow, wall: int, busy_timeout: float = 5.0) -> None:
    """Audit from a program that is not the daemon, in one transaction of its own. Blocks.

    Raises
    ------
    Failure
        JOURNAL when the journal cannot be opened or stays locked for `busy_timeout` seconds.
    """
    head_file = HeadFile(path)
    with closing(open_writer(path, busy_timeout=busy_timeout)) as connection:
        try:
            begin_audit(connection, path, head_file, lambda: wall)
            connection.execute("BEGIN IMMEDIATE")
            head = write_records(connection, rows, path)
            connection.execute("COMMIT")
            if head is not None:
                head_file.write(head)
        except (sqlite3.Error, OSError) as error:
            raise explained(error, path, "written") from error
        finally:
            head_file.close()


def _walk(connection: sqlite3.Connection, gaps: list[Gap]) -> tuple[Head, Break | None]:
    """Return the last row that holds, and what is wrong with the one after it."""
    head = EMPTY
    try:
        for row in _rows(connection):
            broken = _broken(head, row)
            if broken is not None:
                return head, broken
            head = Head(row[0], row[-1])
            if row[_ACTION] == GAP:
                gaps.append(Gap(number=row[0], detail=row[_ACTION + 2], wall=row[_ACTION + 3]))
    except sqlite3.Error as error:
        what = "the row cannot be read"
        return head, Break(number=head.number + 1, what=what, expected="a row", found=str(error))
    return head, None


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield rows in order; where the file cannot be read, all before the damage and the error."""
    number = 0
    try:
        for row in connection.execute(f"{_SELECT} ORDER BY number"):
            yield row
            number = row[0]
    except sqlite3.Error:
        # The module reads a row ahead, so the last good one was lost with the error.
        last = connection.execute(
            f"{_SELECT} WHERE number > ? ORDER BY number LIMIT 1", (number,)
        ).fetchone()
        if last is not None:
            yield last
        raise


def _broken(head: Head, row: tuple[Any, ...]) -> Break | None:
    number = head.number + 1
    wrong = broken_types(row)
    if wrong:
        return Break(
            number=number, what=f"{wrong} has another type", expected="its type", found="damage"
        )
    if row[0] != number:
        return Break(
            number=number, what="rows are missing", expected=f"row {number}", found=f"row {row[0]}"
        )
    if row[1] != head.hash:
        return Break(
            number=number,
            what="the row does not follow the one before it",
            expected=head.hash,
            found=_shown(row[1]),
        )
    computed = digest(row[: len(HASHED)])
    if row[-1] != computed:
        return Break(
            number=number,
            what="the row is not what was written",
            expected=_shown(row[-1]),
            found=computed,
        )
    return None


def _cut(
    connection: sqlite3.Connection, path: Path, last: Head, noted: Head | None
) -> Break | None:
    """Compare the chain's end with the head table and the head file."""
    stored = stored_head(connection)
    if stored != last:
        return Break(
            number=min(stored.number, last.number) + (stored.number != last.number),
            what="rows are missing at the end"
            if stored.number > last.number
            else "the head table does not fit the last row",
            expected=f"{stored.number} rows, hash {_shown(stored.hash)}",
            found=f"{last.number} rows, hash {last.hash}",
        )
    found = missing(connection, last, noted)
    if not found:
        return None
    ahead = noted is not None and noted.number > last.number
    return Break(
        number=last.number + 1 if ahead or noted is None else noted.number,
        what="rows are missing at the end" if ahead else "the head file does not fit the rows",
        expected=f"what {head_path(path).name} says",
        found=found,
    )


def _missing_rows(connection: sqlite3.Connection, noted: Head | None) -> int:
    try:
        last = connection.execute("SELECT max(number) FROM audit").fetchone()[0] or 0
    except sqlite3.Error:
        # The end of the table cannot be reached: the break says so.
        return 0
    known = max(stored_head(connection).number, noted.number if noted else 0)
    return max(0, known - int(last))


def _line(row: tuple[Any, ...]) -> AuditLine:
    return AuditLine(**dict(zip(COLUMNS, row, strict=True)))


def _shown(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()
