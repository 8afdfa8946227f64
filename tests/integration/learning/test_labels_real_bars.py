"""Labels, splits, weights and the search for leaks on real bars, most of them daily."""

import datetime as dt
import math
import zipfile
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from tradingd.config.load import load
from tradingd.config.training import (
    ForwardReturn,
    LabelConfig,
    LightGbm,
    TripleBarrier,
    VolatilityScaled,
    WalkForward,
)
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.frame import FeatureFrame
from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.learning.assemble import assemble
from tradingd.learning.dataset import Dataset, Fold
from tradingd.learning.labels import label
from tradingd.learning.leak import examine, prove
from tradingd.learning.learners import make_estimator
from tradingd.learning.scores import skill
from tradingd.learning.splits import combinatorial, purged_k_fold, walk_forward
from tradingd.learning.weights import uniqueness
from tradingd.session.calendar import NEW_YORK, SessionCalendar

pytestmark = pytest.mark.real_data

CALENDAR = SessionCalendar()
LABELS = [ForwardReturn(bars=5), VolatilityScaled(bars=10), TripleBarrier(bars=10)]
IDS = ["forward return", "volatility scaled", "triple barrier"]


@pytest.fixture(scope="module")
def bars(request: pytest.FixtureRequest) -> list[Series]:
    """Every twelfth symbol; days with missing or impossible prices are left out, as in a store."""
    path = request.getfixturevalue("real_data") / "sp500" / "sp500_daily_2013_2016.parquet"
    table = pq.read_table(path).sort_by([("name", "ascending"), ("date", "ascending")])
    names = np.array(table["name"].to_pylist())
    closes = {session.day: session.close_ns for session in CALENDAR.sessions}
    ts = np.array([closes.get(day.date(), 0) for day in table["date"].to_pylist()])
    columns = {
        name: table[name].to_numpy().astype(float)
        for name in ("open", "high", "low", "close", "volume")
    }
    top, bottom = columns["high"], columns["low"]
    good = (ts > 0) & np.isfinite(list(columns.values())).all(axis=0)
    for name in ("open", "close"):
        good &= (columns[name] <= top) & (columns[name] >= bottom)
    found = []
    for symbol in np.unique(names)[::12].tolist():
        rows = np.flatnonzero(good & (names == symbol))
        where = place(ts[rows], CALENDAR)
        found.append(
            Series(
                symbol=symbol, ts=ts[rows], session=where.session, minute=where.minute,
                to_close=where.to_close, **{name: one[rows] for name, one in columns.items()},
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def frame(bars: list[Series]) -> FeatureFrame:
    """All features that conf/features/daily.yaml declares."""
    declared = load(["features=daily"]).config.features
    return compute(compile_features(declared, calendar=CALENDAR), bars)


def learned_from(frame: FeatureFrame, bars: list[Series], config: LabelConfig) -> Dataset:
    return assemble(
        names=frame.names, universe=frame.symbols, symbol=frame.symbol, ts=frame.ts,
        session=frame.session, x=frame.x, warmup=100,
        labels={
            one.symbol: label(
                config, "classification", ts=one.ts, close=one.close, high=one.high, low=one.low
            )
            for one in bars
        },
    ).dataset  # fmt: skip


@pytest.fixture(scope="module", params=LABELS, ids=IDS)
def rows(request: pytest.FixtureRequest, frame: FeatureFrame, bars: list[Series]) -> Dataset:
    return learned_from(frame, bars, request.param)


@pytest.fixture(scope="module")
def weekly(frame: FeatureFrame, bars: list[Series]) -> Dataset:
    return learned_from(frame, bars, ForwardReturn(bars=5))


def test_barrier_labels_of_real_bars_equal_those_found_bar_by_bar(bars: list[Series]) -> None:
    config = TripleBarrier(bars=10)
    sides = {0.0: 0, 1.0: 0}
    for one in bars[::10]:
        found = label(
            config, "classification", ts=one.ts, close=one.close, high=one.high, low=one.low
        )
        logs = np.log(one.close)
        for bar in range(config.window, len(one) - config.bars):
            width = np.std(np.diff(logs[bar - config.window : bar + 1]), ddof=1)
            width *= math.sqrt(config.bars)
            y, last = float(logs[bar + 10] > logs[bar]), bar + 10
            for ahead in range(bar + 1, bar + 11):
                low = math.log(one.low[ahead]) <= logs[bar] - width
                if low or math.log(one.high[ahead]) >= logs[bar] + width:
                    y, last = float(not low), ahead
                    break
            assert (found.y[bar], found.end[bar]) == (y, one.ts[last]), (one.symbol, bar)
            sides[y] += 1
        assert not found.valid[: config.window].any()
        assert not found.valid[-config.bars :].any()
    assert min(sides.values()) > 1_000


def assert_apart(dataset: Dataset, some: np.ndarray, others: np.ndarray) -> None:
    """No (ts, end] of the one overlaps any of the other: 400 drawn rows against all."""
    drawn = np.random.default_rng(1).choice(some, min(400, len(some)), replace=False)
    start = np.maximum(dataset.ts[drawn][:, None], dataset.ts[others])
    stop = np.minimum(dataset.end[drawn][:, None], dataset.end[others])
    assert not (start < stop).any()


def test_no_label_of_a_training_row_touches_a_label_that_is_tested(rows: Dataset) -> None:
    steps = walk_forward(rows, WalkForward())
    assert len(steps) > 10
    for step in steps:
        assert_apart(rows, step.train, np.concatenate((step.validation, step.test)))
        assert_apart(rows, step.validation, step.test)
    folds = [*purged_k_fold(rows, 4, 1.0), *combinatorial(rows, 6, 2, 1.0)]
    for fold in folds:
        assert_apart(rows, fold.train, fold.test)


def test_purging_costs_no_more_than_the_labels_are_long(weekly: Dataset) -> None:
    def sessions(fold: Fold) -> int:
        return len(np.unique(weekly.session[fold.train]))

    for step in walk_forward(weekly, WalkForward()):
        assert sessions(step) in (248, 249)
    outside = len(np.unique(weekly.session))
    for fold in purged_k_fold(weekly, 4, 0.0):
        tested = len(np.unique(weekly.session[fold.test]))
        assert outside - tested - sessions(fold) <= 2 * 5


def test_every_test_session_is_predicted_once(weekly: Dataset) -> None:
    steps = walk_forward(weekly, WalkForward())
    for one, other in pairwise(steps):
        assert weekly.session[other.test].min() == weekly.session[one.test].max() + 1


def test_labels_of_a_week_weigh_a_fifth_each_but_at_their_borders(
    rows: Dataset, weekly: Dataset
) -> None:
    weights = uniqueness(weekly)
    assert weights.mean() == pytest.approx(1.0)
    inner = (weekly.session > 10) & (weekly.session < weekly.session.max() - 10)
    assert np.median(weights[inner]) == pytest.approx(weights[inner].min(), rel=0.02)
    assert weights[weekly.session == 0].mean() > 1.5
    assert (uniqueness(rows) > 0).all()


def test_no_declared_feature_of_real_bars_is_taken_for_a_leak(rows: Dataset) -> None:
    assert len(rows.names) >= 40
    found = examine(rows, 1)
    assert found.leaks == ()
    assert found.noticed, found.canary


def peeking(dataset: Dataset, frame: FeatureFrame) -> dict[str, np.ndarray]:
    """Declared features as they would be if each were computed one bar too late."""
    moved = {}
    later = np.full(frame.x.shape, np.nan)
    for number in range(len(frame.symbols)):
        mine = np.flatnonzero(frame.symbol == number)
        later[mine[:-1]] = frame.x[mine[1:]]
    keys = frame.ts * len(frame.symbols) + frame.symbol
    where = np.searchsorted(keys, dataset.ts * len(frame.symbols) + dataset.symbol)
    for name in ("return_1", "return_5", "sma_ratio_20", "rsi_14"):
        if name in frame.names:
            moved[f"late_{name}"] = later[where, frame.names.index(name)]
    return moved


def test_real_features_computed_one_bar_too_late_are_named(
    rows: Dataset, frame: FeatureFrame
) -> None:
    late = peeking(rows, frame)
    assert len(late) >= 3
    names = (*rows.names, *late)
    x = np.column_stack((rows.x, *late.values()))
    found = examine(msgspec.structs.replace(rows, names=names, x=x), 1)
    assert {leak.feature for leak in found.leaks} == set(late)


def test_the_evaluation_of_models_notices_the_canary(weekly: Dataset) -> None:
    learner = make_estimator(LightGbm(trees=40), "classification")

    def evaluate(dataset: Dataset) -> float:
        step = walk_forward(dataset, WalkForward())[-1]
        fitted = learner.fit(dataset.take(step.train), dataset.take(step.validation), 1)
        tested = dataset.take(step.test)
        return skill("classification", tested, fitted.predict(tested.x)) or 0.0

    found = prove(weekly, evaluate, 1)
    assert found.noticed, found.words
    assert found.with_peek > 0.6
    assert abs(found.with_noise - 0.5) < 0.1


@pytest.fixture(scope="module")
def minutes(request: pytest.FixtureRequest) -> list[Series]:
    """Regular minutes of six days of 2013, with the quote at the end of each."""
    folder = request.getfixturevalue("real_data") / "lean" / "minute"
    return [lean_minutes(folder / symbol, symbol.upper()) for symbol in ("aig", "bac", "spy")]


def lean_rows(path: Path) -> dict[int, list[str]]:
    """Rows by the close of their minute, UTC ns."""
    day = dt.datetime.strptime(path.name[:8], "%Y%m%d").replace(tzinfo=NEW_YORK)
    start = int(day.timestamp()) * 1_000_000_000 + 60_000_000_000
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = (line.split(",") for line in text.split())
    return {start + int(row[0]) * 1_000_000: row[1:] for row in rows}


def lean_minutes(folder: Path, symbol: str) -> Series:
    trades: dict[int, list[str]] = {}
    quotes: dict[int, list[str]] = {}
    for path in sorted(folder.glob("*_trade.zip")):
        trades |= lean_rows(path)
        quotes |= lean_rows(path.with_name(path.name.replace("trade", "quote")))
    ts = np.array([one for one in trades if all(quotes.get(one, [""]))])
    where = place(ts, CALENDAR)
    ts = ts[where.session >= 0]
    table = np.array([[float(value) for value in trades[one][:5]] for one in ts.tolist()])
    quoted = np.array(
        [[float(quotes[one][column]) for column in (3, 8, 4, 9)] for one in ts.tolist()]
    )
    where = place(ts, CALENDAR)
    names = ("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size")
    columns = np.hstack((table, quoted)).T.copy()
    return Series(
        symbol=symbol, ts=ts, session=where.session, minute=where.minute, to_close=where.to_close,
        **dict(zip(names, columns, strict=True)),
    )  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [ForwardReturn(bars=1), TripleBarrier(bars=30, window=60)],
    ids=["minute", "half hour"],
)
def test_no_declared_feature_of_real_minutes_is_taken_for_a_leak_nor_what_quotes_know(
    minutes: list[Series], config: LabelConfig
) -> None:
    """Of a share whose spread is a tick, quotes foretell the next minute's close with 0.3."""
    declared = load(["features=minute"]).config.features
    quoted = {
        "spread": {"kind": "spread_bps"},
        "imbalance": {"kind": "quote_imbalance"},
        "microprice": {"kind": "microprice_distance"},
    }
    wanted = msgspec.structs.replace(declared, declared=declared.declared | quoted)
    frame = compute(compile_features(wanted, calendar=CALENDAR), minutes)
    found = examine(learned_from(frame, minutes, config), 1)
    assert found.leaks == ()
    assert found.noticed, found.canary
