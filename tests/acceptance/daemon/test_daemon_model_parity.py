"""The model of a session sees what training would have shown it, and answers the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.model_market import NAME, SPLITS, ModelMarket, Shown
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper

type Make = Callable[..., Paper]

ASKING = ("strategy.max_positions=1", "model.drift_limit=1000", "model.record_days=1000")
"""What is held is not asked about; prices of 2004 are not those of 2000 to 2003; keep all days."""


@pytest.fixture(scope="module")
def played(model_market: ModelMarket, module_paper: Make) -> Paper:
    """A session over a split and dividends, to its end."""
    daemon = module_paper(*model_market.of_daemon(), *SPLITS, *ASKING).start()
    assert daemon.wait() == 0, daemon.errors()
    return daemon


@pytest.fixture(scope="module")
def shown(played: Paper, model_market: ModelMarket) -> Shown:
    """What its record shows beside the features of all bars that the store has."""
    return model_market.shown(played)


@pytest.mark.slow
def test_every_feature_of_every_row_is_the_one_of_the_store(shown: Shown) -> None:
    found = shown.compared
    assert found.rows > 300
    assert {"AAPL", "IBM", "MSFT"} <= shown.symbols
    assert shown.first < 1109635200 * 10**9 < shown.last, "AAPL splits on 2005-02-28"
    assert found.absent == 0
    assert [one.name for one in found.features if one.outside] == []


@pytest.mark.slow
def test_the_same_row_gives_the_same_prediction_bit_for_bit(shown: Shown) -> None:
    assert shown.compared.predictions == shown.compared.rows
    assert shown.compared.repeats_differ == 0


@pytest.mark.slow
def test_predictions_that_differ_have_a_feature_at_a_threshold(shown: Shown) -> None:
    assert shown.compared.splits_known
    assert shown.compared.unexplained == 0


@pytest.mark.slow
def test_orders_name_the_model(played: Paper) -> None:
    reasons = [one["reason"] for one in played.rows("SELECT * FROM orders WHERE purpose='ENTRY'")]
    assert len(reasons) > 5
    assert all(f"model {NAME}@1: probability 0." in one for one in reasons)


@pytest.mark.slow
def test_the_command_says_so_too(played: Paper, model_market: ModelMarket) -> None:
    ended = played.tradingd("model", "parity", "--json", *model_market.of_parity(played))
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert answer["holds"]
    (one,) = answer["parity"]["models"]
    assert (one["model"], one["role"]) == (f"{NAME}@1", "champion")
    assert one["compared"]["rows"] > 300


@pytest.mark.slow
def test_the_command_finds_bars_that_are_others_now(
    played: Paper, model_market: ModelMarket, tmp_path: Path
) -> None:
    other = model_market.with_other_bars(tmp_path, "IBM")
    words = (*model_market.of_parity(played), f"store.root={other}")
    ended = played.tradingd("model", "parity", "--json", *words)
    assert ended.returncode == 26, ended.stderr
    (one,) = json.loads(ended.stdout)["parity"]["models"]
    assert one["compared"]["repeats_differ"] == 0
    assert any(each["outside"] for each in one["compared"]["features"])


@pytest.mark.slow
def test_a_session_that_was_killed_sees_the_same_after_its_warm_up(
    paper: Make, model_market: ModelMarket
) -> None:
    paced = ("feed.speed=1000000", "feed.longest_wait=0.05")
    daemon = paper(*model_market.of_daemon(), *SPLITS, *ASKING)
    daemon.start(*paced).ready()
    eventually(lambda: daemon.mark("feed_position") > "1095", "September 2004 has come")
    daemon.kill()
    reached = int(daemon.mark("feed_position"))
    daemon.start()
    assert daemon.wait() == 0, daemon.errors()
    after = model_market.shown(daemon, after=reached)
    assert after.compared.rows > 100
    assert after.first - reached < 5 * 86_400 * 10**9
    assert [one.name for one in after.compared.features if one.outside] == []
    assert (after.compared.repeats_differ, after.compared.unexplained) == (0, 0)


@pytest.mark.slow
def test_a_model_that_the_alias_moves_to_answers_from_the_next_bars_on(
    paper: Make, home: Path, model_market: ModelMarket
) -> None:
    training = {**model_market.facts()["training"], "symbols": 500}
    registry = model_market.damaged(home, training=training)
    paced = ("feed.speed=1000000", "feed.longest_wait=0.5")
    daemon = paper(*model_market.of_daemon(registry), *SPLITS, *paced, *ASKING).start()
    daemon.ready()
    assert daemon.check("model").value == f"{NAME}@1"
    process = daemon.process
    model_market.point(2, registry)
    eventually(lambda: daemon.check("model").value == f"{NAME}@2", "the other is served", 60)
    served = int(daemon.mark("feed_position"))
    week = 7 * 86_400 * 10**9
    eventually(lambda: int(daemon.mark("feed_position")) > served + week, "a week goes by", 60)
    assert daemon.process is process
    assert daemon.stop() == 0
    first, second = (model_market.shown(daemon, model=f"{NAME}@{one}") for one in (1, 2))
    assert first.last < second.first, "one moment never has two"
    for one in (first, second):
        assert one.compared.rows
        assert (one.compared.outside, one.compared.repeats_differ) == (0, 0)
        assert one.compared.unexplained == 0
    log = daemon.errors()
    assert f"{NAME}@2 is served from the next bars on" in log
    assert f"{NAME}@1 learned among 500 symbols and is asked among 4" in log, "one lists later"
