"""The metric families of the daemon: every name, its unit and what it counts, in one place.

Labels are few and bounded: strategies, states, limits, jobs. Never an order id, never free text,
never the instance: Prometheus adds that as a target label.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
)  # fmt: skip
"""Seconds; has an edge at each budget: signal 0.05, placement 0.2, signal to order 0.5, 1 s."""

LAG: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""Seconds; 0.05 is the goal of a one-minute batch, 0.25 the limit that warns."""

FEED: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds; 0.1 is the budget, 30, 60 and 120 are the staleness limits."""

PREDICTION: Final = (
    10e-6, 20e-6, 30e-6, 50e-6, 70e-6, 100e-6, 150e-6, 200e-6, 500e-6, 0.001, 0.005, 0.02, 0.1, 1,
)  # fmt: skip
"""Seconds; 70 us is the budget of one row at the 99th percentile."""

BASIS_POINTS: Final = (-25, -10, -5, -2, -1, 0, 1, 2, 5, 10, 25, 50, 100)


class OrderSeries:
    """Orders, fills and what trading cost."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_strategy = ("strategy",)
        self.steps = Counter(
            "tradingd_orders",
            "Steps of orders: intent, sent, accepted, rejected, unknown, canceled, denied ...",
            ("state", "strategy"),
            registry=registry,
        )
        self.filled = Counter(
            "tradingd_orders_filled", "Orders filled completely.", by_strategy, registry=registry
        )
        self.fills = Counter(
            "tradingd_fills", "Executions.", ("strategy", "side"), registry=registry
        )
        self.shares = Counter(
            "tradingd_filled_shares", "Shares executed.", ("strategy", "side"), registry=registry
        )
        self.turnover = Counter(
            "tradingd_turnover_dollars", "Value of executions.", by_strategy, registry=registry
        )
        self.commission = Counter(
            "tradingd_commission_dollars",
            "Commission and fees charged.",
            by_strategy,
            registry=registry,
        )
        self.slippage_paid = Counter(
            "tradingd_slippage_paid_dollars",
            "Cost of executions worse than the expected price.",
            by_strategy,
            registry=registry,
        )
        self.improvement = Counter(
            "tradingd_price_improvement_dollars",
            "Gain of executions better than the expected price.",
            by_strategy,
            registry=registry,
        )
        self.slippage_expected = Counter(
            "tradingd_slippage_expected_dollars",
            "Cost that the slippage model predicted for the same executions.",
            by_strategy,
            registry=registry,
        )
        self.slippage = Histogram(
            "tradingd_slippage_basis_points",
            "Realised slippage of an execution, positive when it cost money.",
            by_strategy,
            buckets=BASIS_POINTS,
            registry=registry,
        )
        self.latency = Histogram(
            "tradingd_order_latency_seconds",
            "Time between steps of an order: decision_to_sent, sent_to_accepted, accepted_to_fill.",
            ("stage",),
            buckets=LATENCY,
            registry=registry,
        )
        self.denials = Counter(
            "tradingd_denials", "Orders that a limit denied.", ("limit",), registry=registry
        )
        self.open = Gauge("tradingd_open_orders", "Orders that are not over.", registry=registry)
        self.unknown = Gauge(
            "tradingd_unknown_orders", "Orders whose outcome is not proven.", registry=registry
        )


