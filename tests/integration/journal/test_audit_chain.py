import asyncio
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.unit.journal.journal_rows import OPENING, audit
from tradingd.journal.audit import AuditReport, append, export, tail, verify
from tradingd.journal.head import head_path, read_head
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import Failure

ROWS = 7
"""Six events and the first row, which the writer adds."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a closed journal of a few audited events."""
    path = tmp_path_factory.mktemp("sound") / "journal.sqlite"
    audited(path, *range(1, ROWS))
    return path.parent


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "state")) / "journal.sqlite"


def audited(path: Path, *numbers: int) -> None:
    async def run() -> None:
        journal = SqliteJournal(path, wall=lambda: OPENING)
        journal.start()
        for number in numbers:
            await journal.write(audit(number))
        journal.close()

    asyncio.run(run())


def tampered(path: Path, *statements: str) -> None:
    """Do what an attacker with the file does: drop the triggers first."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER audit_no_{name}")
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def broken_at(report: AuditReport) -> int:
    assert report.broken is not None
    assert report.broken.expected != report.broken.found
    return report.broken.number


def test_an_untouched_chain_holds_and_its_rows_follow_each_other(path: Path) -> None:
    report = verify(path)
    rows = tail(path, 100)
    assert report.broken is None
    assert report.gaps == ()
    assert report.rows == ROWS == len(rows)
    assert [row.number for row in rows] == list(range(1, ROWS + 1))
    assert rows[0].action == "audit.genesis"
    assert rows[0].prev_hash == "0" * 64
    assert [row.prev_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert report.head == rows[-1].hash
    assert (rows[3].actor, rows[3].detail, rows[3].uid) == ("anna3", "news 3", 1000)


def test_a_hash_is_what_its_description_says(path: Path) -> None:
    row = tail(path, 1)[0]
    values = (
        row.number, row.prev_hash, row.actor, row.action, row.subject, row.detail, row.wall,
        row.uid, row.pid,
    )  # fmt: skip
    netstrings = "".join(f"{len(str(value))}:{value}," for value in values)
    assert row.hash == hashlib.sha256(netstrings.encode()).hexdigest()


@pytest.mark.parametrize("mask", [0x01, 0x10, 0x80, 0xFF], ids=hex)
@pytest.mark.parametrize("number", [1, 2, 4, 7])
def test_every_flipped_byte_of_a_row_in_the_file_is_found_at_that_row(
    path: Path, number: int, mask: int
) -> None:
    row = tail(path, ROWS)[number - 1]
    content = path.read_bytes()
    text = (row.prev_hash + row.actor + row.action + row.subject + row.detail).encode()
    assert content.count(text) == 1
    # Before the text: length and number of the row, and the types of its ten columns.
    first = content.index(text) - 14
    end = content.index(row.hash.encode(), first + 14 + len(text)) + len(row.hash)
    step = 1 if number == 4 else 5
    with path.open("r+b", buffering=0) as file:
        for place in range(first, end, step):
            file.seek(place)
            file.write(bytes([content[place] ^ mask]))
            found = verify(path)
            file.seek(place)
            file.write(content[place : place + 1])
            assert broken_at(found) == number, f"byte {place - first} of the row"
            assert found.rows == number - 1
    assert verify(path).broken is None


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'bob'",
        "actor = actor || ' '",
        "action = 'resume'",
        "subject = 'x'",
        "detail = detail || '.'",
        "actor = actor || substr(action, 1, 1), action = substr(action, 2)",
        "wall = wall + 1",
        "uid = 0",
        "pid = 5",
        "hash = prev_hash",
        "prev_hash = hash",
        "prev_hash = upper(prev_hash), hash = upper(hash)",
    ],
)
@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_changed_column_is_found_at_its_row(path: Path, change: str, number: int) -> None:
    tampered(path, f"UPDATE audit SET {change} WHERE number = {number}")
    assert broken_at(verify(path)) == number


def test_a_removed_row_is_found_where_it_was(path: Path) -> None:
    tampered(path, "DELETE FROM audit WHERE number = 3")
    report = verify(path)
    assert broken_at(report) == 3
    assert report.missing_rows == 0


def test_a_cut_tail_is_found_by_the_head_table(path: Path) -> None:
    tampered(path, "DELETE FROM audit WHERE number > 5")
    report = verify(path)
    assert broken_at(report) == 6
    assert report.missing_rows == 2
    assert "at the end" in report.broken.what  # type: ignore[union-attr]


FIX_HEAD = (
    "UPDATE audit_head SET (number, hash) = "
    "(SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1)"
)


def test_a_cut_tail_with_a_mended_head_table_is_found_by_the_head_file(path: Path) -> None:
    tampered(path, "DELETE FROM audit WHERE number > 5", FIX_HEAD)
    report = verify(path)
    assert broken_at(report) == 6
    assert report.missing_rows == 2


def test_a_chain_that_was_written_anew_from_some_row_is_found_by_the_head_file(path: Path) -> None:
    noted = read_head(path)
    tampered(path, "DELETE FROM audit WHERE number > 5", FIX_HEAD)
    head_path(path).unlink()
    audited(path, 90, 91, 92, 93)
    assert noted is not None
    head_path(path).write_text(f"{noted.number:020d} {noted.hash}\n")
    assert broken_at(verify(path)) == noted.number


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_head_file_that_is_gone_or_spoilt_is_reported(path: Path, content: bytes | None) -> None:
    if content is None:
        head_path(path).unlink()
    else:
        head_path(path).write_bytes(content)
    assert broken_at(verify(path)) == ROWS + 1


def test_a_head_file_that_is_behind_is_no_fault(path: Path) -> None:
    behind = head_path(path).read_bytes()
    audited(path, 8, 9)
    head_path(path).write_bytes(behind)
    assert verify(path).broken is None


def test_a_daemon_that_starts_on_a_cut_tail_leaves_a_trace_in_the_chain(path: Path) -> None:
    tampered(path, "DELETE FROM audit WHERE number > 5", FIX_HEAD)
    audited(path, 8)
    report = verify(path)
    assert report.broken is None
    assert [gap.number for gap in report.gaps] == [6]
    assert "knows 7 rows, the journal has 5" in report.gaps[0].detail


def test_a_journal_that_was_replaced_by_an_empty_one_leaves_a_trace(path: Path) -> None:
    path.unlink()
    audited(path, 8)
    assert len(verify(path).gaps) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'bob' WHERE number = 3",
        "DELETE FROM audit WHERE number = 7",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 3",
        "REPLACE INTO audit VALUES (7, '', '', '', '', '', 1, 1, 1, '')",
    ],
)
def test_the_table_itself_refuses_changes(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    assert verify(path).broken is None


def test_another_program_can_audit_beside_the_daemon(path: Path) -> None:
    async def run() -> None:
        journal = SqliteJournal(path)
        journal.start()
        await journal.write(audit(10))
        await asyncio.to_thread(lambda: append(path, audit(11), audit(12), wall=OPENING))
        await journal.write(audit(13))
        assert verify(path).broken is None
        journal.close()

    asyncio.run(run())
    assert [row.actor for row in tail(path, 4)] == ["anna10", "anna11", "anna12", "anna13"]
    assert verify(path).broken is None


def test_an_export_has_every_row_and_is_private(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    assert export(path, target) == ROWS
    lines = [msgspec.json.decode(line) for line in target.read_bytes().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, ROWS + 1))
    assert lines[-1]["hash"] == verify(path).head
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("ask", [verify, lambda path: tail(path, 5)], ids=["verify", "tail"])
def test_a_journal_that_is_not_there_or_no_journal_is_named(
    tmp_path: Path, ask: Callable[[Path], object]
) -> None:
    missing = tmp_path / "journal.sqlite"
    with pytest.raises(Failure, match="no journal"):
        ask(missing)
    missing.write_bytes(b"not a database at all" * 100)
    with pytest.raises(Failure, match="damaged") as raised:
        ask(missing)
    assert raised.value.where == str(missing)
