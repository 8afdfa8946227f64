"""A benchmark outside the universe: its bars reach the model's features and nothing else."""

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.acceptance.daemon.alpaca_server import Alpaca, Trader
from tests.acceptance.daemon.model_market import SPLITS, TRAINED_TO, ModelMarket
from tests.acceptance.daemon.paper import Paper
from tradingd.app import backtest as app
from tradingd.app.sim.server import Market
from tradingd.config.load import load

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

DECLARED = {
    "beta": "kind: beta, bars: 20",
    "correlation": "kind: correlation, bars: 20",
    "strength": "kind: relative_strength, bars: 10",
    "step": "kind: return, bars: 5",
    "place": "kind: rank, of: step",
    "breadth": "kind: breadth, of: step",
}
WORDS = ", ".join(f"{name}: {{{one}}}" for name, one in DECLARED.items())
OVERRIDES = (
    "features=own",
    f"features.declared={{{WORDS}}}",
    "features.benchmark=IBM",
    "universe=symbols",
    "universe.symbols=[AAPL,GOOG,MSFT]",
)
ASKING = ("model.drift_limit=1000", "model.record_days=1000")
STRATEGY = ("strategy=custom", "strategy.path=desk_strategies:Meddler", "strategy.bars=1d")


@pytest.fixture(scope="module")
def market() -> Iterator[ModelMarket]:
    folder = Path(tempfile.mkdtemp(prefix="td-"))
    found = ModelMarket(folder, ("source=sample",), OVERRIDES, TRAINED_TO)
    found.train(1)
    found.point(1)
    yield found
    shutil.rmtree(folder, ignore_errors=True)


def of_daemon(market: ModelMarket) -> tuple[str, ...]:
    words = (one for one in market.of_daemon() if not one.startswith("strategy"))
    return (*words, *STRATEGY, *ASKING, *SPLITS)


def test_features_that_refer_to_it_are_those_of_the_store_and_orders_in_it_are_denied(
    paper: Make, home: Path, market: ModelMarket
) -> None:
    daemon = paper(*of_daemon(market))
    (home / "meddle").touch()
    daemon.start()
    assert daemon.wait() == 0, daemon.errors()

    shown = market.shown(daemon)
    assert shown.symbols == {"AAPL", "GOOG", "MSFT"}
    found = shown.compared
    assert found.rows > 400
    assert found.absent == 0
    assert [one.name for one in found.features if one.outside] == []
    assert (found.repeats_differ, found.unexplained) == (0, 0)

    assert (home / "shown").read_text() == "AAPL GOOG MSFT", "no strategy sees its bars"
    decisions = daemon.rows("SELECT * FROM decisions WHERE symbol = 'IBM'")
    denied = {one["limit"]: one["explanation"] for one in decisions}
    assert "IBM is outside the universe: its bars are watched" in denied["outside_universe"]
    sent = {one["symbol"]: one["state"] for one in daemon.rows("SELECT * FROM orders")}
    assert sent.pop("IBM") == "DENIED"
    assert sent, "it goes on to trade its own"
    assert "the feed has no bars of the benchmark" not in daemon.errors()

    ended = daemon.tradingd(
        "model", "parity", "--json", "--instance", daemon.instance, *of_daemon(market)
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["holds"]


def test_a_backtest_shows_the_model_its_bars_and_denies_orders_in_it_alike(
    market: ModelMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("meddle").touch()
    words = (one for one in market.of_daemon() if not one.startswith(("strategy", "feed")))
    strategy = STRATEGY[1].replace("=", "=tests.acceptance.daemon.")
    run = app.backtest(
        load(
            [
                "mode=backtest",
                f"mode.results={tmp_path / 'runs'}",
                *("mode.start=2004-08-02", "mode.end=2004-12-31"),
                *(*words, *ASKING, STRATEGY[0], strategy, STRATEGY[2]),
            ]
        ),
        sheet=False,
    )
    assert run.symbols == 3
    assert run.outcome.advised[""] > 200, "features that refer to it have values"
    assert Path("shown").read_text() == "AAPL GOOG MSFT"
    orders = pq.read_table(Path(run.folder) / "orders.parquet").to_pylist()
    (meddled,) = [one for one in orders if one["symbol"] == "IBM"]
    assert "outside_universe" in meddled["denied_by"]
    assert [one["symbol"] for one in orders if not one["denied_by"]]


@pytest.mark.long
def test_alpaca_sends_its_bars_too_over_a_split_it_announces_on_the_way(
    serve: Callable[..., Alpaca], trader: Callable[..., Trader], home: Path, market: ModelMarket
) -> None:
    stage = Market(
        store=market.store,
        bars="1d",
        symbols=["AAPL", "GOOG", "IBM", "MSFT"],
        start=dt.date(2004, 8, 2),
        end=dt.date(2005, 3, 18),
        speed=400_000,
    )
    url = serve(stage).endpoint.url
    words = (one for one in market.of_daemon() if not one.startswith(("strategy", "feed")))
    daemon = trader(
        *(*words, *STRATEGY, *ASKING, "mode=paper", "risk=open", "supervision.broker_errors=0"),
        *("broker=alpaca", f"broker.endpoint={url}", "broker.requests_per_minute=100000"),
        *("feed=alpaca", f"feed.endpoint={url}", "feed.requests_per_minute=100000"),
        "feed.clock=data",
    )
    (home / "meddle").touch()
    assert daemon.start().wait(240) == 0, daemon.errors()
    found = market.shown(daemon).compared
    assert found.rows > 400
    assert [one.name for one in found.features if one.outside] == []
    assert (home / "shown").read_text() == "AAPL GOOG MSFT"
    denied = [one["limit"] for one in daemon.rows("SELECT * FROM decisions WHERE symbol = 'IBM'")]
    assert denied == ["outside_universe"]
