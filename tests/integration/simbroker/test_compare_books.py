"""The third party finds each kind of disagreement, one at a time, and none where there is none."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import compare_books
from tests.unit.simbroker.bench import Bench
from tradingd.domain.journal import FillRow, GuardRow, OrderRow
from tradingd.domain.money import nanos
from tradingd.journal.writer import SqliteJournal

STOP = nanos("95")


def order_row(name: str, side: str, kind: str, state: str, **more: object) -> OrderRow:
    fields = {"run_id": "r", "strategy": "s", "symbol": "SPY", "quantity": 10, "reason": "test"}
    fields |= {"purpose": "ENTRY"} | more
    return OrderRow(order_id=name, side=side, type=kind, state=state, **fields)


@pytest.fixture
def books(tmp_path: Path) -> tuple[Path, Path]:
    """Ten shares bought and guarded by a stop and a target, one order cancelled, one denied."""
    bench = Bench(tmp_path)
    bench.bar("100", "100", "100", "100")
    bench.send("entry", "BUY", 10, "MARKET")
    bench.send("stop", "SELL", 10, "STOP_MARKET", stop="95", time_in_force="GTC")
    bench.send("target", "SELL", 10, "LIMIT", limit="120", time_in_force="GTC")
    bench.send("gone", "BUY", 10, "LIMIT", limit="50")
    bench.say("cancel", client_order_id="gone")
    fill = bench.say("fills")["fills"][0]
    bench.store.close()

    protect = {"purpose": "PROTECT", "time_in_force": "GTC", "parent_id": "entry"}
    orders = [
        order_row("entry", "BUY", "MARKET", "FILLED", filled=10, protective_stop=STOP),
        order_row("stop", "SELL", "STOP_MARKET", "WORKING", stop=STOP, **protect),
        order_row("target", "SELL", "LIMIT", "WORKING", limit=nanos("120"), **protect),
        order_row("gone", "BUY", "LIMIT", "CANCELED", limit=nanos("50")),
        order_row("denied", "BUY", "MARKET", "DENIED"),
        order_row("never", "BUY", "MARKET", "LOST"),
    ]
    guard = GuardRow(
        symbol="SPY",
        strategy="s",
        stop=STOP,
        take_profit=nanos("120"),
        parent_id="entry",
        stop_order_id="stop",
        target_order_id="target",
        active=True,
        ts=0,
    )
    own_fill = FillRow(
        fill_id=fill["fill_id"],
        order_id="entry",
        run_id="r",
        strategy="s",
        symbol="SPY",
        side="BUY",
        quantity=10,
        price=nanos(fill["price"]),
        commission=nanos(fill["commission"]),
        slippage=0,
        purpose="ENTRY",
        reason="test",
        position_after=10,
        ts=fill["ts"],
        wall=0,
    )
    journal = SqliteJournal(tmp_path / "journal.sqlite")

    async def write() -> None:
        journal.start()
        await journal.write(*orders, guard, own_fill)
        journal.close()

    asyncio.run(write())
    return tmp_path / "simbroker.sqlite", tmp_path / "journal.sqlite"


def change(path: Path, *statements: str) -> None:
    """Change a file behind its owner's back (its triggers included)."""
    database = sqlite3.connect(path, isolation_level=None)
    triggers = database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert database.execute(statement).rowcount, f"changed nothing: {statement}"
    database.close()


def checks(books: tuple[Path, Path], **options: bool) -> set[str]:
    return {
        finding.check for finding in compare_books.compare(compare_books.read(*books), **options)
    }


def test_books_that_agree_have_no_findings(books):
    assert checks(books) == set()


AGAIN = (
    "INSERT INTO orders SELECT 'again', 99, {client}, symbol, side, quantity, filled, paid, "
    "commission, type, limit_price, stop_price, time_in_force, status, reason, triggered, slice, "
    "day, arrived, ts, trail, trail_rate, mark, extended, group_id, role "
    "FROM orders WHERE client_order_id = '{of}'"
)


