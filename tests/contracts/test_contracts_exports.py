"""The published contracts are those that the code keeps, and they are sealed."""

import datetime as dt
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradingd.app.contracts_exports import encoded, published
from tradingd.contracts import Contracts, load
from tradingd.contracts.checking import check_file
from tradingd.contracts.place import packaged_contracts
from tradingd.domain.depth import DepthGap
from tradingd.history.schema import BARS, QUOTES, TRADES
from tradingd.level2 import columns
from tradingd.level2.facts import snapshot_facts, trade_facts
from tradingd.level2.writer import SnapshotWriter, trades_writer

ROOT = packaged_contracts()
AGAIN = "run: python -m tradingd.app.contracts_exports contracts && tradingd contracts seal"


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load()


@pytest.mark.parametrize("name", sorted(published(ROOT)))
def test_a_published_contract_is_the_one_the_code_keeps(name: str) -> None:
    assert (ROOT / "schemas" / name).read_bytes() == encoded(published(ROOT)[name]), AGAIN


def test_the_published_contracts_are_sealed_and_sound(contracts: Contracts) -> None:
    assert contracts.sealed
    assert contracts.notes == ()
    assert {one.name for one in contracts.rules} == {"promotion", "champion", "sound"}


def test_reasons_and_quality_bits_are_those_of_the_code(contracts: Contracts) -> None:
    (stats,) = contracts.named("session-stats")
    capture = stats.document["$defs"]["capture"]["properties"]
    (hint,) = [f.type for f in msgspec.structs.fields(DepthGap) if f.name == "reason"]
    reasons = msgspec.json.schema(hint)["enum"]
    assert sorted(capture["gaps"]["propertyNames"]["enum"]) == reasons
    assert capture["quality"]["propertyNames"]["enum"] == [one.name for one in columns.Quality]


def test_the_layout_of_other_schemas_is_stated_in_their_own_words(contracts: Contracts) -> None:
    for one in contracts.schemas:
        assert one.draft_stated, one.path
        assert one.title, one.path
        assert one.document["description"], one.path
        assert one.versions.stated, one.path


@pytest.mark.parametrize("levels", [1, 10, 50])
def test_a_file_of_the_snapshot_writer_satisfies_its_contract(
    tmp_path: Path, contracts: Contracts, levels: int
) -> None:
    day = dt.date(2024, 4, 15)
    facts = snapshot_facts(
        symbol="FROG", day=day, levels=levels, interval_ms=100, on_change=False, source="replay"
    )
    path = tmp_path / f"{day}_snapshots_093000.parquet"
    with SnapshotWriter(path, columns.snapshot_schema(levels), facts):
        pass
    verdict = check_file(path, contracts)
    assert (verdict.ok, verdict.contract, verdict.problems) == (True, "l2-snapshots", ())


def test_a_file_of_the_trades_writer_satisfies_its_contract(
    tmp_path: Path, contracts: Contracts
) -> None:
    path = tmp_path / "2024-04-15_trades_databento.parquet"
    with trades_writer(
        path, trade_facts(symbol="FROG", day=dt.date(2024, 4, 15), source="databento")
    ):
        pass
    verdict = check_file(path, contracts)
    assert (verdict.ok, verdict.contract, verdict.problems) == (True, "l2-trades", ())


def test_columns_of_another_kind_are_refused_by_name(tmp_path: Path, contracts: Contracts) -> None:
    table = columns.snapshot_schema(1).empty_table()
    place = table.schema.get_field_index("bid_px_00")
    table = table.set_column(place, "bid_px_00", pa.array([], pa.float64()))
    path = tmp_path / "x_snapshots_1.parquet"
    pq.write_table(table, path)
    verdict = check_file(path, contracts)
    found = {(one.path, one.rule) for one in verdict.problems}
    assert ("$.columns.bid_px_00.type", "const") in found
    # A file without facts does not say which layout it has.
    assert ("$", "required") in found


@pytest.mark.parametrize(
    ("kind", "folder", "schema"),
    [
        ("bars", "bars/resolution=1m/symbol=SPY/year=2024", BARS),
        ("bars", "bars/resolution=1d/symbol=SPY", BARS),
        ("quotes", "quotes/symbol=SPY/date=2024-04-15", QUOTES),
        ("trades", "trades/symbol=SPY/date=2024-04-15", TRADES),
    ],
)
def test_a_file_of_the_store_is_known_by_its_folder(
    tmp_path: Path, contracts: Contracts, kind: str, folder: str, schema: pa.Schema
) -> None:
    path = tmp_path / folder / "0001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(schema.empty_table(), path)
    verdict = check_file(path, contracts)
    assert (verdict.ok, verdict.contract, verdict.problems) == (True, kind, ())
    pq.write_table(schema.empty_table().drop_columns(["ts_init"]), path)
    assert not check_file(path, contracts).ok


def test_a_damaged_parquet_file_is_a_verdict_not_a_crash(
    tmp_path: Path, contracts: Contracts
) -> None:
    path = tmp_path / "x_snapshots_1.parquet"
    for content in (b"", b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1"):
        path.write_bytes(content)
        verdict = check_file(path, contracts)
        assert [one.rule for one in verdict.problems] == ["unreadable"]
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(twice, path)
    assert "the column a twice" in check_file(path, contracts).problems[0].message
