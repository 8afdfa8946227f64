"""Begin the audit of a new journal, and note rows that are missing at the end of an old one."""

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tradingd.domain.journal import AuditRow
from tradingd.journal.chain import FIRST, GAP, Head
from tradingd.journal.commit import stored_head, write_records
from tradingd.journal.head import HeadFile, read_head


def begin_audit(
    connection: sqlite3.Connection, path: Path, head_file: HeadFile, wall: Callable[[], int]
) -> None:
    """Write the first row where there is none, a gap row where the head file knows of more.

    Without the gap row the next audited event would overwrite the only trace of a cut tail.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        head = stored_head(connection)
        noted = read_head(path)
        row = _wanted(connection, head, noted, wall)
        if row is not None:
            head = write_records(connection, (row,), path) or head
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    head_file.write(head)


def missing(connection: sqlite3.Connection, head: Head, noted: Head | None) -> str:
    """Say how the head file contradicts the table; empty when it does not."""
    if noted is None:
        return "" if head.number <= FIRST else "the head file is missing or unreadable"
    if noted.number > head.number:
        return f"the head file knows {noted.number} rows, the journal has {head.number}"
    row = connection.execute("SELECT hash FROM audit WHERE number = ?", (noted.number,)).fetchone()
    if row is None or row[0] != noted.hash:
        return f"the head file has another hash for row {noted.number}: {noted.hash}"
    return ""


def _wanted(
    connection: sqlite3.Connection, head: Head, noted: Head | None, wall: Callable[[], int]
) -> AuditRow | None:
    if head.number < FIRST and noted is None:
        return _row("audit.genesis", "", f"chain {secrets.token_hex(16)}", wall)
    found = missing(connection, head, noted)
    return _row(GAP, str(head.number), found, wall) if found else None


def _row(action: str, subject: str, detail: str, wall: Callable[[], int]) -> AuditRow:
    return AuditRow(actor="journal", action=action, subject=subject, detail=detail, wall=wall())