class AccountSeries:
    """Money, risk and the trading state."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.equity = Gauge("tradingd_equity_dollars", "Equity.", registry=registry)
        self.cash = Gauge("tradingd_cash_dollars", "Cash.", registry=registry)
        self.day = Gauge(
            "tradingd_day_pnl_dollars", "Change of equity since session start.", registry=registry
        )
        self.realised = Gauge(
            "tradingd_realised_today_dollars", "Realised since session start.", registry=registry
        )
        self.gross = Gauge(
            "tradingd_gross_exposure_dollars",
            "Sum of the absolute position values.",
            registry=registry,
        )
        self.drawdown = Gauge(
            "tradingd_drawdown_ratio", "Fall from the day's high, share of it.", registry=registry
        )
        self.drawdown_limit = Gauge(
            "tradingd_drawdown_limit_ratio", "Fall at which entries end; 0: off.", registry=registry
        )
        self.positions = Gauge(
            "tradingd_positions", "Positions that are not flat.", registry=registry
        )
        self.state = Gauge(
            "tradingd_state",
            "1 for the trading state the account is in, 0 for the others.",
            ("state",),
            registry=registry,
        )
        self.armed = Gauge("tradingd_armed", "1 when orders may leave.", registry=registry)
        self.market_open = Gauge(
            "tradingd_market_open", "1 while the session is open (session time).", registry=registry
        )


class FlowSeries:
    """Market data, broker, event loop, journal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.last_bar = Gauge(
            "tradingd_last_bar_timestamp_seconds",
            "Wall time at which the last batch of bars arrived; 0: none yet.",
            registry=registry,
        )
        self.data_time = Gauge(
            "tradingd_data_timestamp_seconds",
            "Data time of the last batch; equals wall time except in a replay.",
            registry=registry,
        )
        self.feed_limit = Gauge(
            "tradingd_feed_stale_limit_seconds",
            "Silence of the feed in an open market that is an alert.",
            registry=registry,
        )
        self.feed_lag = Histogram(
            "tradingd_feed_lag_seconds",
            "From the close of a bar to its arrival.",
            buckets=FEED,
            registry=registry,
        )
        self.batch = Histogram(
            "tradingd_batch_seconds",
            "Work on one batch of bars: strategies, gate, book.",
            buckets=LAG,
            registry=registry,
        )
        self.batches = Counter("tradingd_batches", "Batches of bars.", registry=registry)
        self.bars = Counter("tradingd_bars", "Bars.", registry=registry)
        self.connected = Gauge(
            "tradingd_broker_connected", "1 while the broker answers.", registry=registry
        )
        self.ping = Histogram(
            "tradingd_broker_ping_seconds",
            "Round trip to the broker.",
            buckets=LATENCY,
            registry=registry,
        )
        self.broker_errors = Counter(
            "tradingd_broker_errors", "Errors of the broker or its connection.", registry=registry
        )
        self.feed_events = Counter(
            "tradingd_feed_events",
            "What a live feed counted by kind: late, twice, garbage, reconnects, gaps ...",
            ["kind"],
            registry=registry,
        )
        self.reconnects = Counter(
            "tradingd_broker_reconnects", "Connections that came back.", registry=registry
        )
        self.mismatches = Gauge(
            "tradingd_reconciliation_mismatches",
            "Positions and orders that differ from the broker's at the last comparison.",
            registry=registry,
        )
        self.reconciled = Gauge(
            "tradingd_reconciliation_timestamp_seconds",
            "Wall time of the last comparison with the broker.",
            registry=registry,
        )
        self.loop_lag = Histogram(
            "tradingd_loop_lag_seconds",
            "How late the event loop ran a timer.",
            buckets=LAG,
            registry=registry,
        )
        self.pending = Gauge(
            "tradingd_journal_pending_seconds",
            "How long the oldest uncommitted write has been waiting.",
            registry=registry,
        )
        self.failed = Gauge(
            "tradingd_journal_failed", "1 when the journal cannot be written.", registry=registry
        )


