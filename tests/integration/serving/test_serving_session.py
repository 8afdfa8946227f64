"""A session's model: whom the registry names, exchanged, recorded beside its challenger, shown."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.serving.serving_kit import (
    SYMBOLS,
    batches,
    drift,
    feature_set,
    write,
)
from tradingd.app.trading.model_view import model_view, model_words
from tradingd.app.trading.serving import SessionModel
from tradingd.config.load import load
from tradingd.config.model import RegisteredModel
from tradingd.control.answers import ModelView
from tradingd.domain.alerts import Alert
from tradingd.features.live import LiveFeatures
from tradingd.registry.published import folder_of, write_aliases
from tradingd.serving.prediction_log import read_log
from tradingd.telemetry.metrics import Metrics


class Desk:
    """A registry, and a session's model that looks at it."""

    def __init__(self, tmp_path: Path, *settings: str) -> None:
        self.root = tmp_path / "registry"
        self.state = tmp_path / "state"
        self.now = batches()[0].ts
        self.alerts: list[Alert] = []
        config = load(
            ["mode=paper", "feed=synthetic", "model=registry", "model.name=small",
             f"registry.root={self.root}", *settings]
        ).config  # fmt: skip
        assert isinstance(config.model, RegisteredModel)
        self.model = SessionModel(
            config,
            config.model,
            feature_set(),
            LiveFeatures(feature_set(), SYMBOLS),
            folder=self.state,
            now=lambda: self.now,
            wall=lambda: self.now + 5 * 10**9,
            emit=self.alerts.append,
        )

    def publish(self, version: int, **changes: Any) -> None:
        folder = folder_of(self.root, "small", version)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, version=str(version), **changes)

    def point(self, **aliases: int) -> None:
        write_aliases(self.root, "small", aliases)

    def look(self) -> None:
        asyncio.run(self.model.look())

    def close(self) -> None:
        assert asyncio.run(self.model.close()) == ""

    def show(self, first: int, last: int) -> None:
        """Show bars, and ask about every symbol at each moment."""
        for batch in batches()[first:last]:
            self.now = batch.ts
            self.model.advisor.observe(batch)
            for symbol in SYMBOLS:
                self.model.advisor.advice(symbol, batch.ts)

    def view(self) -> ModelView:
        return model_view(self.model, instance="paper", mode="paper", synthetic=True)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    one = Desk(tmp_path)
    one.publish(1, drift=msgspec.to_builtins(drift()))
    one.publish(2, calibration={"kind": "platt", "slope": 1.0, "intercept": 0.0})
    one.point(production=1, challenger=2)
    return one


def test_both_models_are_recorded_from_the_first_bar_after_the_warm_up(desk: Desk) -> None:
    desk.look()
    desk.show(0, 20)
    desk.model.begin()
    desk.show(20, 30)
    desk.close()
    table = read_log(desk.model.folder)
    assert table is not None
    assert table.num_rows == 2 * 10 * len(SYMBOLS)
    rows = {(one["model"], one["ts_event"], one["symbol"]): one for one in table.to_pylist()}
    ours = [one for one in rows.values() if one["role"] == "champion"]
    assert {one["model"] for one in ours} == {"small@1"}
    for one in ours:
        other = rows["small@2", one["ts_event"], one["symbol"]]
        # The same trees, another calibration.
        assert other["score"] == one["score"]
        assert other["probability"] != one["probability"]
        assert [other[f"x_{name}"] for name in feature_set().names] == [
            one[f"x_{name}"] for name in feature_set().names
        ]
    first = min(one["ts_event"] for one in ours)
    assert first.value == batches()[20].ts


def test_a_moved_alias_is_served_from_the_next_bars_on_and_told(desk: Desk) -> None:
    desk.look()
    desk.show(0, 20)
    assert desk.model.models == {"champion": "small@1", "challenger": "small@2"}
    desk.point(production=2)
    desk.look()
    assert desk.model.models == {"champion": "small@2", "challenger": "none"}
    assert desk.model.advisor.advice("AAA", desk.now).model == "small@1"
    assert desk.model.since == desk.now
    desk.show(20, 21)
    assert desk.model.advisor.advice("AAA", desk.now).model == "small@2"


def test_an_alias_that_comes_back_is_served_again(desk: Desk) -> None:
    desk.look()
    desk.point()
    desk.look()
    assert "no model small@production" in desk.model.state[1]
    assert len(desk.alerts) == 1
    desk.point(production=1)
    desk.look()
    assert desk.model.models["champion"] == "small@1"


