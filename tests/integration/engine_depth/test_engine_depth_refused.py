"""A strategy of books in a session of bars: refused at the start, with what to do instead."""

import os
import subprocess
import sys

from tradingd.kits.failure import ExitCode


def test_a_paper_session_refuses_a_strategy_of_books_before_it_trades(tmp_path):
    homes = ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "HOME")
    ended = subprocess.run(
        [sys.executable, "-m", "tradingd", "run", "strategy=book_imbalance", "feed=sample"],
        env={"PATH": os.environ["PATH"], **dict.fromkeys(homes, str(tmp_path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == ExitCode.CONFIG, ended.stderr
    last = ended.stderr.strip().splitlines()[-1]
    assert "strategy book_imbalance trades on order books, and this run has none" in last
    assert "paper and live sessions show bars alone" in last
    assert "tradingd backtest strategy=book_imbalance depth=replay depth.path=" in last
