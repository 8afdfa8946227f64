"""What real books say: loose facts, and numbers derived a second way."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.microstructure.test_order_flow import slow_events
from tradingd.level2.book import BookChunk
from tradingd.level2.open import open_book
from tradingd.microstructure.report import DepthReport, analyse

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
GOOG = "lobster/GOOG_2012-06-21_message_5.first20000.csv.gz"


def _report(path: Path) -> DepthReport:
    if not path.is_file():
        pytest.skip(f"no {path}")
    return analyse(open_book(path))


@pytest.fixture(scope="module")
def frog(real_data: Path) -> DepthReport:
    return _report(real_data / FROG)


@pytest.fixture(scope="module")
def goog(real_data: Path) -> DepthReport:
    return _report(real_data / GOOG)


def _whole(path: Path) -> BookChunk:
    [book] = [book for book, _ in open_book(path).chunks(1_000_000)]
    return book


@pytest.mark.real_data
@pytest.mark.parametrize("name", [FROG, GOOG], ids=["FROG", "GOOG"])
@pytest.mark.parametrize("horizon", [10, 60])
def test_impact_equals_a_loop_over_states_and_numpy_least_squares(
    real_data: Path, name: str, horizon: int
) -> None:
    report = _report(real_data / name)
    book = _whole(real_data / name)
    # Every state of both files is usable: bid below ask.
    mids = (book.bid_px[0].astype(float) + book.ask_px[0]) / 200
    ends = np.arange(
        (book.ts[0] // 10**9 // horizon + 2) * horizon, book.ts[-1] // 10**9 + 1, horizon
    )
    level = np.searchsorted(book.ts, np.append(ends[0] - horizon, ends) * 10**9, "right") - 1
    change = np.diff(mids[level])
    flow = dict.fromkeys(ends.tolist(), 0.0)
    for second, shares in slow_events(book):
        end = -(-second // horizon) * horizon
        if end in flow:
            flow[end] += shares[0] / 1_000
    x = np.array(list(flow.values()))
    slope, intercept = np.polyfit(x, change, 1)
    fit = next(one for one in report.impact.horizons if one.seconds == horizon).contemporaneous
    assert fit.n == len(x)
    assert fit.slopes[0] == pytest.approx(slope)
    assert fit.intercept == pytest.approx(intercept)
    assert fit.r2 == pytest.approx(np.corrcoef(x, change)[0, 1] ** 2)


@pytest.mark.real_data
@pytest.mark.parametrize("seconds", [1, 10, 60])
def test_order_flow_moves_the_mid_of_frog_at_every_horizon(frog: DepthReport, seconds: int) -> None:
    horizon = next(one for one in frog.impact.horizons if one.seconds == seconds)
    fit = horizon.contemporaneous
    assert fit.slopes[0] > 0
    assert fit.t_hac[0] > 3
    assert fit.r2 is not None
    assert horizon.trade_imbalance.r2 is not None
    assert horizon.integrated.r2 is not None
    # The paper's finding: order flow explains more than trades do; deeper levels add to it.
    assert fit.r2 > horizon.trade_imbalance.r2
    assert horizon.integrated.r2 > fit.r2
    assert horizon.component.explained is not None
    assert horizon.component.explained > 0.5


@pytest.mark.real_data
def test_a_few_flickering_intervals_hide_the_impact_of_goog_from_r2_not_from_ranks(
    goog: DepthReport,
) -> None:
    ten = next(one for one in goog.impact.horizons if one.seconds == 10)
    assert ten.contemporaneous.slopes[0] > 0
    assert ten.contemporaneous.rank_correlation is not None
    assert ten.contemporaneous.rank_correlation > 0.5
    assert ten.multi_level.r2 is not None
    assert ten.contemporaneous.r2 is not None
    assert ten.multi_level.r2 > ten.contemporaneous.r2 + 0.2


@pytest.mark.real_data
def test_nothing_of_either_book_is_left_out(frog: DepthReport, goog: DepthReport) -> None:
    for report, states in ((frog, 16_630), (goog, 20_000)):
        assert report.counts.states == report.counts.usable == states
        assert report.flow.pairs == states - 1


@pytest.mark.real_data
def test_takers_pay_more_than_makers_keep(frog: DepthReport, goog: DepthReport) -> None:
    for report in (frog, goog):
        five = report.cost.by_lag[0]
        assert five.effective.ticks is not None
        assert five.realised.ticks is not None
        assert five.effective.ticks > five.realised.ticks
        assert five.effective.ticks > 0


@pytest.mark.real_data
def test_spreads_of_frog_narrow_after_the_open(frog: DepthReport) -> None:
    ticks = [row.ticks for row in frog.spread.by_half_hour]
    assert frog.spread.by_half_hour[0].half_hour == "09:30"
    assert ticks[0] == max(ticks)
    assert ticks[-1] < ticks[0] / 3


@pytest.mark.real_data
def test_a_heavier_bid_is_followed_by_a_rise_of_frog(frog: DepthReport) -> None:
    assert frog.queue.model.slope is not None
    assert frog.queue.model.slope_z is not None
    assert frog.queue.model.slope > 0
    assert frog.queue.model.slope_z > 3


@pytest.mark.real_data
def test_a_report_of_real_books_stays_small_enough_to_plot(frog: DepthReport) -> None:
    series = [frog.paths.mid, frog.paths.ofi, *(one.scatter for one in frog.impact.horizons)]
    assert all(len(points.x) <= 2_000 for points in series)
    assert len(frog.profile.by_price) <= 2_000
