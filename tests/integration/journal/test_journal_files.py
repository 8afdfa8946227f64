import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import asdict

from tests.integration.journal.test_journal_writer import written
from tests.unit.journal.journal_rows import fill, order
from tradingd.domain.recall import Recalled
from tradingd.journal.audit import verify
from tradingd.journal.layout import APPLICATION, VERSION, schema_sql
from tradingd.journal.opening import open_writer, reading, snapshot
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import ExitCode, Failure

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.unit.journal.journal_rows import audit, fill, order
from tradingd.journal.writer import SqliteJournal

async def run():
    journal = SqliteJournal(Path(sys.argv[1]))
    journal.start()
    for number in range(50):
        await journal.write(order(f"O-{number}"), fill(f"F-{number}"), audit(number))
    journal.hold(60)
    journal.write(order("O-99"))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


def test_an_instance_without_a_journal_recalls_nothing(path: Path) -> None:
    assert recall(path) == Recalled()
    path.parent.mkdir()
    path.touch()
    assert recall(path) == Recalled()


def test_what_was_committed_before_a_kill_is_there_without_and_with_a_new_writer(
    path: Path,
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path.cwd())
    assert killed.returncode == -signal.SIGKILL
    assert path.with_name("journal.sqlite-wal").stat().st_size > 0
    for _ in range(2):
        recalled = recall(path)
        assert len(recalled.open_orders) == 50
        assert recalled.positions == {"AAPL": 5000}
        assert recalled.next_seq == 50
        assert verify(path).broken is None
        assert verify(path).rows == 51
        journal = SqliteJournal(path)
        journal.start()
        journal.close()
    assert verify(path).gaps == ()


def test_executions_are_recalled_however_long_ago_the_last_one_was(path: Path) -> None:
    last = 1_704_292_680 * 10**9
    later = last + 30 * 86_400 * 10**9
    filled = order("O-1", state="FILLED", ts=last)
    idle = order("O-2", state="CANCELED", ts=later)
    written(path, filled, fill("F-1", order_id="O-1", ts=last - 10**9))
    written(path, fill("F-2", order_id="O-1", ts=last), idle)
    recalled = recall(path)
    assert recalled.fill_ids == {"F-1", "F-2"}
    assert [one.order_id for one in recalled.recent_orders] == ["O-1", "O-2"]


