"""Open, create, migrate and snapshot a journal file.

The schema version is `PRAGMA user_version`. Newer files are refused; older ones are migrated after
a snapshot was taken beside them.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tradingd.journal.faults import damaged, explained
from tradingd.journal.layout import APPLICATION, VERSION, schema_sql
from tradingd.kits.atomicfile import replacing
from tradingd.kits.failure import ExitCode, Failure

MIGRATIONS: Final[Mapping[int, str]] = {
    1: """\
ALTER TABLE orders ADD COLUMN "trail" INTEGER;
ALTER TABLE orders ADD COLUMN "trail_bps" INTEGER;
ALTER TABLE orders ADD COLUMN "extended_hours" INTEGER NOT NULL DEFAULT 0;
""",
}
"""Statements that lead from a version to the next, by the version they start from."""


def open_writer(
    path: Path,
    *,
    busy_timeout: float,
    version: int = VERSION,
    migrations: Mapping[int, str] = MIGRATIONS,
) -> sqlite3.Connection:
    """Open a journal for writing, made or migrated where that is needed.

    The folder is created with mode 0700, the file with 0600. Takes time with the size of the file
    (it is checked for damage), some 0.1 s for 100,000 orders.

    Parameters
    ----------
    path : Path
        The file.
    busy_timeout : float
        Seconds a statement waits for another program's lock.
    version, migrations
        The version to reach and the way there.

    Raises
    ------
    Failure
        JOURNAL for a damaged file, a newer one, a foreign one, or one that cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _private(path)
        connection = sqlite3.connect(
            path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
        )
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path, "opened") from error
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        _bring_up(connection, path, version, migrations)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA journal_size_limit = {64 << 20}")
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise explained(error, path, "opened") from error
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path, *, version: int = VERSION) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection inside one transaction: a snapshot, whoever writes meanwhile.

    A WAL that a killed writer left is read too.

    Raises
    ------
    Failure
        JOURNAL for a missing, damaged, foreign, older or newer file.
    """
    if not path.is_file():
        raise Failure(
            "there is no journal",
            code=ExitCode.JOURNAL,
            where=str(path),
            next_step="name the instance or the file; tradingd run makes a journal",
        )
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None)) as opened:
            opened.execute("BEGIN")
            found = _version(opened, path)
            if found != version:
                raise _other_version(path, found, version)
            yield opened
    except sqlite3.Error as error:
        raise explained(error, path, "read") from error


def snapshot(path: Path, target: Path) -> None:
    """Write a whole copy of a journal to a new file (0600), also while the daemon writes.

    Raises
    ------
    Failure
        JOURNAL when the target is there already or the copy fails.
    """
    try:
        with closing(sqlite3.connect(path, timeout=5.0, isolation_level=None)) as opened:
            _copy(opened, target)
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path, f"copied to {target}") from error


def _bring_up(
    connection: sqlite3.Connection, path: Path, version: int, migrations: Mapping[int, str]
) -> None:
    found = _version(connection, path)
    if found > version:
        raise _other_version(path, found, version)
    if found == 0:
        # A transaction of its own: a kill in between leaves an empty file, not a half one.
        _apply(connection, schema_sql(), VERSION)
        return
    checked = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if checked != "ok":
        raise damaged(path, checked)
    if found < version:
        with replacing(path.with_name(f"{path.stem}.v{found}{path.suffix}")) as target:
            _copy(connection, target)
        for step in range(found, version):
            _apply(connection, migrations[step], step + 1)


def _apply(connection: sqlite3.Connection, statements: str, version: int) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA application_id = {APPLICATION};\n"
            f"PRAGMA user_version = {version};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if tables and application != APPLICATION:
        raise damaged(path, "a SQLite file of another program")
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _other_version(path: Path, found: int, version: int) -> Failure:
    newer = found > version
    return Failure(
        f"the journal was written by {'a newer' if newer else 'an older'} release",
        code=ExitCode.JOURNAL,
        where=str(path),
        expected=f"schema version {version}",
        found=f"schema version {found}",
        next_step="run the newer release, or put back the snapshot taken before the upgrade"
        if newer
        else "start the daemon of this release once, it brings the file up to date",
    )


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    _private(target)
    connection.execute("VACUUM INTO ?", (str(target),))


def _private(path: Path) -> None:
    """Make an empty file that only its owner reads; WAL and index files take over its mode."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
