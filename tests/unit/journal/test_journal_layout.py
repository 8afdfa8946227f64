import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from tradingd.domain import journal
from tradingd.domain.journal import AuditRow, OrderState
from tradingd.journal.contract import published
from tradingd.journal.layout import BY_RECORD, NUMBER, OPEN, TABLES, insert_sql, schema_sql

CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "journal.v1.sql"


def test_the_published_layout_is_the_one_that_is_made() -> None:
    assert CONTRACT.read_text() == published(), (
        "python -m tradingd.journal.contract > contracts/journal.v1.sql"
    )


def test_every_kind_of_record_has_a_table() -> None:
    assert {*BY_RECORD, AuditRow} == set(get_args(journal.Record.__value__))


def test_sqlite_takes_the_layout_and_every_insert() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema_sql())
        for table in TABLES:
            connection.execute(f"EXPLAIN {insert_sql(table)}", [None] * len(table.columns))


def test_what_counts_as_open_is_every_state_that_is_not_final() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for state in OrderState:
            (found,) = connection.execute(
                f"SELECT {OPEN} FROM (SELECT ? AS state)", (state,)
            ).fetchone()
            assert bool(found) is not state.final, state


@pytest.mark.parametrize(
    ("order_id", "number"),
    [("O-17", 17), ("paper-3fa9-000123", 123), ("manual", 0), ("", 0), ("9", 9), ("a1b2", 2)],
)
def test_the_number_of_an_order_is_at_its_end(order_id: str, number: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        statement = f"SELECT {NUMBER} FROM (SELECT ? AS order_id)"
        assert connection.execute(statement, (order_id,)).fetchone() == (number,)


def test_wrong_types_are_refused_and_not_guessed() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema_sql())
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO marks (key, value) VALUES ('k', NULL)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                "INSERT INTO order_events (order_id, step, detail, ts, wall) "
                "VALUES ('O-1', 'sent', '', 'noon', 1)"
            )
