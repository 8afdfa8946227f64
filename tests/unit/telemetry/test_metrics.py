from pathlib import Path

import pytest

from tradingd.domain.health import Grade, Reading
from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.domain.states import TradingState
from tradingd.domain.trading import OrderEvent, Step
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.orders import OrderMetrics


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    return Metrics(version="1.2", mode="paper", folder=tmp_path, strategies=("swing",))


def value(metrics: Metrics, series: str) -> float:
    """Return the value of one series; fail when it is not there."""
    for line in metrics.text().splitlines():
        name, _, number = line.rpartition(" ")
        if name == series:
            return float(number)
    raise AssertionError(f"no series {series}")


def event(step: Step, wall: int, state: OrderState, fill: Fill | None = None) -> OrderEvent:
    order = OrderRow(
        order_id="O-1", run_id="r", strategy="swing", symbol="AAPL", side="BUY", quantity=10,
        type="LIMIT", purpose="ENTRY", reason="", state=state.value,
    )  # fmt: skip
    return OrderEvent(step=step, order=order, wall=wall, fill=fill)


FILL = Fill(
    order_id="O-1", strategy="swing", symbol="AAPL", side=Side.BUY, quantity=10,
    price=100_000_000_000, commission=1_000_000_000, slippage=500_000_000, purpose=Purpose.ENTRY,
    ts=0,
)  # fmt: skip


def test_the_life_of_an_order_is_counted_and_timed(metrics: Metrics) -> None:
    listen = OrderMetrics(metrics, expected=lambda fill: 250_000_000)
    second = 1_000_000_000
    listen(event(Step.INTENT, 1 * second, OrderState.INTENT))
    listen(event(Step.SENT, 1 * second + 3_000_000, OrderState.UNKNOWN))
    listen(event(Step.ACCEPTED, 2 * second, OrderState.WORKING))
    listen(event(Step.FILL, 5 * second, OrderState.WORKING, FILL))
    listen(event(Step.FILL, 9 * second, OrderState.FILLED, FILL))
    latency = "tradingd_order_latency_seconds"
    assert value(metrics, f'{latency}_sum{{stage="decision_to_sent"}}') == pytest.approx(0.003)
    assert value(metrics, f'{latency}_sum{{stage="sent_to_accepted"}}') == pytest.approx(0.997)
    assert value(metrics, f'{latency}_sum{{stage="accepted_to_fill"}}') == pytest.approx(3)
    assert value(metrics, f'{latency}_count{{stage="accepted_to_fill"}}') == 1
    assert value(metrics, 'tradingd_orders_total{state="fill",strategy="swing"}') == 2
    assert value(metrics, 'tradingd_orders_filled_total{strategy="swing"}') == 1
    assert value(metrics, 'tradingd_fills_total{side="BUY",strategy="swing"}') == 2
    assert value(metrics, 'tradingd_turnover_dollars_total{strategy="swing"}') == 2_000
    assert value(metrics, 'tradingd_commission_dollars_total{strategy="swing"}') == 2
    assert value(metrics, 'tradingd_slippage_paid_dollars_total{strategy="swing"}') == 1
    assert value(metrics, 'tradingd_slippage_expected_dollars_total{strategy="swing"}') == 0.5
    assert value(metrics, 'tradingd_slippage_basis_points_bucket{le="2.0",strategy="swing"}') == 0
    assert value(metrics, 'tradingd_slippage_basis_points_bucket{le="5.0",strategy="swing"}') == 2


def test_a_better_price_is_an_improvement_and_no_negative_cost(metrics: Metrics) -> None:
    metrics.fill(
        "swing", Side.SELL, quantity=10, price=100_000_000_000, commission=-1, slippage=-(10**9)
    )
    assert value(metrics, 'tradingd_price_improvement_dollars_total{strategy="swing"}') == 1
    assert value(metrics, 'tradingd_slippage_paid_dollars_total{strategy="swing"}') == 0
    assert value(metrics, 'tradingd_slippage_basis_points_bucket{le="-10.0",strategy="swing"}') == 1


def test_exactly_one_trading_state_is_shown(metrics: Metrics) -> None:
    metrics.state(TradingState.RUNNING)
    metrics.state(TradingState.HALTED)
    shown = {state: value(metrics, f'tradingd_state{{state="{state}"}}') for state in TradingState}
    assert [state for state, one in shown.items() if one] == [TradingState.HALTED]