class ServiceSeries:
    """The daemon itself: progress, health, jobs, alerts, logs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.build = Gauge(
            "tradingd_build_info", "1; what is running.", ("version", "mode"), registry=registry
        )
        self.started = Gauge(
            "tradingd_start_timestamp_seconds", "Wall time of the start.", registry=registry
        )
        self.ready = Gauge("tradingd_ready", "1 when ready to trade.", registry=registry)
        self.heartbeat = Gauge(
            "tradingd_heartbeat_timestamp_seconds",
            "Wall time of the last beat; it beats on proof of progress only.",
            registry=registry,
        )
        self.check = Gauge(
            "tradingd_health_check",
            "Grade of a health check: 0 OK, 1 DEGRADED, 2 FAILED.",
            ("check",),
            registry=registry,
        )
        self.job_success = Gauge(
            "tradingd_job_last_success_timestamp_seconds",
            "Wall time at which a job last succeeded; 0: never.",
            ("job_name",),
            registry=registry,
        )
        self.job_due = Gauge(
            "tradingd_job_last_due_timestamp_seconds",
            "Wall time at which a job was last due; 0: never.",
            ("job_name",),
            registry=registry,
        )
        self.job_runs = Counter(
            "tradingd_job_runs", "Runs of jobs by result.", ("job_name", "status"),
            registry=registry,
        )  # fmt: skip
        self.alerts = Counter(
            "tradingd_alerts",
            "Alerts by what became of them: sent, failed, dropped, deduplicated ...",
            ("outcome",),
            registry=registry,
        )
        self.alerts_waiting = Gauge(
            "tradingd_alerts_waiting", "Messages that wait to be sent.", registry=registry
        )
        self.logs = Counter(
            "tradingd_log_records", "Log records by level.", ("level",), registry=registry
        )
        self.logs_dropped = Counter(
            "tradingd_log_dropped", "Log records that could not be written.", registry=registry
        )


class RecorderSeries:
    """Order books recorded beside the trading."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.books = Gauge(
            "tradingd_recorder_books", "Order books that are recorded now.", registry=registry
        )
        self.waiting = Gauge(
            "tradingd_recorder_waiting", "Symbols in line for a slot.", registry=registry
        )
        self.buffered = Gauge(
            "tradingd_recorder_buffered_rows",
            "Snapshots in memory or on their way to the disk.",
            registry=registry,
        )
        self.flushed = Gauge(
            "tradingd_recorder_flush_age_seconds",
            "Time since the last flush; what is younger would be lost by a sudden death.",
            registry=registry,
        )
        self.events = Counter(
            "tradingd_recorder_events", "Records of the depth feed.", registry=registry
        )
        self.rows = Counter("tradingd_recorder_rows", "Snapshots taken.", registry=registry)
        self.lost = Counter(
            "tradingd_recorder_lost",
            "Records, snapshots and messages that could not be kept.",
            registry=registry,
        )


class ModelSeries:
    """The model that strategies ask, and its challenger."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.info = Gauge(
            "tradingd_model_info",
            "1; which model answers (champion) and which predicts in its shadow (challenger).",
            ("role", "model"),
            registry=registry,
        )
        self.expires = Gauge(
            "tradingd_model_expires_timestamp_seconds",
            "Session time at which a model is no longer served.",
            ("role",),
            registry=registry,
        )
        self.predictions = Counter(
            "tradingd_predictions", "Predictions of one row.", ("role",), registry=registry
        )
        self.abstentions = Counter(
            "tradingd_abstentions",
            "Answers without an opinion: no_model, expired, no_row, warming_up, drifted ...",
            ("reason",),
            registry=registry,
        )
        self.seconds = Histogram(
            "tradingd_prediction_seconds",
            "From the question to the answer, of answers with an opinion.",
            ("role",),
            buckets=PREDICTION,
            registry=registry,
        )
        self.drift = Gauge(
            "tradingd_model_drift_index",
            "Mean population stability index of the features by their gain, as last measured.",
            registry=registry,
        )
        self.drift_limit = Gauge(
            "tradingd_model_drift_limit", "Index above which the model abstains.",
            registry=registry,
        )  # fmt: skip
        self.recorded = Counter(
            "tradingd_predictions_recorded", "Predictions written to disk.", registry=registry
        )
        self.unrecorded = Counter(
            "tradingd_predictions_unrecorded",
            "Predictions that were acted on but could not be kept on record.",
            registry=registry,
        )
