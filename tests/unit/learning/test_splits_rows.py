import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.config.training import ForwardReturn, MetaLabel
from tradingd.learning.assemble import assemble
from tradingd.learning.dataset import Dataset
from tradingd.learning.labels import label
from tradingd.learning.weights import uniqueness


def rows(symbol, ts, end):
    nothing = np.zeros(len(ts))
    return Dataset(
        names=("x",),
        universe=("A", "B", "C"),
        symbol=np.asarray(symbol),
        ts=np.asarray(ts),
        end=np.asarray(end),
        session=np.asarray(ts),
        x=nothing.reshape(-1, 1),
        y=nothing,
        gain=nothing,
        weight=np.ones(len(ts)),
    )


def slowly(dataset):
    """Average uniqueness as the book tells it: moment by moment, label by label."""
    moments = sorted({*dataset.ts.tolist(), *dataset.end.tolist()})
    labels = list(
        zip(dataset.symbol.tolist(), dataset.ts.tolist(), dataset.end.tolist(), strict=True)
    )
    found = []
    for symbol, start, end in labels:
        shares = [
            1 / sum(other == symbol and a < moment <= b for other, a, b in labels)
            for moment in moments
            if start < moment <= end
        ]
        found.append(sum(shares) / len(shares) if shares else 1.0)
    return np.array(found) / np.mean(found)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 12)),
        min_size=1,
        max_size=40,
    )
)
def test_uniqueness_is_that_found_moment_by_moment(labels):
    symbol, ts, length = (np.array(column) for column in zip(*labels, strict=True))
    dataset = rows(symbol, ts, ts + length)
    np.testing.assert_allclose(uniqueness(dataset), slowly(dataset), rtol=1e-10)


def test_weights_have_mean_one_and_labels_that_stand_alone_weigh_most():
    dataset = rows([0, 0, 0, 0], [0, 1, 2, 50], [5, 6, 7, 55])
    weights = uniqueness(dataset)
    assert weights.mean() == pytest.approx(1.0)
    assert weights.argmax() == 3
    assert weights[1] < weights[0]


def test_labels_of_other_symbols_do_not_share_a_label():
    np.testing.assert_array_equal(uniqueness(rows([0, 1, 2], [0, 0, 0], [5, 5, 5])), [1, 1, 1])


def test_no_rows_have_no_weights():
    assert len(uniqueness(rows([], [], []))) == 0


BARS = 12


def pieces(**changes):
    """Two symbols, twelve daily bars each, three features."""
    random = np.random.default_rng(1)
    ts = np.tile(np.arange(1, BARS + 1), 2) * 100
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.02, (2, BARS)), axis=1))
    parts = {
        "names": ("a", "b", "c"),
        "universe": ("AAA", "BBB"),
        "symbol": np.repeat([0, 1], BARS),
        "ts": ts,
        "session": ts // 100 + 7,
        "x": random.normal(size=(2 * BARS, 3)),
        "labels": {
            name: label(
                ForwardReturn(bars=2), "regression", ts=ts[:BARS], close=prices, high=prices,
                low=prices,
            )
            for name, prices in zip(("AAA", "BBB"), close, strict=True)
        },
    }  # fmt: skip
    return parts | changes


def test_rows_are_sorted_by_time_then_symbol_and_keep_their_own_features_and_labels():
    parts = pieces()
    shuffled = np.random.default_rng(2).permutation(2 * BARS)
    mixed = {key: parts[key][shuffled] for key in ("symbol", "ts", "session", "x")}
    found = assemble(**(parts | mixed)).dataset
    assert np.lexsort((found.symbol, found.ts)).tolist() == list(range(len(found)))
    for row in range(len(found)):
        symbol, ts = int(found.symbol[row]), int(found.ts[row])
        place = symbol * BARS + ts // 100 - 1
        np.testing.assert_array_equal(found.x[row], parts["x"][place])
        answers = parts["labels"][found.universe[symbol]]
        assert found.y[row] == answers.y[ts // 100 - 1]
        assert found.end[row] == ts + 200


def test_sessions_are_numbered_from_zero_without_gaps():
    parts = pieces()
    parts["session"] = parts["session"] * 3
    found = assemble(**parts).dataset
    assert np.unique(found.session).tolist() == list(range(BARS - 2))


def test_every_bar_that_became_no_row_is_counted_once_by_its_reason():
    parts = pieces(warmup=2)
    parts["session"][5] = -1
    member = np.ones(2 * BARS, dtype=bool)
    member[[0, 6, 7]] = False
    parts["x"][BARS + 4] = np.nan
    parts["x"][BARS + 5, 0] = np.nan
    found = assemble(**parts, member=member)
    assert found.dropped == {
        "outside_sessions": 1,
        "warming_up": 4,
        "not_a_member": 2,
        "no_label": 4,
        "no_features": 1,
    }
    assert len(found.dataset) + sum(found.dropped.values()) == 2 * BARS


def test_membership_follows_its_row_whatever_the_order_of_the_rows():
    parts = pieces()
    member = parts["symbol"] == 1
    shuffled = np.random.default_rng(3).permutation(2 * BARS)
    mixed = {key: parts[key][shuffled] for key in ("symbol", "ts", "session", "x")}
    found = assemble(**(parts | mixed), member=member[shuffled])
    assert set(found.dataset.symbol.tolist()) == {1}
    assert found.dropped == {"not_a_member": BARS, "no_label": 2}


def test_a_symbol_without_labels_has_no_rows():
    parts = pieces()
    del parts["labels"]["BBB"]
    found = assemble(**parts)
    assert set(found.dataset.symbol.tolist()) == {0}
    assert found.dropped["no_label"] == 2 + BARS


def test_only_signals_of_a_rule_become_rows():
    ts = np.arange(1, 61) * 100
    close = 50 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, 60)))
    sides = np.zeros(60, dtype=np.int64)
    sides[[20, 25, 41]] = [1, -1, 1]
    answers = label(
        MetaLabel(bars=3, window=5), "classification", ts=ts, close=close, high=close, low=close,
        sides=sides,
    )  # fmt: skip
    found = assemble(
        names=("a",), universe=("AAA",), symbol=np.zeros(60, dtype=np.int64), ts=ts,
        session=ts // 100, x=np.ones((60, 1)), labels={"AAA": answers},
    )  # fmt: skip
    assert (found.dataset.ts // 100 - 1).tolist() == [20, 25, 41]
    assert found.dropped == {"no_label": 57}


def test_nothing_at_all_gives_an_empty_data_set():
    found = assemble(
        names=("a",), universe=(), symbol=np.zeros(0, dtype=np.int64),
        ts=np.zeros(0, dtype=np.int64), session=np.zeros(0, dtype=np.int64),
        x=np.zeros((0, 1)), labels={},
    )  # fmt: skip
    assert len(found.dataset) == 0
    assert found.dropped == {}