def test_series_of_known_strategies_exist_before_the_first_order(metrics: Metrics) -> None:
    assert value(metrics, 'tradingd_orders_total{state="rejected",strategy="swing"}') == 0


def test_a_replayed_bar_has_no_lag_and_a_live_one_has(metrics: Metrics) -> None:
    metrics.batch(bars=3, data_ns=0, wall_ns=10**18, replayed=True)
    assert value(metrics, "tradingd_feed_lag_seconds_count") == 0
    metrics.batch(bars=2, data_ns=10**18 - 40_000_000, wall_ns=10**18)
    assert value(metrics, "tradingd_feed_lag_seconds_sum") == pytest.approx(0.04)
    assert value(metrics, "tradingd_bars_total") == 5
    assert value(metrics, "tradingd_last_bar_timestamp_seconds") == 1e9


def test_totals_that_others_count_only_rise_by_the_difference(metrics: Metrics) -> None:
    metrics.alerts({"sent": 3, "suppressed": 1}, waiting=2)
    metrics.alerts({"sent": 5}, waiting=0)
    assert value(metrics, 'tradingd_alerts_total{outcome="sent"}') == 5
    assert value(metrics, 'tradingd_alerts_total{outcome="suppressed"}') == 1
    assert value(metrics, "tradingd_alerts_waiting") == 0


def test_health_checks_are_graded(metrics: Metrics) -> None:
    reading = Reading(
        name="feed", grade=Grade.DEGRADED, value="", limit="", since=0, action="", next_step="",
        critical=True,
    )  # fmt: skip
    metrics.health([reading])
    assert value(metrics, 'tradingd_health_check{check="feed"}') == 1


def test_predictions_have_edges_at_ten_microseconds_and_at_the_budget(metrics: Metrics) -> None:
    metrics.prediction("champion", 9e-6)
    metrics.prediction("champion", 69e-6)
    bucket = 'tradingd_prediction_seconds_bucket{le="%s",role="champion"}'
    assert value(metrics, bucket % "1e-05") == 1
    assert value(metrics, bucket % "5e-05") == 1
    assert value(metrics, bucket % "7e-05") == 2
    assert value(metrics, 'tradingd_predictions_total{role="challenger"}') == 0


def test_only_the_models_of_now_are_shown(metrics: Metrics) -> None:
    metrics.models({"champion": ("swing@1", 5 * 10**9), "challenger": ("swing@2", 10**9)})
    metrics.models({"champion": ("swing@2", 7 * 10**9)})
    assert value(metrics, 'tradingd_model_info{model="swing@2",role="champion"}') == 1
    assert value(metrics, 'tradingd_model_expires_timestamp_seconds{role="champion"}') == 7
    assert "swing@1" not in metrics.text()
    assert 'tradingd_model_expires_timestamp_seconds{role="challenger"}' not in metrics.text()


def test_a_refresher_runs_at_each_scrape(metrics: Metrics) -> None:
    counts = iter(range(5, 10))
    metrics.before_scrape(lambda: metrics.orders(open_orders=next(counts), unknown=0))
    assert value(metrics, "tradingd_open_orders") == 5
    assert value(metrics, "tradingd_open_orders") == 6


def test_no_series_carries_an_instance_or_an_order(metrics: Metrics) -> None:
    OrderMetrics(metrics)(event(Step.INTENT, 1, OrderState.INTENT))
    text = metrics.text()
    assert "O-1" not in text
    assert "instance=" not in text
    assert "env=" not in text


def test_every_name_that_is_exposed_is_listed(metrics: Metrics) -> None:
    exposed = {
        line.partition("{")[0].partition(" ")[0]
        for line in metrics.text().splitlines()
        if not line.startswith("#")
    }
    assert exposed <= metrics.names()
    assert "tradingd_orders_total" in exposed
    assert not [name for name in exposed if name.endswith("_created")]


def test_the_machine_is_measured(metrics: Metrics) -> None:
    assert (
        0 < value(metrics, "tradingd_disk_free_bytes") < value(metrics, "tradingd_disk_size_bytes")
    )
    assert value(metrics, "tradingd_network_received_bytes_total") >= 0
    assert value(metrics, "process_resident_memory_bytes") > 1e6
