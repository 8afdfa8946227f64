"""Functions of `tradingctl`: each asks the daemon of an instance one thing."""

import time
from collections.abc import Iterator

from tradingd.cli import control_params as p
from tradingd.cli.control_confirm import confirmed, reason
from tradingd.control import messages as m
from tradingd.control.answers import (
    ConfigView,
    Done,
    Event,
    HealthView,
    Jobs,
    Limits,
    ModelView,
    Orders,
    Positions,
    Recording,
    Status,
    Trades,
)
from tradingd.control.client import ControlClient
from tradingd.kits.failure import ExitCode, Failure


def client(params: p.ControlParams) -> ControlClient:
    """Return the client for the instance that the flags name."""
    return ControlClient(
        params.instance,
        paths=[params.socket] if params.socket else None,
        timeout=params.timeout,
        wait=params.wait,
    )


# -- looking ---------------------------------------------------------------------------------------


def status(params: p.ControlParams) -> Status:
    """Return the whole picture."""
    return client(params).get("status", Status)


def health(params: p.ControlParams) -> HealthView:
    """Return every health check."""
    return client(params).get("health", HealthView)


def positions(params: p.ControlParams) -> Positions:
    """Return the open positions."""
    return client(params).get("positions", Positions)


def orders(params: p.OrdersParams) -> Orders:
    """Return the open orders, or all of the day."""
    return client(params).get("orders", Orders, {"all": str(params.all).lower()})


def trades(params: p.TradesParams) -> Trades:
    """Return the last round trips."""
    return client(params).get("trades", Trades, {"last": params.last})


def limits_list(params: p.ControlParams) -> Limits:
    """Return the limits."""
    return client(params).get("limits", Limits)


def jobs_list(params: p.ControlParams) -> Jobs:
    """Return the jobs."""
    return client(params).get("jobs", Jobs)


def config(params: p.ControlParams) -> ConfigView:
    """Return the configuration in force."""
    return client(params).get("config", ConfigView)


def events(params: p.EventsParams) -> Iterator[Event]:
    """Return the latest events and, with `follow`, those to come."""
    after = -params.last if params.after is None else params.after
    return client(params).events(after, follow=params.follow)


# -- acting ----------------------------------------------------------------------------------------
# `again=True`: doing it twice is the same as doing it once, and takes risk away or changes nothing.


def pause(params: p.PauseParams) -> Done:
    """Allow no increases."""
    request = m.PauseRequest(reason=params.reason, scope=params.scope, minutes=params.minutes)
    return client(params).post("pause", request, again=True)


def resume(params: p.ResumeParams) -> Done:
    """Go back to RUNNING."""
    request = m.ResumeRequest(
        reason=reason(params.reason), scope=params.scope, confirm=params.confirm
    )
    return confirmed(
        params.instance,
        "orders leave again",
        request,
        lambda ready: client(params).post("resume", ready),
        always=False,
    )


def halt(params: p.HaltParams) -> Done:
    """Cancel open orders and send nothing more; without a daemon, leave it a flag."""
    try:
        request = m.HaltRequest(reason=params.reason, scope=params.scope)
        return client(params).post("halt", request, again=True)
    except Failure as failure:
        if failure.code is not ExitCode.NO_DAEMON or params.socket or params.scope != "account":
            raise
        from tradingd.cli.halt_flag import leave

        return leave(params.instance, params.reason, failure)


def flatten(params: p.FlattenParams) -> Done:
    """Close everything in scope."""
    request = m.FlattenRequest(
        reason=reason(params.reason, shortest=1), confirm=params.confirm, scope=params.scope
    )
    return confirmed(
        params.instance,
        f"every position of {params.instance} in scope {params.scope} is closed at market",
        request,
        lambda ready: client(params).post("flatten", ready, again=True),
        always=True,
    )


def cancel(params: p.CancelParams) -> Done:
    """Cancel one order or a scope."""
    if bool(params.order_id) == bool(params.scope):
        raise Failure(
            "cancel takes one order or one scope",
            code=ExitCode.USAGE,
            expected="ORDER or --scope SCOPE",
            found="both" if params.order_id else "neither",
        )
    request = m.CancelRequest(
        reason=params.reason,
        order_id=params.order_id,
        scope=params.scope,
        confirm=params.confirm,
    )
    return confirmed(
        params.instance,
        f"every open order of {params.scope} is cancelled",
        request,
        lambda ready: client(params).post("cancel", ready, again=bool(params.scope)),
        always=bool(params.scope),
    )


