"""Predictions made before answer for exactly their row."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradingd.domain.advice import Abstention
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.table import (
    PredictionRows,
    PredictionTable,
    read_predictions,
    write_predictions,
)

HOUR = 3_600_000_000_000
START = 1_700_000_000_000_000_000


def rows(**changes: Any) -> PredictionRows:
    nan = np.nan
    columns = {
        "model": "swing@3",
        "symbols": ("BBB", "AAA", "CCC"),
        "symbol": np.array([0, 1, 0, 1]),
        "ts": START + HOUR * np.array([0, 0, 1, 2]),
        "score": np.array([0.1, 0.2, 0.3, nan]),
        "probability": np.array([0.4, 0.5, 0.6, nan]),
        "low": np.array([-1.0, -2.0, nan, nan]),
        "high": np.array([1.0, 2.0, nan, nan]),
    }
    return PredictionRows(**{**columns, **changes})


def test_a_row_answers_at_its_own_moment_only() -> None:
    table = PredictionTable(rows())
    found = table.advice("BBB", START + HOUR)
    assert (found.score, found.probability, found.low, found.model) == (0.3, 0.6, None, "swing@3")
    assert found.confidence(Side.SELL) == pytest.approx(0.4)
    for moment in (START - 1, START + 1, START + HOUR - 1, START + 2 * HOUR):
        assert table.advice("BBB", moment).abstention is Abstention.NO_ROW


def test_a_symbol_is_not_answered_with_the_row_of_another() -> None:
    table = PredictionTable(rows())
    assert table.advice("AAA", START + HOUR).abstention is Abstention.NO_ROW
    assert table.advice("CCC", START).abstention is Abstention.NO_ROW
    assert table.advice("NEW", START).abstention is Abstention.NO_ROW
    assert table.advice("AAA", START).score == 0.2


def test_a_row_without_a_score_is_an_abstention() -> None:
    found = PredictionTable(rows()).advice("AAA", START + 2 * HOUR)
    assert found.abstention is Abstention.MISSING_FEATURES
    assert found.confidence(Side.BUY) is None


@pytest.mark.parametrize("about_signal", [True, False])
def test_a_file_gives_back_what_was_written(tmp_path: Path, about_signal: bool) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, rows(about_signal=about_signal))
    table, plain = read_predictions(path), PredictionTable(rows(about_signal=about_signal))
    for symbol in ("AAA", "BBB", "CCC"):
        for hour in range(4):
            moment = START + hour * HOUR
            assert table.advice(symbol, moment) == plain.advice(symbol, moment)
    assert len(table) == 4
    assert table.span == (START, START + 2 * HOUR)


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_predictions(first, rows())
    turned = {
        name: getattr(rows(), name)[::-1]
        for name in ("symbol", "ts", "score", "probability", "low", "high")
    }
    write_predictions(second, rows(**turned))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_of_symbol_moment_and_score_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"symbol": ["A"], "ts_event": [START], "score": [2.0]}), path)
    found = read_predictions(path).advice("A", START)
    assert (found.score, found.probability, found.model) == (2.0, None, "mine.parquet")


def refusal(path: Path) -> Failure:
    with pytest.raises(Failure) as caught:
        read_predictions(path)
    return caught.value


def test_a_row_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Failure, match="twice") as caught:
        PredictionTable(rows(ts=np.full(4, START)))
    assert caught.value.code is ExitCode.INVALID_ROW


def test_a_probability_beyond_one_is_refused() -> None:
    with pytest.raises(Failure, match="probability"):
        PredictionTable(rows(probability=np.array([0.4, 1.5, 0.6, 0.1])))


def test_a_file_that_is_not_there_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    assert refusal(path).code is ExitCode.UNREADABLE_INPUT
    write_predictions(path, rows())
    path.write_bytes(path.read_bytes()[:200])
    assert refusal(path).code is ExitCode.DAMAGED_PARQUET


@pytest.mark.parametrize(
    "columns",
    [
        {"symbol": ["A"], "score": [1.0]},
        {"symbol": ["A"], "ts_event": ["soon"], "score": [1.0]},
        {"symbol": ["A"], "ts_event": [START], "score": ["high"]},
        {"symbol": [None], "ts_event": [START], "score": [1.0]},
    ],
)
def test_other_columns_are_refused(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table(columns), path)
    assert refusal(path).code is ExitCode.INVALID_ROW
