"""The published form of the journal's layout, `contracts/journal.v1.sql`."""

from typing import Final

from tradingd.journal.layout import APPLICATION, VERSION, schema_sql

_HEADER: Final = f"""\
-- Layout of an instance's journal (journal.sqlite), schema version {VERSION}.
-- Versions only add: what read version 1 by column names reads this one, too.
--
-- PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; journal_mode WAL.
-- Money is an integer of 1e-9 dollars, a time is UTC nanoseconds (ts: of the market, wall: here),
-- truth is 0 or 1. Read it with mode=ro while the daemon runs; write nothing into it.
-- fills.id counts 1, 2, 3 ... without a gap; book.fills is the id of the last fill in the book.
--
-- audit.hash is SHA-256 in hex over number, prev_hash, actor, action, subject, detail, wall, uid,
-- pid, each as a netstring (LENGTH:BYTES, with the length in bytes of UTF-8, integers as decimal
-- text). prev_hash of row 1 is 64 zeros. The file audit.head beside the journal repeats number and
-- hash of the last row; it may be behind, never ahead.

"""


def published() -> str:
    """Return the text of the contract."""
    return _HEADER + schema_sql()


if __name__ == "__main__":
    import sys

    sys.stdout.write(published())