def test_a_model_of_another_benchmark_is_not_exchanged_for_and_the_one_before_goes_on(
    desk: Desk,
) -> None:
    desk.look()
    desk.show(0, 20)
    desk.publish(3, features_hash="0" * 64)
    desk.point(production=3)
    desk.look()
    desk.look()
    desk.show(20, 21)
    assert desk.model.models["champion"] == "small@1"
    assert desk.model.advisor.advice("AAA", desk.now).abstention is None
    assert desk.model.state == ("small@1", "")
    (alert,) = desk.alerts
    assert "small@3" in alert.title
    assert "small@1 goes on" in alert.title
    for part in (
        "at: ",
        "expected: ",
        "benchmark none",
        "found: 000000",
        "next: start the session",
    ):
        assert part in alert.body, part
    assert "not exchanged: small@3" in model_words(desk.model)
    desk.point(production=2)
    desk.look()
    assert desk.model.models["champion"] == "small@2"
    assert model_words(desk.model) == "small@2"


def test_a_model_that_is_damaged_is_withdrawn_also_where_another_served_before(desk: Desk) -> None:
    desk.look()
    desk.publish(3, status="retired")
    desk.point(production=3)
    desk.look()
    assert desk.model.models["champion"] == "none"


def test_a_challenger_that_is_the_champion_does_not_predict_twice(desk: Desk) -> None:
    desk.point(production=1, challenger=1)
    desk.look()
    assert desk.model.models == {"champion": "small@1", "challenger": "none"}
    assert desk.view().challenger_why == "small@1 is the champion"


def test_a_challenger_of_other_features_is_left_out_and_the_champion_serves(desk: Desk) -> None:
    desk.publish(3, features_hash="0" * 64)
    desk.point(production=1, challenger=3)
    desk.look()
    assert desk.model.models == {"champion": "small@1", "challenger": "none"}
    assert "features" in desk.view().challenger_why
    assert desk.alerts == []
    desk.point(production=1, challenger=2)
    desk.look()
    assert desk.model.models["challenger"] == "small@2"
    assert desk.view().challenger_why == ""


def test_without_records_there_is_no_challenger(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "model.record_days=0")
    desk.publish(1)
    desk.point(production=1, challenger=1)
    desk.look()
    desk.model.begin()
    desk.show(0, 20)
    desk.close()
    assert not desk.model.folder.exists()
    assert desk.view().records == ""


def test_what_is_shown_names_expiry_drift_answers_and_records(desk: Desk) -> None:
    desk.look()
    began = desk.now
    desk.model.begin()
    desk.show(0, 60)
    desk.close()
    view = desk.view()
    assert (view.configured, view.model, view.challenger) == (
        "small@production", "small@1", "small@2",
    )  # fmt: skip
    assert view.since == began
    assert view.expires == int(dt.datetime(2030, 1, 2, tzinfo=dt.UTC).timestamp()) * 10**9
    assert view.drift is not None
    assert {one.feature for one in view.worst} == set(feature_set().names)
    assert view.drift_sessions == view.drift_needs == 21
    assert view.answers["warming_up"] == feature_set().memory * len(SYMBOLS)
    assert view.recorded == view.answers["opinion"] + view.challenger_predictions
    assert view.challenger_predictions >= view.answers["opinion"] > 0
    assert view.latency_p99_us is not None


def test_one_that_abstains_says_so_in_status(desk: Desk) -> None:
    desk.look()
    assert (model_words(desk.model), desk.model.line) == ("small@1", "model small@1")
    desk.now = int(dt.datetime(2031, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**9
    assert model_words(desk.model) == "small@1 abstains: expired 2030-01-02 00:00 UTC"
    assert desk.model.line == "model small@1 abstains"


def test_a_session_without_a_model_says_that() -> None:
    view = model_view(None, instance="paper", mode="paper", synthetic=False)
    assert (view.configured, view.why) == ("none", "no model is configured")


def value(metrics: Metrics, series: str) -> float:
    found = [line for line in metrics.text().splitlines() if line.startswith(series + " ")]
    assert found, series
    return float(found[0].rpartition(" ")[2])


def test_answers_are_counted_in_the_metrics(desk: Desk, tmp_path: Path) -> None:
    metrics = Metrics(version="1", mode="paper", folder=tmp_path)
    desk.look()
    desk.model.count_in(metrics)
    desk.model.begin()
    desk.show(0, 60)
    desk.close()
    desk.model.measure(metrics)
    opinions = desk.view().answers["opinion"]
    assert value(metrics, 'tradingd_predictions_total{role="champion"}') == opinions
    assert value(metrics, 'tradingd_predictions_total{role="challenger"}') >= opinions
    assert value(metrics, 'tradingd_prediction_seconds_count{role="champion"}') == opinions
    assert value(metrics, 'tradingd_abstentions_total{reason="warming_up"}') == 30
    assert value(metrics, 'tradingd_model_info{model="small@1",role="champion"}') == 1
    assert value(metrics, "tradingd_predictions_recorded_total") == desk.model.shadow.written
    expiry = value(metrics, 'tradingd_model_expires_timestamp_seconds{role="champion"}')
    assert expiry == dt.datetime(2030, 1, 2, tzinfo=dt.UTC).timestamp() + 5
    assert value(metrics, "tradingd_model_drift_index") == pytest.approx(desk.view().drift)
    desk.point(production=2)
    desk.look()
    desk.model.measure(metrics)
    assert 'model="small@1"' not in metrics.text()
