"""Whole runs against an auditor that shares no code with the product.

The auditor knows the run folder, the store's Parquet files and the exchange's calendar; every
number it can work out from fills, closes and corporate actions must be the one in the folder.
"""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.acceptance.audit import Finding, audit
from tests.acceptance.audit_facts import stored_market
from tests.acceptance.command import Run, folder_of, tradingd_in


def audited(home: Path, folder: Path) -> list[str]:
    """Audit a run against the store of that home."""
    history = home / "data" / "tradingd" / "history"
    return [str(finding) for finding in audit(folder, lambda run: stored_market(run, history))]


def backtest(run: Run, *overrides: str) -> Path:
    return folder_of(run("backtest", *overrides, "--json"))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / f"{table}.parquet").to_pylist()


REPOSITORY = Path(__file__).resolve().parents[2]

# -- the books agree -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swing(on_sample: Run) -> Path:
    """The default backtest."""
    return backtest(on_sample)


def test_the_default_backtest_adds_up(swing, sample_home):
    assert audited(sample_home, swing) == []
    assert json.loads((swing / "manifest.json").read_text())["config"]["risk"]["require_stop"]
    assert rows(swing, "denials")
    assert rows(swing, "positions")


@pytest.mark.parametrize("short", ["false", "true"], ids=["long", "short"])
def test_holding_through_splits_dividends_and_borrow_adds_up(on_sample, sample_home, short):
    folder = backtest(on_sample, "strategy=buy_and_hold", f"strategy.short={short}", "risk=open")
    assert audited(sample_home, folder) == []
    assert sum(fill["purpose"] == "CORPORATE" for fill in rows(folder, "fills")) == 3
    kinds = {row["kind"] for row in rows(folder, "cash")}
    assert kinds == ({"dividend", "borrow"} if short == "true" else {"dividend"})


@pytest.mark.parametrize(
    "execution",
    [
        ["execution=default"],
        ["execution=ideal"],
        ["execution=harsh", "execution.participation_percent=0.0002"],
    ],
    ids=["default", "ideal", "thin"],
)
def test_a_strategy_that_flips_often_adds_up(on_sample, sample_home, execution):
    folder = backtest(on_sample, "strategy=ema_cross", "strategy.bars=1d", "risk=open", *execution)
    assert audited(sample_home, folder) == []
    filled = [order for order in rows(folder, "orders") if order["status"] == "FILLED"]
    assert len(filled) > 100
    in_parts = len(rows(folder, "fills")) > len(filled) + 50
    assert in_parts == ("execution=harsh" in execution)


def test_a_range_in_the_middle_of_history_adds_up(on_sample, sample_home):
    # From the session after AAPL's split of 2005-02-28, to the day of a dividend of IBM.
    folder = backtest(on_sample, "mode.start=2005-03-01", "mode.end=2007-08-08")
    assert audited(sample_home, folder) == []
    assert rows(folder, "fills")


@pytest.mark.parametrize(
    ("seed", "overrides"),
    [
        (4, ["risk=open", "risk.require_stop=true"]),
        (2, ["risk=default", "strategy.params.most=20", "broker.borrow_rate=7"]),
        # A millionth of a day's volume: a hundred shares of a hundred million.
        (3, ["risk=open", "execution.participation_percent=0.0001"]),
    ],
    ids=["open", "default", "thin"],
)
def test_trading_at_random_adds_up(on_sample, sample_home, seed, overrides):
    folder = backtest(
        partial(on_sample, PYTHONPATH=str(REPOSITORY)),
        "strategy=custom",
        "strategy.path=tests.acceptance.dice:Dice",
        f"strategy.params.seed={seed}",
        *overrides,
    )
    assert audited(sample_home, folder) == []
    assert len(rows(folder, "positions")) > 200
    assert any(fill["purpose"] == "CORPORATE" for fill in rows(folder, "fills"))


@pytest.mark.real_data
def test_trading_minutes_adds_up(on_lean, lean_home):
    folder = backtest(on_lean, "strategy=intraday_mean_reversion", "risk=intraday")
    assert audited(lean_home, folder) == []
    assert len(rows(folder, "positions")) > 20


