"""Champion and challenger are compared on what became of the rows that both predicted."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.acceptance.command import tradingd_in
from tests.integration.serving.serving_kit import DAYS, feature_set, write
from tradingd.app.model_compare import ComparisonReport, ScoreRow, compare_models
from tradingd.app.model_registry import configured
from tradingd.domain.market import Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.published import folder_of
from tradingd.serving.prediction_log import FOLDER, Predicted, PredictionLog
from tradingd.sources.columns import Bars, to_table

SYMBOLS = tuple("ABCDEFGH")
FIRST = 252
"""Day after those of the training: 2024-01-03."""


class Desk:
    """A store, a registry with two models, and what a session recorded of them."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path
        rng = np.random.default_rng(4)
        closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (len(DAYS), len(SYMBOLS))), axis=0))
        self.cents = np.round(closes * 100).astype(np.int64)
        ts = np.array([one.close_ns for one in DAYS], np.int64)
        store = Store(tmp_path / "store")
        with store.batch("test") as batch:
            for column, symbol in enumerate(SYMBOLS):
                close = self.cents[:, column] * 10**7
                batch.bars(
                    Resolution.DAY, symbol,
                    to_table(Bars(ts, close, close, close, close, np.full(len(ts), 10**5))),
                )  # fmt: skip
        self.publish(1)
        self.publish(2)
        self.rng = rng

    def publish(self, version: int, **changes: Any) -> None:
        folder = folder_of(self.home / "registry", "small", version)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, version=str(version), **changes)

    def record(self, *, knows: float, first: int = FIRST, last: int = len(DAYS)) -> None:
        """Record a champion that guesses and a challenger that knows so much of tomorrow."""
        log = PredictionLog(
            self.home / "state" / FOLDER, feature_set().names, feature_set().hash, keep_days=999
        )
        logs = np.log(self.cents)
        for day in range(first, last):
            for column, symbol in enumerate(SYMBOLS):
                ahead = logs[min(day + 1, len(DAYS) - 1), column] - logs[day, column]
                guess, noise = self.rng.normal(size=2)
                for role, model, score in (
                    ("champion", "small@1", guess),
                    ("challenger", "small@2", knows * 50 * ahead + noise),
                ):
                    log.append(
                        Predicted(
                            ts=DAYS[day].close_ns, symbol=symbol, model=model, role=role,
                            score=score, probability=float(1 / (1 + np.exp(-score))), low=None,
                            high=None, took_ns=20_000, row=np.zeros(len(feature_set().names)),
                        )
                    )  # fmt: skip
        log.end()

    def compare(self) -> ComparisonReport:
        overrides = [f"store.root={self.home}/store", f"registry.root={self.home}/registry"]
        return compare_models(configured(overrides, None), "small", "paper", self.home / "state")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def score(found: ComparisonReport, name: str) -> ScoreRow:
    return next(one for one in found.scores if one.score == name)


def test_a_challenger_that_knows_more_is_found_better_beyond_chance(desk: Desk) -> None:
    desk.record(knows=1.0)
    found = desk.compare()
    assert (found.champion, found.challenger) == ("small@1", "small@2")
    days = len(DAYS) - FIRST
    # Of the last day nobody knows tomorrow.
    assert (found.rows, found.sessions) == ((days - 1) * len(SYMBOLS), days - 1)
    assert found.left_out == {"no_outcome_yet": len(SYMBOLS)}
    for name in ("auc", "rank_ic", "log_loss", "brier"):
        assert score(found, name).better == "challenger", name
    auc = score(found, "auc")
    assert auc.difference.value == pytest.approx(auc.challenger.value - auc.champion.value)  # type: ignore[operator]
    assert found.verdict.startswith("the challenger is better")


def test_two_that_guess_are_not_told_apart(desk: Desk) -> None:
    desk.record(knows=0.0)
    found = desk.compare()
    assert all(one.better == "" for one in found.scores if one.score in {"auc", "rank_ic"})
    low, high = score(found, "auc").difference.low, score(found, "auc").difference.high
    assert low is not None
    assert high is not None
    assert low < 0 < high


def test_days_that_a_model_was_trained_on_are_left_out(desk: Desk) -> None:
    desk.record(knows=1.0, first=200)
    found = desk.compare()
    trained = sum(one.day.year == 2023 for one in DAYS[200:])
    assert found.left_out["days_of_training"] == trained * len(SYMBOLS)
    assert found.first.year == 2024


def test_a_challenger_of_another_label_is_judged_by_the_champions(desk: Desk) -> None:
    desk.publish(2, label={"kind": "forward_return", "resolution": "1d", "bars": 5})
    desk.record(knows=1.0)
    found = desk.compare()
    assert found.label == "forward_return over 1 bars of 1d"
    assert "another label" in found.notes[0]


def test_without_common_rows_it_says_what_there_is(desk: Desk) -> None:
    with pytest.raises(Failure, match="no predictions are recorded") as caught:
        desk.compare()
    assert caught.value.code is ExitCode.NO_DATA
    desk.record(knows=1.0, last=FIRST + 3)
    with pytest.raises(Failure, match="too few predictions have an outcome") as caught:
        desk.compare()
    assert "24 rows of 3 sessions" in caught.value.found


def test_the_command_prints_the_verdict_and_the_struct(desk: Desk) -> None:
    desk.record(knows=1.0)
    run = tradingd_in(desk.home)
    words = ("model", "compare", "small", f"store.root={desk.home}/store",
             f"registry.root={desk.home}/registry", "--state", f"{desk.home}/state")  # fmt: skip
    shown = run(*words)
    assert shown.returncode == 0, shown.stderr
    assert "the challenger is better: auc" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("SUMMARY champion=small@1 challenger=small@2")
    told = run(*words, "--json")
    assert msgspec.json.decode(told.stdout, type=ComparisonReport).sessions > 100
    missing = run(*words[:2], "other", *words[3:])
    assert missing.returncode == ExitCode.NO_DATA
    assert "no row was predicted by two models of other" in missing.stderr
