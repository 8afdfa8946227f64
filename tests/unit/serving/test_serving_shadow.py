"""What was predicted is on disk a day at a time, and nothing of it waits for the disk."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tradingd.domain.advice import Abstention, Advice
from tradingd.kits.failure import Failure
from tradingd.serving.bundle import Bundle, Opinion
from tradingd.serving.prediction_log import Predicted, PredictionLog, read_log
from tradingd.serving.shadow import Shadow

NAMES = ("fast", "slow")
DAY = 86_400_000_000_000
FIRST = 19_900 * DAY
"""2024-06-26"""


def predicted(ts: int, symbol: str = "AAA", model: str = "m@1", score: float = 0.5) -> Predicted:
    return Predicted(
        ts=ts, symbol=symbol, model=model, role="champion", score=score, probability=None,
        low=None, high=0.1, took_ns=20_000, row=np.array([score, np.nan]),
    )  # fmt: skip


def records(folder: Path, keep: int = 10) -> PredictionLog:
    return PredictionLog(folder, NAMES, "f" * 64, keep_days=keep)


def advice(ts: int, score: float | None = 0.5, **more: Any) -> Advice:
    return Advice(symbol="AAA", ts=ts, model="m@1", score=score, **more)


def test_a_prediction_is_read_as_it_was_made(tmp_path: Path) -> None:
    one = records(tmp_path)
    one.append(predicted(FIRST + 5, score=0.1 + 0.2))
    assert one.end() == 1
    table = read_log(tmp_path)
    assert table is not None
    row = table.to_pylist()[0]
    assert table["ts_event"].cast("int64").to_pylist() == [FIRST + 5]
    assert (row["symbol"], row["model"], row["role"]) == ("AAA", "m@1", "champion")
    assert (row["score"], row["x_fast"], row["high"]) == (0.1 + 0.2, 0.1 + 0.2, 0.1)
    assert np.isnan(row["x_slow"])
    assert row["probability"] is None


def test_a_day_that_is_over_is_one_file(tmp_path: Path) -> None:
    one = records(tmp_path)
    for ts in (1, 2):
        one.append(predicted(FIRST + ts))
        one.flush()
    assert [path.name for path in tmp_path.glob("*")] == ["2024-06-26"]
    one.append(predicted(FIRST + DAY))
    one.flush()
    assert sorted(path.name for path in tmp_path.glob("*")) == ["2024-06-26.parquet", "2024-06-27"]
    one.end()
    table = read_log(tmp_path)
    assert table is not None
    assert table.num_rows == 3


def test_what_a_sudden_death_left_is_read_and_merged_by_the_next(tmp_path: Path) -> None:
    dead = records(tmp_path)
    dead.append(predicted(FIRST + 1))
    dead.flush()
    assert read_log(tmp_path) is not None
    (tmp_path / "2024-06-26" / "000002.parquet.part").write_bytes(b"half")
    later = records(tmp_path)
    later.begin()
    later.append(predicted(FIRST + 2))
    later.end()
    table = read_log(tmp_path)
    assert table is not None
    assert table.num_rows == 2
    assert [path.name for path in tmp_path.glob("*")] == ["2024-06-26.parquet"]


def test_a_moment_predicted_again_after_a_restart_counts_once(tmp_path: Path) -> None:
    for score in (0.1, 0.2):
        again = records(tmp_path)
        again.append(predicted(FIRST + 1, score=score))
        again.append(predicted(FIRST + 1, symbol="BBB"))
        again.append(predicted(FIRST + 1, model="m@2"))
        again.end()
    table = read_log(tmp_path)
    assert table is not None
    assert table.num_rows == 3
    assert sorted(table["score"].to_pylist()) == [0.2, 0.5, 0.5]


def test_the_oldest_days_are_let_go(tmp_path: Path) -> None:
    one = records(tmp_path, keep=2)
    for day in range(4):
        one.append(predicted(FIRST + day * DAY))
    one.end()
    names = sorted(path.name for path in tmp_path.glob("*"))
    assert names == ["2024-06-28.parquet", "2024-06-29.parquet"]


def test_a_damaged_day_is_named(tmp_path: Path) -> None:
    (tmp_path / "2024-06-26.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(Failure, match="cannot be read") as caught:
        read_log(tmp_path)
    assert caught.value.where.endswith("2024-06-26.parquet")
    assert read_log(tmp_path / "nothing") is None


class Predictor:
    """Answers twice the first feature, or fails."""

    names = NAMES

    def __init__(self, fails: bool = False) -> None:
        self._fails = fails

    def one(self, row: np.ndarray) -> float:
        if self._fails:
            raise ZeroDivisionError("in the challenger")
        return float(2 * row[0])

    def many(self, x: np.ndarray) -> np.ndarray:
        return 2 * x[:, 0]


class Challenger(msgspec.Struct, frozen=True):
    """What the shadow asks of a bundle."""

    predictor: Predictor = Predictor()
    id: str = "m@2"
    about_signal: bool = False
    expires_ns: int = FIRST + DAY

    def opinion(self, score: float) -> Opinion:
        return Opinion(score, 0.75, None, None)


def challenger(**more: Any) -> Bundle:
    one: Any = Challenger(**more)
    return one


@pytest.fixture
def shadow(tmp_path: Path) -> Iterator[Shadow]:
    one = Shadow(records(tmp_path))
    one.start()
    yield one
    assert one.stop(10)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_the_challenger_predicts_the_rows_of_the_champion(tmp_path: Path, shadow: Shadow) -> None:
    counted: list[str] = []
    shadow._counted = lambda role, _: counted.append(role)
    shadow.challenge(challenger())
    row = np.array([0.3, 0.1])
    shadow.take(advice(FIRST + 1), row, 17)
    row[:] = 9.0
    shadow.take(advice(FIRST + DAY), row, 17)
    assert shadow.stop(10)
    table = read_log(tmp_path)
    assert table is not None
    rows = {(one["role"], one["x_fast"]): one for one in table.to_pylist()}
    assert set(rows) == {("champion", 0.3), ("challenger", 0.3), ("champion", 9.0)}
    assert rows["challenger", 0.3]["score"] == 0.6
    assert rows["challenger", 0.3]["probability"] == 0.75
    assert rows["champion", 0.3]["took_ns"] == 17
    assert (shadow.written, shadow.lost, shadow.challenged) == (3, 0, 1)
    assert counted == ["challenger"]


def test_where_the_champion_abstains_for_drift_the_challenger_may_still_speak(
    tmp_path: Path, shadow: Shadow
) -> None:
    shadow.challenge(challenger())
    row = np.zeros(2)
    shadow.take(advice(FIRST + 1, None, abstention=Abstention.DRIFTED), row, 1)
    shadow.take(advice(FIRST + 2, None, abstention=Abstention.MISSING_FEATURES), row, 1)
    shadow.take(advice(FIRST + 3, None, abstention=Abstention.EXPIRED), None, 1)
    assert shadow.stop(10)
    table = read_log(tmp_path)
    assert table is not None
    assert table["role"].to_pylist() == ["challenger"]


def test_a_challenger_that_fails_is_let_go_and_the_record_goes_on(
    tmp_path: Path, shadow: Shadow
) -> None:
    shadow.challenge(challenger(predictor=Predictor(fails=True)))
    for ts in (1, 2):
        shadow.take(advice(FIRST + ts), np.zeros(2), 1)
    assert shadow.stop(10)
    assert shadow.challenger is None
    assert "ZeroDivisionError" in shadow.refused
    assert shadow.written == 2


def test_a_disk_that_refuses_costs_no_prediction_when_it_is_back(tmp_path: Path) -> None:
    blocked = tmp_path / "predictions"
    blocked.write_text("a file where the folder should be")
    one = Shadow(records(blocked), flush_seconds=0.0)
    one.start()
    one.take(advice(FIRST + 1), np.zeros(2), 1)
    until(lambda: bool(one.trouble))
    assert one.written == 0
    blocked.unlink()
    until(lambda: one.written == 1)
    assert one.trouble == ""
    assert one.lost == 0
    assert one.stop(10)


def test_memory_is_bounded_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "predictions"
    blocked.write_text("a file where the folder should be")
    one = Shadow(records(blocked), most=5)
    one.start()
    for ts in range(50):
        one.take(advice(FIRST + ts), np.zeros(2), 1)
    assert one.stop(10)
    assert one.lost == 45
    assert one._records.buffered == 5


def test_before_it_begins_nothing_is_recorded(tmp_path: Path) -> None:
    one = Shadow(records(tmp_path))
    one.take(advice(FIRST + 1), np.zeros(2), 1)
    one.start()
    assert one.stop(10)
    assert read_log(tmp_path) is None
