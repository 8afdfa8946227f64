"""The daemon's numbers: explicit methods, one registry of our own, text for Prometheus."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import Metric

from tradingd.domain.advice import Abstention
from tradingd.domain.health import Grade, Reading
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.domain.states import TradingState
from tradingd.domain.trading import Step
from tradingd.telemetry.machine import MachineCollector
from tradingd.telemetry.series import (
    AccountSeries,
    FlowSeries,
    ModelSeries,
    OrderSeries,
    RecorderSeries,
    ServiceSeries,
)

STAGES: Final = ("decision_to_sent", "sent_to_accepted", "accepted_to_fill")
ROLES: Final = ("champion", "challenger")
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_NANO: Final = 1e9
_GRADES: Final = {Grade.OK: 0, Grade.DEGRADED: 1, Grade.FAILED: 2}


class Metrics:
    """Everything that is measured.

    Money comes in Nanos, wall and data times in UTC ns, durations in seconds. Methods are cheap
    (about a microsecond), may be called from any thread, and never raise for a number.

    Parameters
    ----------
    version, mode : str
        Told as labels of ``tradingd_build_info``.
    folder : Path
        Folder whose free disk space is watched.
    strategies : sequence of str
        Their series exist, at zero, from the start, so that the first order is an increase.
    """

    def __init__(
        self, *, version: str, mode: str, folder: Path, strategies: Sequence[str] = ()
    ) -> None:
        # A second series per counter that says when it was made would double the exposition.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._orders = OrderSeries(self.registry)
        self._account = AccountSeries(self.registry)
        self._flow = FlowSeries(self.registry)
        self._service = ServiceSeries(self.registry)
        self._recorder = RecorderSeries(self.registry)
        self._model = ModelSeries(self.registry)
        self._machine = (
            MachineCollector(folder),
            ProcessCollector(registry=None),
            GCCollector(registry=CollectorRegistry()),
        )
        for collector in self._machine:
            self.registry.register(collector)
        self._refreshers: list[Callable[[], None]] = []
        self._absolute: dict[tuple[str, str], int] = {}
        self._service.build.labels(version=version, mode=mode).set(1)
        self._begin(strategies)

    def _begin(self, strategies: Sequence[str]) -> None:
        for state in TradingState:
            self._account.state.labels(state=state.value).set(0)
        for stage in STAGES:
            self._orders.latency.labels(stage=stage)
        for strategy in strategies:
            for step in Step:
                self._orders.steps.labels(state=step.value, strategy=strategy)
            self._orders.filled.labels(strategy=strategy)
            for side in Side:
                self._orders.fills.labels(strategy=strategy, side=side.value)
        for outcome in ("sent", "failed", "dropped"):
            self._service.alerts.labels(outcome=outcome)
        for role in ROLES:
            self._model.predictions.labels(role=role)
            self._model.seconds.labels(role=role)
        for reason in Abstention:
            self._model.abstentions.labels(reason=reason.value)

    # -- orders ------------------------------------------------------------------------------------

    def order_step(self, step: Step, strategy: str) -> None:
        """Count one step of an order."""
        self._orders.steps.labels(state=step.value, strategy=strategy).inc()

    def order_filled(self, strategy: str) -> None:
        """Count an order that is filled completely."""
        self._orders.filled.labels(strategy=strategy).inc()

    def fill(
        self,
        strategy: str,
        side: Side,
        *,
        quantity: int,
        price: Nanos,
        commission: Nanos,
        slippage: Nanos,
        expected: Nanos = 0,
    ) -> None:
        """Count an execution.

        `slippage` is what it cost against the expected price, negative when it was better;
        `expected` what the model had predicted.
        """
        value = abs(quantity) * price
        self._orders.fills.labels(strategy=strategy, side=side.value).inc()
        self._orders.shares.labels(strategy=strategy, side=side.value).inc(abs(quantity))
        self._orders.turnover.labels(strategy=strategy).inc(value / _NANO)
        # A rebate is a negative fee; a counter only rises, so it is left to the journal.
        self._orders.commission.labels(strategy=strategy).inc(max(0, commission) / _NANO)
        self._orders.slippage_paid.labels(strategy=strategy).inc(max(0, slippage) / _NANO)
        self._orders.improvement.labels(strategy=strategy).inc(max(0, -slippage) / _NANO)
        self._orders.slippage_expected.labels(strategy=strategy).inc(max(0, expected) / _NANO)
        if value:
            self._orders.slippage.labels(strategy=strategy).observe(slippage / value * 10_000)

    def latency(self, stage: str, seconds: float) -> None:
        """Take the time between two steps of an order; `stage` is one of `STAGES`."""
        self._orders.latency.labels(stage=stage).observe(max(0.0, seconds))

    def denial(self, limit: str) -> None:
        """Count an order that a limit denied."""
        self._orders.denials.labels(limit=limit).inc()

    def orders(self, *, open_orders: int, unknown: int) -> None:
        """Take the orders that are not over."""
        self._orders.open.set(open_orders)
        self._orders.unknown.set(unknown)

    # -- account -----------------------------------------------------------------------------------

    def account(
        self,
        *,
        equity: Nanos,
        cash: Nanos,
        day_pnl: Nanos,
        realised_today: Nanos,
        gross: Nanos,
        positions: int,
    ) -> None:
        """Take the account as the book has it."""
        self._account.equity.set(equity / _NANO)
        self._account.cash.set(cash / _NANO)
        self._account.day.set(day_pnl / _NANO)
        self._account.realised.set(realised_today / _NANO)
        self._account.gross.set(gross / _NANO)
        self._account.positions.set(positions)

    def drawdown(self, ratio: float, limit: float) -> None:
        """Take the fall from the day's high and the limit it ends entries at, as shares."""
        self._account.drawdown.set(ratio)
        self._account.drawdown_limit.set(limit)

    def state(self, state: TradingState) -> None:
        """Take the account's trading state."""
        for one in TradingState:
            self._account.state.labels(state=one.value).set(one is state)

    def armed(self, armed: bool) -> None:
        """Take whether orders may leave."""
        self._account.armed.set(armed)

    def market_open(self, is_open: bool) -> None:
        """Take whether the session is open."""
        self._account.market_open.set(is_open)

    # -- market data, broker, loop, journal --------------------------------------------------------

    def batch(self, *, bars: int, data_ns: int, wall_ns: int, replayed: bool = False) -> None:
        """Take the arrival of a batch; a replayed one has no lag worth the name."""
        self._flow.batches.inc()
        self._flow.bars.inc(bars)
        self._flow.last_bar.set(wall_ns / _NANO)
        self._flow.data_time.set(data_ns / _NANO)
        if not replayed:
            self._flow.feed_lag.observe(max(0.0, (wall_ns - data_ns) / _NANO))

    def batch_done(self, seconds: float) -> None:
        """Take the time that the work on a batch took."""
        self._flow.batch.observe(seconds)

    def feed_limit(self, seconds: float) -> None:
        """Take the silence after which the feed counts as stale."""
        self._flow.feed_limit.set(seconds)

    def broker_connected(self, connected: bool) -> None:
        """Take whether the broker answers."""
        self._flow.connected.set(connected)

    def broker_ping(self, seconds: float) -> None:
        """Take one round trip."""
        self._flow.ping.observe(seconds)

    def broker_errors(self, count: int) -> None:
        """Take how often the broker has failed since the start."""
        self._raise_to("broker_errors", "", count, self._flow.broker_errors)

    def broker_reconnect(self) -> None:
        """Count a connection that came back."""
        self._flow.reconnects.inc()

    def reconciled(self, mismatches: int, wall_ns: int) -> None:
        """Take the result of a comparison with the broker."""
        self._flow.mismatches.set(mismatches)
        self._flow.reconciled.set(wall_ns / _NANO)

    def loop_lag(self, seconds: float) -> None:
        """Take one sample of how late the loop was."""
        self._flow.loop_lag.observe(max(0.0, seconds))

    def journal(self, *, pending_seconds: float, failed: bool) -> None:
        """Take the state of the journal's writer."""
        self._flow.pending.set(pending_seconds)
        self._flow.failed.set(failed)

    # -- the daemon itself -------------------------------------------------------------------------

    def started(self, wall_ns: int) -> None:
        """Take the time of the start."""
        self._service.started.set(wall_ns / _NANO)

    def ready(self, ready: bool) -> None:
        """Take whether the daemon is ready to trade."""
        self._service.ready.set(ready)

    def heartbeat(self, wall_ns: int) -> None:
        """Take one beat."""
        self._service.heartbeat.set(wall_ns / _NANO)

    def health(self, readings: Sequence[Reading]) -> None:
        """Take the grade of every check."""
        for reading in readings:
            self._service.check.labels(check=reading.name).set(_GRADES[reading.grade])

    def job(self, name: str, *, due_ns: int | None, success_ns: int | None) -> None:
        """Take when a job was last due and when it last succeeded."""
        self._service.job_due.labels(job_name=name).set((due_ns or 0) / _NANO)
        self._service.job_success.labels(job_name=name).set((success_ns or 0) / _NANO)

    def job_run(self, name: str, status: str) -> None:
        """Count a run of a job by its result."""
        self._service.job_runs.labels(job_name=name, status=status).inc()

    def alerts(self, counts: Mapping[str, int], *, waiting: int) -> None:
        """Take the alert router's counts since its start."""
        for outcome, count in counts.items():
            self._raise_to("alerts", outcome, count, self._service.alerts.labels(outcome=outcome))
        self._service.alerts_waiting.set(waiting)

    def feed_counts(self, counts: Mapping[str, int]) -> None:
        """Take what a live feed has counted since its start, by kind."""
        for kind, count in counts.items():
            self._raise_to("feed", kind, count, self._flow.feed_events.labels(kind=kind))

    def recorder(
        self,
        *,
        books: int,
        waiting: int,
        events: int,
        rows: int,
        lost: int,
        buffered: int,
        flushed_seconds: float,
    ) -> None:
        """Take what the recorder of order books has counted since its start."""
        series = self._recorder
        series.books.set(books)
        series.waiting.set(waiting)
        series.buffered.set(buffered)
        series.flushed.set(max(0.0, flushed_seconds))
        self._raise_to("recorder", "events", events, series.events)
        self._raise_to("recorder", "rows", rows, series.rows)
        self._raise_to("recorder", "lost", lost, series.lost)

    # -- the model ---------------------------------------------------------------------------------

    def prediction(self, role: str, seconds: float) -> None:
        """Count one prediction with the time it took; `role` is one of `ROLES`."""
        self._model.predictions.labels(role=role).inc()
        self._model.seconds.labels(role=role).observe(seconds)

    def abstention(self, reason: str) -> None:
        """Count an answer without an opinion."""
        self._model.abstentions.labels(reason=reason).inc()

    def models(self, served: Mapping[str, tuple[str, int]]) -> None:
        """Take who is served: role -> (``name@version``, expiry in UTC ns)."""
        self._model.info.clear()
        self._model.expires.clear()
        for role, (model, expires_ns) in served.items():
            self._model.info.labels(role=role, model=model).set(1)
            self._model.expires.labels(role=role).set(expires_ns / _NANO)

    def model_drift(self, index: float, limit: float) -> None:
        """Take the drift as last measured, and what is allowed."""
        self._model.drift.set(index)
        self._model.drift_limit.set(limit)

    def predictions_recorded(self, *, written: int, lost: int) -> None:
        """Take what became of records of predictions since the start."""
        self._raise_to("predictions", "written", written, self._model.recorded)
        self._raise_to("predictions", "lost", lost, self._model.unrecorded)

    def log_record(self, level: str) -> None:
        """Count a log record."""
        self._service.logs.labels(level=level).inc()

    def log_dropped(self, count: int) -> None:
        """Take how many log records have been dropped since the start."""
        self._raise_to("logs", "", count, self._service.logs_dropped)

    def _raise_to(self, kind: str, label: str, count: int, counter: Counter) -> None:
        """Bring a counter to a total that somebody else counts."""
        before = self._absolute.get((kind, label), 0)
        counter.inc(max(0, count - before))
        self._absolute[kind, label] = max(before, count)

    # -- exposition --------------------------------------------------------------------------------

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` at each scrape, on the loop, to set what is cheap to read then."""
        self._refreshers.append(refresh)

    def refresh(self) -> None:
        """Call what `before_scrape` was given."""
        for refresh in self._refreshers:
            refresh()

    def pieces(self) -> Iterator[bytes]:
        """Yield the exposition family by family, so that a server can breathe in between."""
        for family in self.registry.collect():
            yield generate_latest(_One(family))

    def text(self) -> str:
        """Return the whole exposition."""
        self.refresh()
        return b"".join(self.pieces()).decode()

    def names(self) -> frozenset[str]:
        """Return the name of every series there can be, `_bucket`, `_sum` and `_count` included.

        A histogram that takes negative values has no `_sum`: it would not only rise.
        """
        suffixes = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_sum", "_count"),
        }
        return frozenset(
            family.name + suffix
            for family in self.registry.collect()
            for suffix in suffixes.get(family.type, ("",))
            if not (suffix == "_sum" and family.name.endswith("_basis_points"))
        )


class _One(CollectorRegistry):
    """A registry that collects one family, which is how `generate_latest` is given it."""

    def __init__(self, family: Metric) -> None:
        super().__init__()
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family
