"""The scan's table: gap, relative volume by hand arithmetic, filters at their limits."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tradingd.config.scan import ScanConfig
from tradingd.domain.feed import Batch, MarketBar, Quote
from tradingd.domain.money import nanos
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline, cumulated
from tradingd.scanner.filters import REASONS
from tradingd.scanner.row import Scan
from tradingd.scanner.scanner import Scanner
from tradingd.session.calendar import local_midnight_ns

DAY = dt.date(2024, 3, 11)  # the first session after the clocks went forward
MINUTE = 60 * 1_000_000_000
MIDNIGHT = local_midnight_ns(DAY)
LIMITS = ScanConfig(
    min_price=Decimal(1),
    max_price=Decimal(30),
    min_gap_percent=2.0,
    min_relative_volume=2.0,
    min_sessions=5,
)


def _close(hour: int, minute: int) -> int:
    return MIDNIGHT + (hour * 60 + minute) * MINUTE


def _bar(symbol: str, price: str, volume: int = 1_000) -> MarketBar:
    at = nanos(price)
    return MarketBar(symbol, at, at, at, at, volume)


def _baseline(
    prior: str | None = "10", a_minute: float = 10.0, sessions: int = 5, average: float = 1e6
) -> Baseline:
    return Baseline(
        prior_close=None if prior is None else nanos(prior),
        usual=cumulated([a_minute] * MINUTES_A_DAY),
        sessions=sessions,
        average_volume=average,
    )


def _scan(
    price: str = "11",
    volume: int = 10_000,
    limits: ScanConfig = LIMITS,
    baseline: Baseline | None = None,
    floats: dict[str, int] | None = None,
    quote: Quote | None = None,
) -> Scan:
    baselines = {"A": baseline or _baseline()}
    scanner = Scanner(limits, DAY, baselines, floats=floats)
    scanner.take(Batch(_close(4, 1), (_bar("A", price, volume),)))
    if quote is not None:
        scanner.quote(quote)
    return scanner.table()


def _quote(bid: str, ask: str) -> Quote:
    return Quote("A", nanos(bid), nanos(ask), 100, 100, _close(4, 1))


def test_gap_and_relative_volume_are_those_of_hand_arithmetic() -> None:
    scanner = Scanner(LIMITS, DAY, {"A": _baseline(prior="10", a_minute=10.0)})
    for minute, price in ((1, "10.50"), (2, "12.00"), (5, "11.00")):
        scanner.take(Batch(_close(4, minute), (_bar("A", price, 500),)))
    (row,) = scanner.table().rows
    assert row.gap_percent == pytest.approx(10.0)
    assert (row.last, row.high, row.low) == (Decimal(11), Decimal(12), Decimal("10.5"))
    assert row.volume == 1_500
    # Five minutes since 4:00 at ten shares a minute are fifty shares.
    assert row.usual_volume == pytest.approx(50.0)
    assert row.relative_volume == pytest.approx(30.0)


def test_minutes_without_a_bar_of_the_symbol_count_as_minutes() -> None:
    scanner = Scanner(LIMITS, DAY, {"A": _baseline(a_minute=10.0), "B": _baseline()})
    scanner.take(Batch(_close(4, 1), (_bar("A", "11", 1_000),)))
    scanner.take(Batch(_close(4, 10), (_bar("B", "11", 1_000),)))
    row = next(one for one in scanner.table().rows if one.symbol == "A")
    assert row.usual_volume == pytest.approx(100.0)


def test_bars_before_the_window_are_left_out() -> None:
    limits = msgspec.structs.replace(LIMITS, window_start=dt.time(9, 30))
    scanner = Scanner(limits, DAY, {"A": _baseline()})
    scanner.take(Batch(_close(9, 30), (_bar("A", "99", 7),)))
    assert scanner.table().seen == 0
    scanner.take(Batch(_close(9, 31), (_bar("A", "11", 70),)))
    assert scanner.table().rows[0].volume == 70


def test_a_symbol_without_a_prior_close_is_left_out_and_named() -> None:
    assert _scan(baseline=_baseline(prior=None)).left_out == {"no prior close": 1}


def test_a_symbol_nobody_knows_is_named() -> None:
    scanner = Scanner(LIMITS, DAY, {})
    scanner.take(Batch(_close(4, 1), (_bar("NEW", "11"),)))
    assert scanner.table().without_baseline == ("NEW",)


def test_too_few_sessions_leave_the_relative_volume_unknown_and_pass_marked() -> None:
    scan = _scan(baseline=_baseline(sessions=4))
    assert scan.rows[0].relative_volume is None
    assert "relative_volume" in scan.rows[0].unknown


@pytest.mark.parametrize(
    ("reason", "passes", "fails"),
    [
        ("price below min_price", {"price": "1"}, {"price": "0.9999"}),
        ("price above max_price", {"price": "30"}, {"price": "30.01"}),
        ("gap below min_gap_percent", {"price": "10.20"}, {"price": "10.19"}),
        ("volume below min_volume", {"volume": 20_000}, {"volume": 19_999}),
        ("relative volume below min_relative_volume", {"volume": 20}, {"volume": 19}),
        (
            "average volume below min_average_volume",
            {"baseline": _baseline(average=500_000.0)},
            {"baseline": _baseline(average=499_999.0)},
        ),
        (
            "float above max_float",
            {"floats": {"A": 5_000_000}},
            {"floats": {"A": 5_000_001}},
        ),
        (
            "spread above max_spread_percent",
            {"quote": _quote("9.95", "10.05")},
            {"quote": _quote("9.94", "10.05")},
        ),
    ],
)
def test_each_filter_denies_just_beyond_its_limit_and_passes_at_it(
    reason: str, passes: dict[str, object], fails: dict[str, object]
) -> None:
    limits = {
        "price below min_price": {"min_gap_percent": -99.0},
        "volume below min_volume": {"min_volume": 20_000},
        "average volume below min_average_volume": {"min_average_volume": 500_000},
        "float above max_float": {"max_float": 5_000_000},
        "spread above max_spread_percent": {"max_spread_percent": 1.0},
    }.get(reason, {})
    config = msgspec.structs.replace(LIMITS, **limits)
    assert _scan(limits=config, **passes).passed == 1  # type: ignore[arg-type]
    assert _scan(limits=config, **fails).left_out == {reason: 1}  # type: ignore[arg-type]


def test_every_reason_is_one_that_the_tests_above_know() -> None:
    assert len(REASONS) == 9


def test_what_is_unknown_passes_and_is_marked() -> None:
    limits = msgspec.structs.replace(LIMITS, max_float=1, max_spread_percent=0.1)
    (row,) = _scan(limits=limits).rows
    assert set(row.unknown) == {"float_shares", "spread_percent"}


def test_a_crossed_quote_is_no_spread() -> None:
    assert _scan(quote=_quote("10.05", "9.95")).rows[0].spread_percent is None


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("gap", ["C", "A", "B"]),
        ("relative_volume", ["B", "A", "C"]),
        ("volume", ["B", "A", "C"]),
        ("price", ["C", "A", "B"]),
        ("symbol", ["A", "B", "C"]),
    ],
)
def test_the_table_is_sorted_by_what_was_asked(by: str, expected: list[str]) -> None:
    limits = ScanConfig(min_gap_percent=0.0, min_relative_volume=0.0, sort=by)  # type: ignore[arg-type]
    scanner = Scanner(limits, DAY, dict.fromkeys("ABC", _baseline()))
    bars = (_bar("A", "11", 200), _bar("B", "11", 300), _bar("C", "12", 100))
    scanner.take(Batch(_close(4, 1), bars))
    assert [row.symbol for row in scanner.table().rows] == expected


def test_no_more_rows_than_asked_but_all_are_counted() -> None:
    limits = msgspec.structs.replace(LIMITS, rows=1)
    scanner = Scanner(limits, DAY, dict.fromkeys("AB", _baseline()))
    scanner.take(Batch(_close(4, 1), (_bar("A", "11"), _bar("B", "12"))))
    scan = scanner.table()
    assert [row.symbol for row in scan.rows] == ["B"]
    assert scan.passed == 2


def test_the_table_can_be_asked_with_other_limits() -> None:
    scanner = Scanner(LIMITS, DAY, {"A": _baseline()})
    scanner.take(Batch(_close(4, 1), (_bar("A", "40"),)))
    assert not scanner.table().rows
    wide = msgspec.structs.replace(LIMITS, max_price=Decimal(50))
    assert [row.symbol for row in scanner.table(wide).rows] == ["A"]


def test_a_minute_that_comes_twice_counts_once() -> None:
    scanner = Scanner(LIMITS, DAY, {"A": _baseline()})
    for _ in range(2):
        scanner.take(Batch(_close(4, 1), (_bar("A", "11", 500),)))
    assert scanner.table().rows[0].volume == 500


def test_who_is_asked_for_and_has_no_bar_is_silent() -> None:
    scanner = Scanner(LIMITS, DAY, {"A": _baseline()}, symbols=("A", "B"))
    scanner.take(Batch(_close(4, 1), (_bar("A", "11"),)))
    assert scanner.table().silent == 1
