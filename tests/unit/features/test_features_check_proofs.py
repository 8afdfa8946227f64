"""`check` finds every way in which a feature can break its promises."""

import itertools

import msgspec
import numpy as np
import pytest

from tests.unit.features import feature_bars
from tradingd.config.features import FeaturesConfig
from tradingd.features.check import CheckReport, FeatureCheck, check
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.moments import Moments, Split, between, scaled
from tradingd.features.proofs import differing, memory_of, single
from tradingd.kits.failure import ExitCode, Failure

BROKEN = "tests.unit.features.broken_features"


def compiled(*, bars: str = "1d", **declared: str | dict) -> FeatureSet:
    config = FeaturesConfig(
        bars=bars,
        benchmark="SPY",
        declared={
            name: one if isinstance(one, dict) else {"kind": one} for name, one in declared.items()
        },
    )
    return compile_features(config, calendar=feature_bars.CALENDAR)


def checked(*classes: str) -> CheckReport:
    bars = feature_bars.market(feature_bars.daily_stamps(300), seed=4)
    kinds = {one.lower(): f"{BROKEN}:{one}" for one in classes}
    return check(compiled(**kinds), bars, cuts=6, clock=itertools.count().__next__)


def one(name: str) -> FeatureCheck:
    (found,) = checked(name).features
    return found


def test_nothing_is_found_where_nothing_is_wrong():
    report = checked("Right")
    assert report.problems == 0
    (right,) = report.features
    assert right.problems == ()
    assert (right.kind, right.memory, right.memory_proved) == (f"{BROKEN}:Right", 1, True)
    assert right.values.missing == 0.0
    assert report.symbols == ("AAA", "BBB", "CCC", "SPY")
    assert report.proofs == 4


@pytest.mark.parametrize(
    ("name", "proofs"),
    [
        ("Peeks", ["live", "truncation", "split", "memory"]),
        ("PeeksAtTheMean", ["live", "truncation", "split", "memory"]),
        ("SeesTheLastMoment", ["live", "truncation", "split", "memory"]),
        ("DiffersWithoutTrades", ["live", "split"]),
        ("InDollars", ["split"]),
        ("ForgetsSplits", ["split"]),
        ("LongMemory", ["memory"]),
        ("Raises", ["batch"]),
        ("RaisesLive", ["live", "split"]),
        ("Infinite", ["values"]),
    ],
)
def test_what_is_wrong_is_found_by_the_proof_that_is_about_it(name, proofs):
    found = [problem.proof for problem in one(name).problems]
    if name in ("Peeks", "PeeksAtTheMean", "SeesTheLastMoment"):
        # What peeks breaks other promises as well; which ones is not the point.
        assert "truncation" in found
        assert "live" in found
    else:
        assert found == proofs


def test_a_problem_says_where_it_is_first_and_what_was_there():
    (problem,) = one("LongMemory").problems
    assert problem.symbol in feature_bars.SYMBOLS
    assert problem.ts in feature_bars.daily_stamps(300)
    assert problem.rows >= 1
    assert problem.expected is not None
    assert problem.expected != problem.found
    assert "1 bars before it are not enough" in problem.why


def test_what_raises_is_told_and_spoils_no_other_feature():
    report = checked("Raises", "RaisesLive", "Right")
    raises, raises_live, right = report.features
    assert raises.problems[0].why == "raises ZeroDivisionError: no volume"
    assert "KeyError" in raises_live.problems[0].why
    assert right.problems == ()
    assert report.problems == 2


def test_a_report_is_json_even_where_values_are_not():
    told = msgspec.json.encode(checked("Peeks", "Infinite"))
    assert b"NaN" not in told
    assert msgspec.json.decode(told, type=CheckReport).problems == 2


def test_too_few_bars_are_refused():
    bars = feature_bars.market(feature_bars.daily_stamps(300), seed=4)
    few = between(bars, 0, int(bars[0].ts[1]))
    with pytest.raises(Failure) as refused:
        check(compiled(it="return"), few)
    assert refused.value.code is ExitCode.NO_DATA
    with pytest.raises(Failure):
        check(compiled(it="return"), [])


def test_a_memory_that_the_bars_cannot_prove_is_not_called_proved():
    bars = feature_bars.market(feature_bars.daily_stamps(60), seed=4)
    report = check(compiled(it={"kind": "return", "bars": 100}), bars, cuts=2)
    assert not report.features[0].memory_proved
    assert report.features[0].values.empty


def test_a_feature_is_taken_with_what_it_needs_and_nothing_else():
    found = compiled(
        z={"kind": "rank", "of": "m"},
        m={"kind": "market_mean", "of": "a"},
        a={"kind": "return", "bars": 7},
        other={"kind": "return", "bars": 90},
    )
    alone = single(found, "z")
    assert alone.names == ("a", "m", "z")
    assert [alone.names[index] for index in alone.order] == ["m", "z"]
    assert alone.memory == memory_of(found, "z") == 7
    assert single(found, "a").names == ("a",)


def test_values_differ_by_more_than_rounding_or_not_at_all():
    expected = np.array([1.0, 1.0, 0.0, np.nan, np.inf, np.nan, 1e9])
    found = np.array([1.0 + 5e-10, 1.0 + 5e-9, 1e-12, np.nan, np.inf, 0.0, 1e9 + 0.5])
    assert differing(expected, found).tolist() == [
        False, True, False, False, False, True, False,
    ]  # fmt: skip


def test_bars_reach_a_session_with_every_digit():
    bars = feature_bars.market(feature_bars.daily_stamps(200), seed=2)
    split = Moments(bars, {"AAA": Split(100, 3, 1), "BBB": Split(50, 1, 7)})
    for given, restated in zip(bars, split.series, strict=True):
        heard = [
            (bar.close, bar.volume)
            for _, moment in split.moments
            for bar in moment.bars
            if bar.symbol == given.symbol
        ]
        assert all(isinstance(number, int) for pair in heard for number in pair)
        row, more, before = {"AAA": (100, 3, 1), "BBB": (50, 1, 7)}.get(given.symbol, (0, 1, 1))
        factor = before / more
        closes = [price / 1e9 * (factor if at < row else 1) for at, (price, _) in enumerate(heard)]
        assert closes == restated.close.tolist()
        np.testing.assert_allclose(restated.close, given.close, rtol=1e-9)
        ratio = heard[row - 1][0] / 1e9 / given.close[row - 1]
        assert ratio == pytest.approx(more / before)


def test_a_scale_changes_prices_and_sizes_against_each_other():
    (bars,) = feature_bars.market(feature_bars.daily_stamps(30), seed=2, symbols=("AAA",))
    twice = scaled(bars, 2.0)
    assert (twice.close == bars.close * 2).all()
    assert (twice.volume == bars.volume / 2).all()
    assert (twice.bid_size[25:] == bars.bid_size[25:] / 2).all()
    assert (twice.minute == bars.minute).all()
    assert (twice.ts == bars.ts).all()