def test_a_kill_while_the_file_is_made_leaves_one_that_starts(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    written(path, order("O-1"))
    assert recall(path).next_seq == 2


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    written(path, order("O-1"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    for use in (lambda: SqliteJournal(path).start(), lambda: recall(path)):
        with pytest.raises(Failure, match="newer release") as raised:
            use()
        assert raised.value.code is ExitCode.JOURNAL
        assert raised.value.found == f"schema version {VERSION + 1}"
        assert raised.value.next_step
    assert path.read_bytes() == before


def test_an_older_file_is_migrated_after_a_snapshot_was_taken(path: Path) -> None:
    written(path, order("O-1"))
    steps = {VERSION: "ALTER TABLE orders ADD COLUMN colour TEXT NOT NULL DEFAULT '';"}
    with closing(
        open_writer(path, busy_timeout=1, version=VERSION + 1, migrations=steps)
    ) as connection:
        assert connection.execute("SELECT colour FROM orders").fetchall() == [("",)]
    kept = path.with_name(f"journal.v{VERSION}.sqlite")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert recall(kept).open_orders == (order("O-1"),)
    with pytest.raises(Failure, match="newer release"):
        recall(path)


def first_version(path: Path) -> None:
    """Make a journal as the first version of the layout had it, with one order."""
    path.parent.mkdir(parents=True)
    later = ("trail", "trail_bps", "extended_hours")
    lines = schema_sql().splitlines()
    begin = lines.index("CREATE TABLE orders (")
    end = lines.index(") STRICT;", begin)
    kept = [
        line for line in lines[begin:end] if line.split('"')[1:2] not in [[one] for one in later]
    ]
    kept[-1] = kept[-1].rstrip(",")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("\n".join((*lines[:begin], *kept, *lines[end:])))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("PRAGMA user_version = 1")
        row = order("O-1", state="WORKING", limit=7)
        fields = {key: value for key, value in asdict(row).items() if key not in later}
        names = ", ".join(f'"{name}"' for name in fields)
        marks = ", ".join("?" * len(fields))
        connection.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", tuple(fields.values()))
        connection.commit()


def test_a_journal_of_the_first_version_opens_and_takes_the_new_fields(path: Path) -> None:
    first_version(path)
    with pytest.raises(Failure, match="older release"):
        recall(path)
    journal = SqliteJournal(path)
    journal.start()
    journal.close()
    assert recall(path).open_orders == (order("O-1", state="WORKING", limit=7),)
    trailing = order("O-2", type="TRAILING_STOP", trail_bps=50, extended_hours=True)
    written(path, trailing)
    assert recall(path).open_orders[1] == trailing
    with closing(sqlite3.connect(path.with_name("journal.v1.sqlite"))) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_migrated_journal_has_the_columns_of_a_new_one(path: Path, tmp_path: Path) -> None:
    first_version(path)
    written(path, order("O-2"))
    written(tmp_path / "new.sqlite", order("O-2"))

    def columns(file: Path) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(
                'SELECT name, type, "notnull" FROM pragma_table_info(?)', ("orders",)
            ).fetchall()

    assert columns(path) == columns(tmp_path / "new.sqlite")


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    written(path, order("O-1"))
    steps = {VERSION: "CREATE TABLE extra (x INTEGER); INSERT INTO nowhere VALUES (1);"}
    for _ in range(2):
        with pytest.raises(Failure, match="cannot be opened"):
            open_writer(path, busy_timeout=1, version=VERSION + 1, migrations=steps)
    assert recall(path).open_orders == (order("O-1"),)
    with reading(path) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    assert "extra" not in names


def test_an_older_file_is_not_read_by_guessing(path: Path) -> None:
    written(path, order("O-1"))
    with pytest.raises(Failure, match="older release"), reading(path, version=VERSION + 1):
        pass


@pytest.mark.parametrize("place", ["first", "middle", "cut"])
def test_a_damaged_file_is_named(path: Path, place: str) -> None:
    written(path, *(fill(f"F-{number}") for number in range(2000)))
    content = bytearray(path.read_bytes())
    if place == "first":
        content[:16] = bytes(16)
    elif place == "middle":
        content[4096 * 3 : -4096] = os.urandom(len(content) - 4096 * 4)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    with pytest.raises(Failure, match="damaged") as raised:
        SqliteJournal(path).start()
    assert raised.value.code is ExitCode.JOURNAL
    assert raised.value.where == str(path)
    assert "backup" in raised.value.next_step


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (x)")
    with pytest.raises(Failure, match="damaged") as raised:
        SqliteJournal(path).start()
    assert "another program" in raised.value.found


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(Failure, match="cannot be opened"):
        SqliteJournal(tmp_path / "state" / "journal.sqlite").start()


def test_a_snapshot_is_a_whole_private_journal(path: Path, tmp_path: Path) -> None:
    written(path, order("O-1"), fill("F-1"))
    copy = tmp_path / "copy.sqlite"
    snapshot(path, copy)
    assert recall(copy) == recall(path)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(Failure, match="copied"):
        snapshot(path, copy)


def test_the_file_says_whose_it_is(path: Path) -> None:
    written(path, order("O-1"))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fills SET quantity = 1",
        "DELETE FROM fills",
        "DELETE FROM orders",
        "DELETE FROM runs",
    ],
)
def test_rows_that_are_history_refuse_to_be_changed(path: Path, statement: str) -> None:
    written(path, order("O-1"), fill("F-1"))
    with closing(sqlite3.connect(path)) as connection:
        if "runs" in statement:
            connection.execute("INSERT INTO runs VALUES (1,'r','','','','','','',1,NULL,'')")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