@pytest.mark.parametrize(
    ("broker", "journal", "found"),
    [
        ([AGAIN.format(client="client_order_id", of="gone")], [], {"duplicate_order"}),
        ([AGAIN.format(client="'stranger'", of="gone")], [], {"order_never_intended"}),
        ([AGAIN.format(client="''", of="gone")], [], {"order_never_intended"}),
        (
            ["DELETE FROM orders WHERE client_order_id = 'gone'"],
            ["UPDATE orders SET broker_order_id = 'b' WHERE order_id = 'gone'"],
            {"order_not_at_broker"},
        ),
        (["DELETE FROM orders WHERE client_order_id = 'gone'"], [], set()),
        ([], ["UPDATE orders SET state = 'UNKNOWN' WHERE order_id = 'gone'"], {"unsettled_order"}),
        ([], ["UPDATE orders SET state = 'INTENT' WHERE order_id = 'gone'"], {"unsettled_order"}),
        ([], ["UPDATE orders SET state = 'LOST' WHERE order_id = 'gone'"], {"state_differs"}),
        ([], ["UPDATE orders SET state = 'EXPIRED' WHERE order_id = 'gone'"], {"state_differs"}),
        ([], ["UPDATE orders SET filled = 9 WHERE order_id = 'entry'"], {"filled_differs"}),
        ([], ["UPDATE orders SET quantity = 9 WHERE order_id = 'target'"], {"terms_differ"}),
        ([], ["UPDATE orders SET \"limit\" = 1 WHERE order_id = 'target'"], {"terms_differ"}),
        ([], ["UPDATE fills SET price = price + 1"], {"fill_differs"}),
        ([], ["UPDATE fills SET commission = 0"], {"fill_differs"}),
        ([], ["UPDATE fills SET order_id = 'gone'"], {"fill_of_another_order"}),
        ([], ["UPDATE fills SET quantity = 9"], {"fill_differs", "position_differs"}),
        ([], ["DELETE FROM fills"], {"fill_not_in_journal", "position_differs"}),
        (
            [],
            ["UPDATE fills SET fill_id = 'invented'"],
            {"fill_not_in_journal", "fill_not_at_broker"},
        ),
        (
            ["INSERT INTO adjustments VALUES ('x', 1, 'fee', 'SPY', 0, 5, 1, 1, 0)"],
            [],
            {"adjustment_not_in_journal"},
        ),
        (
            ["UPDATE positions SET quantity = 11"],
            [],
            {"position_differs", "broker_contradicts_itself", "unprotected_position"},
        ),
        (
            ["DELETE FROM positions"],
            [],
            {"position_differs", "broker_contradicts_itself", "orphan_leg"},
        ),
        (
            ["UPDATE orders SET quantity = 11 WHERE client_order_id = 'target'"],
            ["UPDATE orders SET quantity = 11 WHERE order_id = 'target'"],
            {"orphan_leg"},
        ),
        (
            ["UPDATE orders SET side = 'BUY' WHERE client_order_id = 'stop'"],
            ["UPDATE orders SET side = 'BUY' WHERE order_id = 'stop'"],
            {"orphan_leg", "unprotected_position"},
        ),
        (
            ["UPDATE orders SET status = 'CANCELED' WHERE client_order_id = 'stop'"],
            ["UPDATE orders SET state = 'CANCELED' WHERE order_id = 'stop'"],
            {"unprotected_position"},
        ),
        (
            ["UPDATE orders SET quantity = 9 WHERE client_order_id = 'stop'"],
            ["UPDATE orders SET quantity = 9 WHERE order_id = 'stop'"],
            {"unprotected_position"},
        ),
        ([], ["DELETE FROM guards"], {"unprotected_position"}),
        ([], ["UPDATE guards SET stop = 94000000000"], {"stop_price_differs"}),
        ([], ["UPDATE guards SET stop = NULL"], set()),
        ([], ["UPDATE guards SET active = 0"], set()),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else None,
)
def test_each_disagreement_is_found_and_nothing_else(books, broker, journal, found):
    for path, statements in zip(books, (broker, journal), strict=True):
        if statements:
            change(path, *statements)
    assert checks(books) == found


def test_orders_of_others_can_be_allowed(books):
    change(books[0], AGAIN.format(client="''", of="gone"))
    assert checks(books, allow_foreign=True) == set()


def test_the_program_prints_json_and_ends_with_what_it_found(books, tmp_path):
    def program(*arguments: object) -> tuple[int, dict[str, object]]:
        command = [sys.executable, "-m", "tests.acceptance.compare_books", *map(str, arguments)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return ended.returncode, json.loads(ended.stdout)

    code, report = program(*books)
    assert (code, report["agree"], report["working"]) == (0, True, 2)
    change(books[1], "UPDATE fills SET price = price + 1")
    code, report = program(*books)
    assert (code, report["checks"]) == (1, {"fill_differs": 1})
    code, report = program(tmp_path / "none.sqlite", books[1])
    assert (code, report["agree"]) == (2, False)


def test_it_imports_nothing_of_the_product():
    script = (
        "import sys, tests.acceptance.compare_books; "
        "print([name for name in sys.modules if name.startswith('tradingd')])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.stdout.strip() == "[]", ended.stderr
