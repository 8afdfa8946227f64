"""Declared features: what is accepted, refused and hashed."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tradingd.config.features import FeaturesConfig
from tradingd.domain.feed import Batch, MarketBar
from tradingd.features.batch import compute
from tradingd.features.catalogue import KINDS, find
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.features.series import Series
from tradingd.features.sessions import Placer, place
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()


def compiled(declared: dict[str, dict[str, Any]], **others: Any) -> FeatureSet:
    return compile_features(FeaturesConfig(declared=declared, **others), calendar=CALENDAR)


def refused(declared: dict[str, dict[str, Any]], **others: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        compiled(declared, **others)
    assert caught.value.code is ExitCode.CONFIG
    return caught.value


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_the_table_is_a_class_of_that_name(kind: str) -> None:
    found = find(kind)
    assert found.kind == kind
    assert found.summary
    assert found.source


def test_a_mistyped_kind_is_answered_with_the_nearest() -> None:
    failure = refused({"x": {"kind": "sma_ration"}})
    assert failure.where == "features.declared.x.kind"
    assert "sma_ratio" in failure.next_step


def test_a_feature_without_a_kind_is_refused() -> None:
    assert refused({"x": {"bars": 3}}).where == "features.declared.x.kind"


def test_a_mistyped_parameter_is_answered_with_the_nearest() -> None:
    failure = refused({"x": {"kind": "sma_ratio", "bar": 3}})
    assert failure.where == "features.declared.x.bar"
    assert "features.declared.x.bars" in failure.next_step


def test_a_value_out_of_range_names_its_key() -> None:
    failure = refused({"x": {"kind": "sma_ratio", "bars": 0}})
    assert failure.where == "features.declared.x.bars"
    assert failure.found == "0"


def test_lengths_in_the_wrong_order_are_refused() -> None:
    assert (
        "fast 50 is not below slow 20"
        in refused({"x": {"kind": "sma_cross", "fast": 50, "slow": 20}}).line()
    )


def test_the_hash_follows_everything_the_values_follow_from() -> None:
    base = {"a": {"kind": "return"}, "b": {"kind": "rsi", "bars": 9}}
    assert compiled(base).hash == compiled(dict(reversed(base.items()))).hash
    assert compiled(base).hash == compiled({**base, "a": {"kind": "return", "bars": 1}}).hash
    others = [
        compiled({**base, "a": {"kind": "return", "bars": 2}}).hash,
        compiled({"c": base["a"], "b": base["b"]}).hash,
        compiled(base, bars="1m").hash,
        compiled(base, benchmark="SPY").hash,
    ]
    assert len({compiled(base).hash, *others}) == 5


SECTORS = {"AAA": "energy", "BBB": "banks"}
RELATIVE = {"a": {"kind": "return"}, "b": {"kind": "sector_relative", "of": "a"}}


def test_a_feature_of_sectors_is_refused_without_them() -> None:
    failure = refused(RELATIVE)
    assert failure.where == "features.sectors"
    assert "feature b" in failure.line()


def test_the_hash_follows_the_sectors_only_where_a_feature_asks_for_them() -> None:
    def hashed(declared: dict[str, dict[str, Any]], sectors: dict[str, str]) -> str:
        config = FeaturesConfig(declared=declared)
        return compile_features(config, calendar=CALENDAR, sectors=sectors).hash

    moved = {**SECTORS, "BBB": "energy"}
    assert hashed(RELATIVE, SECTORS) == hashed(RELATIVE, dict(reversed(SECTORS.items())))
    assert hashed(RELATIVE, SECTORS) != hashed(RELATIVE, moved)
    plain = {"a": {"kind": "return"}}
    assert hashed(plain, SECTORS) == hashed(plain, moved) == hashed(plain, {})


CLASS = """
    import numpy as np

    from tradingd.features.feature import Feature


    class Tail(Feature):
        kind = "tail"
        inputs = ("high", "low", "close")
        memory = 0

        def batch(self, series):
            return (series.close - series.low) / series.close * {factor}

        def live(self):
            return Live()


    class Live:
        def update(self, bar):
            return (bar.close - bar.low) / bar.close * {factor}

        def rescale(self, factor):
            pass
