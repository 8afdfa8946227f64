"""A daemon's operator with simple state of its own: what the control server serves in tests.

`python -m tests.fakes.control_operator --socket PATH [--instance NAME] [--events-per-second N]`
runs it as a process.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import (
    BookView,
    ConfigView,
    Done,
    Event,
    FeatureDrift,
    HealthView,
    JobView,
    LimitView,
    ModelView,
    OrderView,
    PositionView,
    Recording,
    StateView,
    Status,
    TradeView,
)
from tradingd.control.events import EventHub
from tradingd.control.server import ControlServer
from tradingd.domain.health import Grade, Reading
from tradingd.kits.failure import ExitCode, Failure

NOON = 1_767_978_000_000_000_000
"""2026-01-09 12:00 in New York, a trading Friday; UTC ns."""


class Audited(msgspec.Struct, frozen=True):
    actor: m.Peer
    action: str
    subject: str
    detail: str


class FakeOperator:
    """Holds states, orders, positions and limits in memory and obeys at once."""

    def __init__(self, instance: str = "paper", *, mode: str = "paper") -> None:
        self.instance = instance
        self.mode = mode
        self.states: dict[str, StateView] = {}
        self.open_orders = {f"O-{number}": order(f"O-{number}") for number in (1, 2, 3)}
        self.waiting = {"O-9"}
        self.open_positions = [
            position("AAPL", 100, "187.25", "+1,204.00"),
            position("MSFT", -40, "412.10", "-88.40"),
        ]
        self.overrides: dict[str, str] = {}
        self.armed = False
        self.armed_with = ""
        self.audits: list[Audited] = []
        self.audit_broken = False
        self.hub = EventHub(capacity=512)
        self.act_seconds = 0.0
        self.acts = 0
        self.broken = False

    # -- looking ---------------------------------------------------------------------------------

    def status(self) -> Status:
        if self.broken:
            raise RuntimeError("the book is gone")
        account = self.states.get("account")
        state = account.state if account else "RUNNING"
        return Status(
            instance=self.instance,
            mode=self.mode,
            version="0.1.0",
            run_id="r-20260109-093000",
            phase="SESSION",
            ready=True,
            state=state,
            states=tuple(self.states.values()),
            strategy="swing_trend",
            broker="simulated",
            account="SIM-1",
            armed=self.armed,
            arming="ARMED until 16:00 New York" if self.armed else "",
            feed="replay synthetic minutes x60",
            synthetic=True,
            data_time=NOON,
            wall_time=time.time_ns(),
            session_open=True,
            feed_lag_seconds=1.4,
            equity="101204.55",
            cash="65432.10",
            day_pnl="1204.55",
            realised_today="88.95",
            drawdown_percent=0.42,
            day_peak="101630.00",
            positions=len(self.open_positions),
            open_orders=len(self.open_orders),
            unknown_orders=0,
            trades_today=7,
            loss_streak=1,
            fills=19,
            health="OK",
            started=NOON - 9_000_000_000_000,
            config_hash="ab12cd34ef56",
            status_line=f"{state} | 2 positions | +1204.55",
            drawdown_limit_percent=2.0,
        )

    def health(self) -> HealthView:
        return HealthView(
            live=True,
            ready=True,
            grade="DEGRADED",
            checks=(
                reading("feed", Grade.DEGRADED, "41 s", "30 s"),
                reading("journal", Grade.OK, "0.0 s", "5 s"),
            ),
        )

    def positions(self) -> Sequence[PositionView]:
        return self.open_positions

    def orders(self, *, all_today: bool = False) -> Sequence[OrderView]:
        done = [order("O-0", state="FILLED")] if all_today else []
        return [*done, *self.open_orders.values()]

    async def trades(self, *, last: int = 50) -> Sequence[TradeView]:
        return [trade() for _ in range(min(last, 3))]

    def limits(self) -> Sequence[LimitView]:
        configured = {
            "risk.drawdown_percent": "2.0",
            "risk.max_positions": "30",
            "risk.no_trade_open_minutes": "5",
        }
        return [
            LimitView(
                key=key,
                value=self.overrides.get(key, value),
                configured=value,
                expires=NOON if key in self.overrides else None,
                checked=120,
                denied=3,
            )
            for key, value in configured.items()
        ]

    def jobs(self) -> Sequence[JobView]:
        return [
            JobView(
                name="session-open",
                where="in process",
                next_due=NOON,
                last_due=None,
                last_status="ok",
                detail="",
            )
        ]

    def recording(self) -> Recording:
        return Recording(
            instance=self.instance,
            mode=self.mode,
            synthetic=False,
            state="recording",
            why="",
            source="XNAS.ITCH",
            slots=5,
            books=(
                BookView(
                    symbol="FROG", events=120, rows=60, gaps=0, last_ts=NOON, trouble="locked"
                ),
            ),
            queue=("AAPL",),
            refused={},
            events=120,
            rows=60,
            dropped=0,
            flushed_seconds=1.5,
        )

    def model(self) -> ModelView:
        return ModelView(
            instance=self.instance,
            mode=self.mode,
            synthetic=False,
            configured="swing@production",
            model="swing@3",
            why="",
            since=NOON,
            expires=NOON + 30 * 86_400_000_000_000,
            answers={"opinion": 120, "warming_up": 3},
            latency_p99_us=41.5,
            drift=0.12,
            drift_limit=0.25,
            drift_sessions=21,
            drift_needs=21,
            worst=(FeatureDrift(feature="rsi_14", index=0.31),),
            challenger="swing@4",
            challenger_predictions=118,
            recorded=238,
            records="/var/lib/tradingd/paper/predictions",
        )

    def config(self) -> ConfigView:
        return ConfigView(hash="ab12cd34ef56", tree={"mode": {"kind": self.mode}, "risk": {}})

    def events(self, after: int) -> AsyncIterator[Event]:
        return self.hub.subscribe(after)

    # -- acting ----------------------------------------------------------------------------------

    async def pause(self, request: m.PauseRequest, peer: m.Peer) -> Done:
        return await self._set(request.scope, "PAUSED", request.reason, peer)

    async def resume(self, request: m.ResumeRequest, peer: m.Peer) -> Done:
        return await self._set(request.scope, "RUNNING", request.reason, peer)

    async def halt(self, request: m.HaltRequest, peer: m.Peer) -> Done:
        cancelled = tuple(self.open_orders)
        self.open_orders.clear()
        done = await self._set(request.scope, "HALTED", request.reason, peer)
        return msgspec.structs.replace(done, orders=cancelled)

    async def flatten(self, request: m.FlattenRequest, peer: m.Peer) -> Done:
        cancelled = tuple(self.open_orders)
        self.open_orders.clear()
        self.open_positions.clear()
        done = await self._set(request.scope, "FLAT", request.reason, peer)
        return msgspec.structs.replace(done, orders=cancelled, verified=True)

    async def cancel(self, request: m.CancelRequest, peer: m.Peer) -> Done:
        wanted = [request.order_id] if request.order_id else list(self.open_orders)
        missing = [one for one in wanted if one not in self.open_orders]
        if missing:
            raise Failure("no such open order", code=ExitCode.REFUSED, found=missing[0])
        for one in wanted:
            del self.open_orders[one]
        return await self._done(f"{len(wanted)} cancelled", orders=tuple(wanted))

    async def arm(self, request: m.ArmRequest, peer: m.Peer) -> Done:
        self.armed, self.armed_with = True, request.token
        return await self._done("armed")

    async def reconcile(self, request: m.ReconcileRequest, peer: m.Peer) -> Done:
        return await self._done("journal and broker agree")

    async def cancel_foreign(self, request: m.CancelForeignRequest, peer: m.Peer) -> Done:
        return await self._done(f"asked to cancel {request.broker_order_id}")

    async def disarm(self, request: m.DisarmRequest, peer: m.Peer) -> Done:
        self.armed = False
        return await self._done("disarmed")

    async def set_limit(self, request: m.LimitRequest, peer: m.Peer) -> Done:
        before = {view.key: view.value for view in self.limits()}
        if request.key not in before:
            raise Failure("no such limit", code=ExitCode.USAGE, found=request.key)
        self.overrides[request.key] = request.value
        return await self._done("set", changes=((request.key, before[request.key], request.value),))

    async def record(self, request: m.RecordRequest, peer: m.Peer) -> Done:
        done = "stopped" if request.stop else "recording"
        return await self._done(f"{request.symbol}: {done}")

    async def run_job(self, request: m.JobRequest, peer: m.Peer) -> Done:
        return await self._done(f"{request.name} started")

    async def reload(self, request: m.ReloadRequest, peer: m.Peer) -> Done:
        raise Failure("the configuration does not fit", code=ExitCode.CONFIG, where="risk.x")

    async def log_level(self, request: m.LogLevelRequest, peer: m.Peer) -> Done:
        return await self._done("set", changes=(("log level", "INFO", request.level),))

    async def approve(self, request: m.DecideRequest, peer: m.Peer) -> Done:
        if request.order_id not in self.waiting:
            raise Failure("nothing waits under this number", code=ExitCode.REFUSED)
        self.waiting.remove(request.order_id)
        return await self._done("approved", orders=(request.order_id,))

    async def reject(self, request: m.DecideRequest, peer: m.Peer) -> Done:
        self.waiting.discard(request.order_id)
        return await self._done("rejected", orders=(request.order_id,))

    async def report_job(self, request: m.JobReportRequest, peer: m.Peer) -> Done:
        return await self._done(f"{request.name} {request.status}")

    async def adopt(self, request: m.AdoptRequest, peer: m.Peer) -> Done:
        return await self._done("nothing to adopt")

    async def acknowledge(self, request: m.AcknowledgeRequest, peer: m.Peer) -> Done:
        return await self._done(f"{request.key} acknowledged")

    async def drill(self, request: m.DrillRequest, peer: m.Peer) -> Done:
        return await self._done(f"{request.part} frozen for {request.seconds:g} s")

    def audit(self, *, actor: m.Peer, action: str, subject: str, detail: str) -> None:
        if self.audit_broken:
            raise OSError("the journal is gone")
        self.audits.append(Audited(actor, action, subject, detail))

    # -- inside ----------------------------------------------------------------------------------

    async def _set(self, scope: str, state: str, reason: str, peer: m.Peer) -> Done:
        before = self.states[scope].state if scope in self.states else "RUNNING"
        shown = scope.replace(":", " ", 1)
        if state == "RUNNING":
            self.states.pop(scope, None)
        else:
            self.states[scope] = StateView(
                scope=shown, state=state, reason=reason, author=peer.name, since=NOON, expires=None
            )
        self.tell("state", f"{shown} {before} -> {state}: {reason}")
        return await self._done(state, changes=((shown, before, state),))

    async def _done(
        self,
        text: str,
        *,
        changes: tuple[tuple[str, str, str], ...] = (),
        orders: tuple[str, ...] = (),
    ) -> Done:
        await asyncio.sleep(self.act_seconds)
        self.acts += 1
        return Done(done=text, changes=changes, orders=orders)

    def tell(self, kind: str, text: str) -> None:
        self.hub.publish(kind, text, wall=time.time_ns(), ts=NOON)


def order(order_id: str, *, state: str = "WORKING") -> OrderView:
    return OrderView(
        order_id=order_id,
        strategy="swing_trend",
        symbol="AAPL",
        side="BUY",
        quantity=100,
        filled=0,
        type="LIMIT",
        purpose="entry",
        state=state,
        limit="186.50",
        stop=None,
        reason="trend up",
        wall=NOON,
        note="",
    )


def position(symbol: str, quantity: int, price: str, unrealised: str) -> PositionView:
    return PositionView(
        symbol=symbol,
        strategy="swing_trend",
        quantity=quantity,
        entry_price=price,
        mark=price,
        value="18725.00",
        unrealised=unrealised.replace(",", "").replace("+", ""),
        stop="180.00",
    )


def trade() -> TradeView:
    return TradeView(
        symbol="KO",
        strategy="swing_trend",
        side="LONG",
        quantity=50,
        entry_price="60.10",
        exit_price="61.00",
        net="44.20",
        ts_opened=NOON - 3_600_000_000_000,
        ts_closed=NOON,
        entry_reason="trend up",
        exit_reason="target",
    )


def reading(name: str, grade: Grade, value: str, limit: str) -> Reading:
    return Reading(
        name=name,
        grade=grade,
        value=value,
        limit=limit,
        since=NOON,
        action="entries pause until data is back" if grade is not Grade.OK else "",
        next_step="look at the feed's source" if grade is not Grade.OK else "",
        critical=True,
    )


async def serve(socket: Path, instance: str, rate: float) -> None:
    """Serve until SIGTERM or SIGINT."""
    operator = FakeOperator(instance)
    server = ControlServer(operator, socket=socket)
    await server.start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set():
        try:
            await asyncio.wait_for(ended.wait(), 1 / rate)
        except TimeoutError:
            operator.tell("fill", "BUY 100 AAPL @ 187.25 for swing_trend")
    await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--instance", default="paper")
    parser.add_argument("--events-per-second", type=float, default=2.0)
    given = parser.parse_args()
    asyncio.run(serve(given.socket, given.instance, given.events_per_second))
