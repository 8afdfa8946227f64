"""`tradingd backtest` over recorded files: which books are meant, and what the run states."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.engine_depth.depth_kit import DAY, WEDNESDAY, MadeBooks, at, shown
from tradingd.app.backtest import backtest
from tradingd.app.backtest_books import open_books
from tradingd.config.load import Loaded, load
from tradingd.config.paths import store_root
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import NO_ASK, NO_BID
from tradingd.level2.columns import TRADES, snapshot_schema
from tradingd.level2.layout import snapshots, trades
from tradingd.level2.writer import SnapshotWriter, trades_writer

STRATEGY = "strategy=book_imbalance"


def facts(symbol: str, day: str) -> dict[str, str]:
    return {
        "contract": "l2-snapshots",
        "schema_version": "1.0.0",
        "price_scale": "10000",
        "symbol": symbol,
        "day": day,
        "levels": "3",
        "interval_ms": "0",
        "on_change": "true",
        "source": "test",
    }


def keep(
    root: Path,
    symbol: str,
    day: str = DAY,
    tag: str = "made",
    shift: int = 0,
    price: float = 100.0,
    tick: float = 0.01,
) -> Path:
    """Write a snapshot file whose imbalance swings from side to side."""
    at_tick = [round(price + n * tick, 4) for n in range(-2, 4)]
    records = [
        shown(
            60_000 + 500 * n,
            ((at_tick[2], 10 + (n * 29 + shift) % 90), (at_tick[1], 50), (at_tick[0], 50)),
            ((at_tick[3], 100 - (n * 29 + shift) % 90), (at_tick[4], 50), (at_tick[5], 50)),
        )
        for n in range(400)
    ]
    ((books, _),) = MadeBooks(records, symbol, day).chunks()
    schema = snapshot_schema(3)
    columns: dict[str, pa.Array] = {
        "symbol": pa.array([symbol] * books.rows),
        **{
            name: pa.array(books.ts).cast(pa.timestamp("ns"))
            for name in ("ts", "ts_event", "ts_recv")
        },
        "sequence": pa.array(np.arange(books.rows)),
        "events": pa.array(np.ones(books.rows, np.int32)),
        "on_change": pa.array(np.ones(books.rows, bool)),
        "quality": pa.array(books.quality),
    }
    for level in range(3):
        for side, none in (("bid", NO_BID), ("ask", NO_ASK)):
            prices = getattr(books, f"{side}_px")[level]
            columns[f"{side}_px_{level:02d}"] = pa.array(prices, mask=prices == none)
            columns[f"{side}_sz_{level:02d}"] = pa.array(getattr(books, f"{side}_sz")[level])
            columns[f"{side}_ct_{level:02d}"] = pa.nulls(books.rows, pa.int32())
    path = snapshots(root, symbol, dt.date.fromisoformat(day), tag)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SnapshotWriter(path, schema, facts(symbol, day))
    writer.write(pa.RecordBatch.from_pydict({name: columns[name] for name in schema.names}, schema))
    writer.commit()
    return path


def keep_trades(root: Path, symbol: str, day: str = DAY) -> None:
    stamp = pa.array([at(61_000, day)]).cast(pa.timestamp("ns"))
    row = {
        "symbol": pa.array([symbol]),
        "ts_event": stamp,
        "ts_recv": stamp,
        "sequence": pa.array([1]),
        "price": pa.array([Decimal(100)], pa.decimal128(18, 9)),
        "size": pa.array([900]),
        "aggressor": pa.array(["A"]),
    }
    path = trades(root, symbol, dt.date.fromisoformat(day), "made")
    writer = trades_writer(path, {**facts(symbol, day), "contract": "l2-trades"})
    writer.write(pa.RecordBatch.from_pydict(row, TRADES))
    writer.commit()


def loaded(tmp_path: Path, *words: str) -> Loaded:
    return load(
        [
            "mode=backtest",
            STRATEGY,
            "risk=open",
            "depth=replay",
            f"depth.path={tmp_path / 'books'}",
            f"store.root={tmp_path / 'store'}",
            f"mode.results={tmp_path / 'runs'}",
            *words,
        ]
    )


def opened(config: Loaded):
    mode = config.config.mode
    return open_books(Store(store_root(config.config), config.config.store), config.config, mode)


def test_a_folder_of_snapshots_runs_as_one_backtest_and_states_its_data(tmp_path):
    keep(tmp_path / "books", "AAA")
    keep(tmp_path / "books", "AAA", WEDNESDAY)
    keep(tmp_path / "books", "BBB")
    keep_trades(tmp_path / "books", "BBB")
    result = backtest(loaded(tmp_path, "strategy.entry=aggressive", "strategy.enter=0.2"))
    # 400 books each, and one empty book for either symbol between the days.
    assert (result.data, result.symbols, result.outcome.rows) == ("books", 2, 1202)
    assert result.outcome.fills > 0
    manifest = json.loads((Path(result.folder) / "manifest.json").read_text())
    assert manifest["resolution"] == "book"
    assert "path" not in manifest["config"]["depth"]
    told = " ".join(manifest["notes"])
    assert "participation_percent" in told
    assert "No trades were recorded of AAA:" in told
    page = Path(result.tearsheet).read_text()
    assert "candles" in page
    assert "order books <b>1,202</b>" in page


def test_the_same_files_give_the_same_run_and_a_changed_file_another(tmp_path):
    path = keep(tmp_path / "books", "AAA")
    words = ("strategy.enter=0.2", "strategy.entry=aggressive")
    first = backtest(loaded(tmp_path, *words), sheet=False)
    again = backtest(loaded(tmp_path, *words, "mode.chunk_rows=1000"), sheet=False)
    assert first.outcome.fills > 0
    fills = [Path(one.folder) / "fills.parquet" for one in (first, again)]
    assert fills[0].read_bytes() == fills[1].read_bytes()
    before = opened(loaded(tmp_path)).fingerprint()
    keep_trades(tmp_path / "books", "AAA")
    with_trades = opened(loaded(tmp_path)).fingerprint()
    path.unlink()
    keep(tmp_path / "books", "AAA", shift=1)
    assert len({before, with_trades, opened(loaded(tmp_path)).fingerprint()}) == 3
    assert first.run_id.split("-")[2] == before[:8]


def test_universe_and_days_choose_among_the_files(tmp_path):
    for symbol, day in (("AAA", DAY), ("AAA", WEDNESDAY), ("BBB", DAY), ("CCC", DAY)):
        keep(tmp_path / "books", symbol, day)
    chosen = opened(loaded(tmp_path, "universe=symbols", "universe.symbols=[AAA,BBB]"))
    assert chosen.symbols() == ["AAA", "BBB"]
    assert opened(loaded(tmp_path, "universe.exclude=[AAA]")).symbols() == ["BBB", "CCC"]
    assert opened(loaded(tmp_path, f"mode.start={WEDNESDAY}")).symbols() == ["AAA"]


def test_parts_of_a_running_capture_are_left_alone(tmp_path):
    keep(tmp_path / "books", "AAA")
    keep(tmp_path / "books" / "AAA" / ".recording", "BBB")
    assert opened(loaded(tmp_path)).symbols() == ["AAA"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), ExitCode.CONFIG, "two files have books of AAA"),
        (("depth.path=/nowhere/at/all",), ExitCode.NO_DATA, "no recorded order books"),
        (("universe=symbols", "universe.symbols=[ZZZ]"), ExitCode.UNKNOWN_SYMBOL, "ZZZ"),
        (("mode.start=2024-03-01",), ExitCode.EMPTY_RANGE, "range"),
        (("execution=limit",), ExitCode.CONFIG, "not worked"),
    ],
    ids=["twice", "no folder", "no symbol", "no day", "worked"],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(tmp_path, words, code, said):
    keep(tmp_path / "books", "AAA")
    keep(tmp_path / "books", "AAA", tag="093000")
    with pytest.raises(Failure, match=said) as caught:
        backtest(loaded(tmp_path, *words))
    assert caught.value.code is code
    assert not (tmp_path / "runs").exists()


def test_live_books_and_no_books_are_refused_with_the_next_step(tmp_path):
    live = load(["mode=backtest", STRATEGY, "depth=databento", f"store.root={tmp_path}"])
    with pytest.raises(Failure, match="recorded order books"):
        backtest(live)
    none = load(["mode=backtest", STRATEGY, f"store.root={tmp_path}"])
    with pytest.raises(Failure, match="trades on order books") as caught:
        backtest(none)
    assert "depth=replay" in caught.value.next_step


def test_a_split_between_two_days_of_books_is_refused(tmp_path):
    for day in (DAY, WEDNESDAY):
        keep(tmp_path / "books", "AAA", day)
    config = loaded(tmp_path)
    split = CorporateAction(
        symbol="AAA",
        ex_date=dt.date.fromisoformat(WEDNESDAY),
        kind=ActionKind.SPLIT,
        numerator=2,
        denominator=1,
    )

    class Knowing(Store):
        def actions(self, symbols=None):
            return [split]

    store = Knowing(store_root(config.config), config.config.store)
    with pytest.raises(Failure, match="AAA splits on 2024-01-17"):
        open_books(store, config.config, config.config.mode)


def test_books_below_a_dollar_have_the_tick_of_their_prices(tmp_path):
    keep(tmp_path / "books", "CHEAP", price=0.4321, tick=0.0001)
    keep(tmp_path / "books", "DEAR")
    ticks = {one.symbol: one.tick for one in opened(loaded(tmp_path)).instruments()}
    assert ticks == {"CHEAP": 100_000, "DEAR": 10_000_000}


def test_a_passive_order_below_a_dollar_stands_at_the_bid_it_names(tmp_path):
    keep(tmp_path / "books", "CHEAP", price=0.4321, tick=0.0001)
    config = loaded(tmp_path, "strategy.max_spread_bps=100", "strategy.enter=0.2")
    result = backtest(config, sheet=False)
    orders = pq.read_table(Path(result.folder) / "orders.parquet").to_pylist()
    limits = {one["limit_price"] for one in orders if one["limit_price"] is not None}
    assert limits == {Decimal("0.4321"), Decimal("0.4322")}