"""


def test_a_class_of_your_own_counts_by_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    hashes = []
    for number in (1, 2):
        text = textwrap.dedent(CLASS).format(factor=number)
        (tmp_path / f"own_features_{number}.py").write_text(text)
        found = compiled({"tail": {"kind": f"own_features_{number}:Tail"}})
        assert compute(found, [bars()]).x[1, 0] == pytest.approx(0.01 / 10.2 * number)
        hashes.append(found.hash)
    assert hashes[0] != hashes[1]


def test_a_class_that_is_none_is_refused() -> None:
    assert "no module" in refused({"x": {"kind": "no_such_module:Tail"}}).what
    assert "is not a feature" in refused({"x": {"kind": "pathlib:Path"}}).what


def bars(**columns: list[float]) -> Series:
    ts = np.array([one.close_ns for one in CALENDAR.sessions[100:103]], np.int64)
    where = place(ts, CALENDAR)
    prices = {
        "open": [10.0, 10.1, 10.2],
        "high": [10.3, 10.3, 10.3],
        "low": [9.9, 10.19, 10.0],
        "close": [10.1, 10.2, 10.1],
        "volume": [100.0, 0.0, 50.0],
    } | columns
    arrays = {name: np.array(values) for name, values in prices.items()}
    return Series(
        symbol="ABC",
        ts=ts,
        session=where.session,
        minute=where.minute,
        to_close=where.to_close,
        **arrays,
    )


def test_a_price_that_cannot_be_is_refused_by_its_place() -> None:
    feature_set = compiled({"a": {"kind": "return"}})
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(Failure) as caught:
            compute(feature_set, [bars(low=[9.9, bad, 10.0])])
        assert caught.value.code is ExitCode.INVALID_ROW
        assert "ABC low" in caught.value.where


def test_two_series_of_one_symbol_are_refused() -> None:
    with pytest.raises(Failure, match="ABC has two series"):
        compute(compiled({"a": {"kind": "return"}}), [bars(), bars()])


def test_a_live_bar_with_a_price_that_cannot_be_is_no_bar() -> None:
    live = LiveFeatures(compiled({"a": {"kind": "return"}}), ["ABC"])
    one = 1_000_000_000
    for number, close in enumerate((10, 0, 11), start=1):
        bar = MarketBar("ABC", 10 * one, 12 * one, close * one, close * one, 5)
        live.observe(Batch(number, (bar, MarketBar("OTHER", one, one, one, one, 5))))
    assert live.passed_over == 1
    assert live.seen("ABC") == 2
    assert live.ts("ABC") == 3
    assert live.row("ABC")[0] == pytest.approx(0.1)


def test_times_are_placed_in_their_sessions_alike_together_and_one_by_one() -> None:
    half_day = next(
        one for one in CALENDAR.sessions[5900:] if one.close_ns - one.open_ns < 6 * 3600 * 10**9
    )
    edges = (half_day.open_ns, half_day.close_ns)
    ts = np.array([edge + offset for edge in edges for offset in (-1, 0, 1, 60 * 10**9)], np.int64)
    found = place(ts, CALENDAR)
    assert found.session.tolist()[:3] == [-1, -1, found.session[2]]
    assert found.session.tolist()[5:7] == [found.session[2], -1]
    assert found.to_close[5] == 0.0
    placer = Placer(CALENDAR)
    for number, one in enumerate(ts.tolist()):
        session, minute, to_close = placer.place(one)
        np.testing.assert_equal(
            (session, minute, to_close),
            (found.session[number], found.minute[number], found.to_close[number]),
        )


def test_a_frame_becomes_a_table_with_times_and_symbols() -> None:
    table = compute(compiled({"a": {"kind": "return"}}), [bars()]).table()
    assert table.column_names == ["symbol", "ts_event", "a"]
    assert str(table.schema.field("ts_event").type) == "timestamp[ns]"
    assert table.column("symbol").to_pylist() == ["ABC"] * 3