@pytest.fixture(scope="module")
def sp500_home(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    """A home whose store holds the members of the S&P 500 set, split-adjusted by their source."""
    home = tmp_path_factory.mktemp("sp500")
    imported = tradingd_in(home)(
        "data",
        "import",
        "source=tabular",
        f"source.path={real_data / 'sp500' / 'sp500_daily_2013_2016.parquet'}",
        "source.adjusted=true",
        "source.skip_invalid=true",
        "source.columns={symbol: name, ts_event: date}",
    )
    assert imported.returncode == 0, imported.stderr
    return home


@pytest.mark.slow
@pytest.mark.real_data
def test_trading_five_hundred_symbols_adds_up(sp500_home):
    folder = backtest(tradingd_in(sp500_home))
    assert audited(sp500_home, folder) == []
    assert len(rows(folder, "positions")) > 500


# -- the auditor finds what does not ---------------------------------------------------------------


type Change = Callable[[list[dict[str, Any]]], object]


def first(purpose: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in rows if row["purpose"] == purpose)


def drop(purpose: str) -> Change:
    """Take away the first row of a purpose."""
    return lambda rows: rows.remove(first(purpose, rows))


def add(column: str, amount: int, purpose: str = "") -> Change:
    """Change a number of the first row, or of the first one of a purpose."""

    def change(rows: list[dict[str, Any]]) -> None:
        row = first(purpose, rows) if purpose else rows[0]
        row[column] += amount

    return change


@pytest.mark.parametrize(
    ("table", "change", "checks"),
    [
        ("fills", add("price", 1), {"account", "orders", "fills", "trips"}),
        ("fills", add("touch_price", 1), {"fills", "touch_prices"}),
        ("fills", add("quantity", 1), {"account", "orders", "fills", "trips"}),
        ("fills", add("commission", 1), {"account", "fills", "manifest", "trips"}),
        ("fills", add("slippage", 1), {"fills", "manifest"}),
        ("fills", add("position_after", 1), {"fills"}),
        ("fills", add("ts", 86_400_000_000_000 * 9), {"numbering", "orders"}),
        ("fills", lambda rows: rows.pop(), {"account", "orders"}),
        ("cash", lambda rows: rows.pop(0), {"numbering", "account", "cash_rows", "manifest"}),
        ("cash", add("amount", 1), {"account", "cash_rows", "manifest"}),
        ("cash", add("quantity", 1), {"cash_rows"}),
        ("orders", drop("ENTRY"), {"numbering", "orders"}),
        ("orders", drop("PROTECT"), {"protection"}),
        ("orders", add("quantity", 1, "PROTECT"), {"orders"}),
        ("orders", lambda rows: first("ENTRY", rows).update(reason=" "), {"orders"}),
        ("orders", lambda rows: first("ENTRY", rows).update(status="EXPIRED"), {"orders"}),
        ("orders", add("quantity", 900, "ENTRY"), {"limits", "orders"}),
        ("denials", lambda rows: rows.pop(0), {"denials", "numbering"}),
        ("denials", lambda rows: rows[0].update(limit="collar_percent"), {"denials"}),
        ("positions", add("realised", 1), {"trips"}),
        ("positions", add("bars_held", 1), {"trips"}),
        ("positions", lambda rows: rows.pop(), {"trips"}),
        ("equity", add("equity", 1), {"account"}),
        ("equity", add("cash", 1), {"account"}),
        ("equity", lambda rows: rows[-1].update(positions=99), {"account", "manifest"}),
        ("equity", lambda rows: rows.pop(100), {"samples"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_auditor_names_a_row_that_was_changed(
    swing, sample_home, tmp_path, table, change, checks
):
    folder = tampered(swing, tmp_path, table, change)
    history = sample_home / "data" / "tradingd" / "history"
    found = audit(folder, lambda run: stored_market(run, history))
    assert checks <= {finding.check for finding in found}


def test_a_finding_says_where_what_was_said_and_what_should_be():
    finding = Finding("orders", "O-000007 filled_quantity", 30, 28)
    assert str(finding) == "orders: O-000007 filled_quantity: says 30, should be 28"


def test_the_auditor_shares_no_code_with_what_it_audits():
    for program in ("audit.py", "audit_facts.py"):
        assert "import tradingd" not in (text := Path(__file__).with_name(program).read_text())
        assert "from tradingd" not in text


def tampered(folder: Path, home: Path, table: str, change: Change) -> Path:
    """Return a copy of a run folder with one table changed."""
    copy = home / folder.name
    shutil.copytree(folder, copy)
    file = copy / f"{table}.parquet"
    stored = pq.read_table(file)
    # Times as integers: Python has no nanoseconds.
    plain = pa.schema(
        [
            pa.field(field.name, pa.int64() if pa.types.is_timestamp(field.type) else field.type)
            for field in stored.schema
        ]
    )
    changed = stored.cast(plain).to_pylist()
    change(changed)
    pq.write_table(pa.Table.from_pylist(changed, schema=plain).cast(stored.schema), file)
    return copy