def arm(params: p.ArmParams) -> Done:
    """Allow a live instance to open positions."""
    request = m.ArmRequest(
        reason=reason(params.reason),
        confirm=params.confirm,
        account=params.account,
        minutes=params.minutes,
    )
    return confirmed(
        params.account,
        f"{params.instance} may open positions in account {params.account} "
        f"for {params.minutes} minutes, with real money",
        request,
        lambda ready: client(params).post("arm", ready),
        always=False,
        what="the account's number",
    )


def disarm(params: p.DisarmParams) -> Done:
    """Take that back."""
    return client(params).post("disarm", m.DisarmRequest(reason=params.reason), again=True)


def limits_set(params: p.LimitsSetParams) -> Done:
    """Override one limit for a while."""
    request = m.LimitRequest(
        key=params.key,
        value=params.value,
        minutes=params.minutes,
        reason=reason(params.reason),
        confirm=params.confirm,
    )
    return confirmed(
        params.instance,
        f"{params.key} may allow more",
        request,
        lambda ready: client(params).post("limits", ready),
        always=False,
    )


def record_list(params: p.ControlParams) -> Recording:
    """Return what the recorder is doing."""
    return client(params).get("record", Recording)


def model(params: p.ControlParams) -> ModelView:
    """Return who advises the strategies."""
    return client(params).get("model", ModelView)


def record_start(params: p.RecordParams) -> Done:
    """Record a symbol's order book."""
    return client(params).post(
        "record", m.RecordRequest(symbol=params.symbol, reason=params.reason)
    )


def record_stop(params: p.RecordParams) -> Done:
    """Stop recording a symbol's order book."""
    request = m.RecordRequest(symbol=params.symbol, stop=True, reason=params.reason)
    return client(params).post("record", request)


def jobs_run(params: p.JobsRunParams) -> Done:
    """Run a job now."""
    return client(params).post("jobs", m.JobRequest(name=params.name, reason=params.reason))


def jobs_report(params: p.JobsReportParams) -> Done:
    """Say how a job ended."""
    ended = time.time_ns()
    request = m.JobReportRequest(
        name=params.name,
        status=params.status,
        started=ended - int(params.seconds * 1e9),
        ended=ended,
        detail=params.detail,
    )
    return client(params).post("job-report", request)


def reload(params: p.ReloadParams) -> Done:
    """Read the configuration again."""
    return client(params).post("reload", m.ReloadRequest(reason=params.reason), again=True)


def log_level(params: p.LogLevelParams) -> Done:
    """Change what is logged."""
    request = m.LogLevelRequest(level=params.level, minutes=params.minutes, reason=params.reason)
    return client(params).post("log-level", request, again=True)


def approve(params: p.DecideParams) -> Done:
    """Let a waiting entry go."""
    return client(params).post(
        "approve", m.DecideRequest(order_id=params.order_id, reason=params.reason)
    )


def reject(params: p.DecideParams) -> Done:
    """Turn a waiting entry down."""
    return client(params).post(
        "reject", m.DecideRequest(order_id=params.order_id, reason=params.reason)
    )


def adopt(params: p.AdoptParams) -> Done:
    """Book what others traded."""
    return confirmed(
        params.instance,
        f"what others traded in the account of {params.instance} is booked as it is at the broker",
        m.AdoptRequest(reason=reason(params.reason), confirm=params.confirm),
        lambda ready: client(params).post("adopt", ready),
        always=True,
    )


def acknowledge(params: p.AcknowledgeParams) -> Done:
    """Stop an alert from escalating."""
    request = m.AcknowledgeRequest(key=params.key, reason=params.reason)
    return client(params).post("acknowledge", request, again=True)


def drill(params: p.DrillParams) -> Done:
    """Freeze one part on purpose."""
    request = m.DrillRequest(
        part=params.part,
        seconds=params.seconds,
        reason=reason(params.reason),
        confirm=params.confirm,
    )
    return confirmed(
        params.instance,
        f"{params.part} of {params.instance} is frozen for {params.seconds:g} s",
        request,
        lambda ready: client(params).post("drill", ready),
        always=True,
    )
