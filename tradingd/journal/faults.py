"""Say what SQLite's errors mean for a journal, and what a person does about them."""

import sqlite3
from pathlib import Path

import msgspec

from tradingd.domain.journal import AuditRow
from tradingd.journal.layout import BY_RECORD
from tradingd.kits.failure import ExitCode, Failure

_NEXT = {
    sqlite3.SQLITE_FULL: "free space on the disk, then start again; nothing is sent meanwhile",
    sqlite3.SQLITE_BUSY: "end the program that holds the journal locked (lsof FILE), start again",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable for the daemon's user",
    sqlite3.SQLITE_CANTOPEN: "make the folder, or give the user permission to it",
    sqlite3.SQLITE_IOERR: "check the disk (dmesg), then restore a backup if the file is damaged",
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def explained(error: BaseException, path: Path, doing: str) -> Failure:
    """Return the failure that names file, cause and next step.

    Parameters
    ----------
    error : BaseException
        What SQLite or the system raised; a Failure comes back as it is.
    path : Path
        The journal.
    doing : str
        What did not work, e.g. ``written``.
    """
    if isinstance(error, Failure):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGE:
        return damaged(path, str(error))
    return Failure(
        f"the journal cannot be {doing}",
        code=ExitCode.JOURNAL,
        where=str(path),
        found=str(error) or type(error).__name__,
        next_step=_NEXT.get(code, "see the found text; nothing is sent until it is mended"),
    )


def damaged(path: Path, found: str) -> Failure:
    """Return the failure of a file that is not a whole SQLite database."""
    return Failure(
        "the journal is damaged",
        code=ExitCode.JOURNAL,
        where=str(path),
        expected="a SQLite file of tradingd",
        found=found,
        next_step="keep the file, put the last backup or snapshot in its place and start again; "
        f"sqlite3 {path.name} .recover shows what is left",
    )


def too_large(record: msgspec.Struct, path: Path) -> Failure:
    """Return the failure of a record with an integer that 64 bits cannot hold."""
    table = "audit" if isinstance(record, AuditRow) else BY_RECORD[type(record)].name
    fields = record.__struct_fields__
    name, value = next(
        (name, value)
        for name, value in zip(fields, msgspec.structs.astuple(record), strict=True)
        if isinstance(value, int) and not -(2**63) <= value < 2**63
    )
    return Failure(
        "a number does not fit the journal's 64 bits",
        code=ExitCode.JOURNAL,
        where=f"{path} {table}.{name} of {getattr(record, fields[0])}",
        expected="an integer from -2^63 to 2^63-1 (money counts in 1e-9 units)",
        found=str(value),
        next_step="the amount is impossible; find what computed it before anything is sent",
    )
