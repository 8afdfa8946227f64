"""A backtest as a person runs it: on the embedded bars, by the real command."""

import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap

import pyarrow.parquet as pq
import pytest

from tests.acceptance.command import folder_of
from tradingd.kits.failure import ExitCode

RESULT_TABLES = ("orders", "fills", "positions", "equity", "denials", "cash")


def digests(folder):
    """Hash of every result file but the one that holds times."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "timing.json"
    }


@pytest.fixture(scope="module")
def swing(on_sample):
    """The default backtest, run once for this module."""
    return on_sample("backtest", "--json")


def test_the_default_backtest_ends_with_metrics_and_a_tear_sheet(on_sample):
    ended = on_sample("backtest")
    assert ended.returncode == 0, ended.stderr
    assert "Sharpe" in ended.stdout
    assert re.search(r"tearsheet\.html", ended.stdout)
    assert ended.stdout.strip().splitlines()[-1].startswith("SUMMARY ")


def test_the_default_backtest_trades_and_every_order_has_a_reason(swing):
    folder = folder_of(swing)
    orders = pq.read_table(folder / "orders.parquet").to_pylist()
    assert sum(order["purpose"] == "ENTRY" and order["status"] == "FILLED" for order in orders) > 20
    assert all(order["reason"].strip() for order in orders)


def test_a_run_folder_holds_every_table_the_metrics_and_the_provenance(swing):
    names = {path.name for path in folder_of(swing).iterdir()}
    wanted = {f"{table}.parquet" for table in RESULT_TABLES}
    assert wanted | {"metrics.json", "manifest.json", "tearsheet.html", "timing.json"} <= names


def test_the_same_inputs_give_byte_identical_files_twice(on_sample, swing):
    first, second = folder_of(swing), folder_of(on_sample("backtest", "--json"))
    assert first != second
    assert digests(first) == digests(second)


def test_another_seed_or_parameter_is_another_configuration(on_sample, swing):
    other = folder_of(on_sample("backtest", "strategy.fast=10", "--json"))
    manifests = [
        json.loads((path / "manifest.json").read_text()) for path in (folder_of(swing), other)
    ]
    assert manifests[0]["config_hash"] != manifests[1]["config_hash"]
    assert manifests[0]["data_hash"] == manifests[1]["data_hash"]


NO_SOCKETS = textwrap.dedent(
    """
    import sys

    def forbid(event, arguments):
        if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
            raise RuntimeError(f"a backtest used {event} {arguments}")
        if event == "socket.__new__":
            raise RuntimeError(f"a backtest opened a socket {arguments}")

    sys.addaudithook(forbid)
    from tradingd.cli.main import tradingd
    sys.exit(tradingd(["backtest", "strategy=buy_and_hold", "risk=open"]))
    """
)


def test_a_backtest_opens_no_socket(sample_home):
    ended = subprocess.run(
        [sys.executable, "-c", NO_SOCKETS],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_DATA_HOME": str(sample_home / "data")},
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]


FAILING_STRATEGY = textwrap.dedent(
    """
    from tradingd.config.strategy import StrategyBase
    from tradingd.engine.strategy import Strategy


    class Settings(StrategyBase, frozen=True, kw_only=True):
        at: int = 50


    class Falters(Strategy):
        Settings = Settings

        def on_begin(self):
            self.seen = 0

        def on_bar(self, bar):
            self.seen += 1
            if self.seen == self.settings.at:
                raise ZeroDivisionError("the fiftieth bar")
    """
)


def test_a_strategy_that_raises_on_the_50th_bar_fails_the_run_with_the_traceback(
    on_sample, sample_home
):
    (sample_home / "falters.py").write_text(FAILING_STRATEGY)
    ended = on_sample(
        "backtest",
        "strategy=custom",
        "strategy.path=falters:Falters",
        "strategy.bars=1d",
        PYTHONPATH=str(sample_home),
    )
    assert ended.returncode == ExitCode.STRATEGY_FAILED
    assert "ZeroDivisionError: the fiftieth bar" in ended.stderr
    assert "falters.py" in ended.stderr
    assert "Traceback" in ended.stderr


def test_a_failed_run_is_listed_as_failed(on_sample, sample_home):
    (sample_home / "falters.py").write_text(FAILING_STRATEGY)
    on_sample(
        "backtest",
        "strategy=custom",
        "strategy.path=falters:Falters",
        "strategy.params={at: 7}",
        PYTHONPATH=str(sample_home),
    )
    listed = on_sample("runs", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert "failed" in listed.stdout


def test_a_small_chunk_gives_the_same_trades_as_a_large_one(on_sample, swing):
    small = folder_of(on_sample("backtest", "mode.chunk_rows=1000", "--json"))
    for table in RESULT_TABLES:
        name = f"{table}.parquet"
        assert pq.read_table(small / name).equals(pq.read_table(folder_of(swing) / name)), name
