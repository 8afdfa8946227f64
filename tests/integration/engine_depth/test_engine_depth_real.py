"""FROG on Nasdaq, 2025-04-03, 13:30 to 17:00 UTC: recorded books through the whole program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.engine_depth.depth_kit import BookScript, run_books
from tradingd.app.backtest import backtest
from tradingd.config.load import load
from tradingd.domain.orders import Side
from tradingd.level2.open import open_book

REPOSITORY = Path(__file__).resolve().parents[3]
FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"


def books(real_data: Path):
    return open_book(real_data / FROG)


@pytest.mark.real_data
def test_every_recorded_state_reaches_the_strategy_unchanged(real_data):
    script = BookScript()
    run_books(script, [books(real_data)], rows=1_000)
    at = 0
    for chunk, _ in books(real_data).chunks():
        for row in range(0, chunk.rows, 97):
            view = script.views[at + row]
            assert view.bid_size(3) == chunk.bid_sz[3][row]
            assert (view.bid() or 0) == int(chunk.bid_px[0][row]) * 100_000
            assert 0 <= view.ts - int(chunk.ts[row]) < 1_000
        at += chunk.rows
    assert at == len(script.views) > 16_000


@pytest.mark.real_data
def test_a_market_order_gets_the_displayed_asks_of_its_moment_to_the_share(real_data):
    moment = 5_000

    def buy(s):
        return s.enter("FROG", Side.BUY, 2_000, reason="test")

    script = BookScript({moment: buy})
    ran = run_books(script, [books(real_data)])
    view = script.views[moment]
    expected, left = [], 2_000
    for level in range(10):
        if left and view.ask_size(level):
            expected.append((min(left, view.ask_size(level)), view.ask(level)))
            left -= expected[-1][0]
    found = [(fill.quantity, fill.price) for fill in ran.tables.fills if fill.ts == view.ts]
    assert found == expected
    assert len(found) > 1


@pytest.mark.slow
@pytest.mark.real_data
def test_latency_alone_changes_what_the_example_strategy_gets(real_data, tmp_path):
    def run(latency, chunk_rows=100_000):
        loaded = load(
            [
                "mode=backtest",
                "strategy=book_imbalance",
                "strategy.entry=aggressive",
                "risk=open",
                "depth=replay",
                f"depth.path={real_data / FROG}",
                f"execution.latency_ms={latency}",
                f"mode.chunk_rows={chunk_rows}",
                f"store.root={tmp_path / 'store'}",
                f"mode.results={tmp_path / 'runs'}",
            ]
        )
        result = backtest(loaded, sheet=False)
        fills = (Path(result.folder) / "fills.parquet").read_bytes()
        return result, fills

    prompt, late = run(0), run(250)
    assert prompt[0].outcome.fills > 100
    assert prompt[1] != late[1]
    # The example pays the spread and the fees: it loses, and says so.
    assert late[0].outcome.final_equity < 100_000_000_000_000
    assert run(250, 2_000)[1] == late[1]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_books():
    def peak(rows):
        command = [sys.executable, "-m", "tests.benchmarks.engine_depth", "--memory", str(rows)]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=240
        )
        return json.loads(ended.stdout)["peak_mb"]

    # As engine objects 130,000 books more would take about 500 MB.
    assert peak(150_000) < peak(20_000) + 60
