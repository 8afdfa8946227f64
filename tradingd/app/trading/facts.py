"""What the verbs of the control socket need to know of the session."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import (
    ConfigView,
    HealthView,
    JobView,
    ModelView,
    OrderView,
    PositionView,
    Recording,
    Status,
    TradeView,
)

type Drill = Callable[[float], Awaitable[None]]


class Facts(msgspec.Struct, kw_only=True):
    """Questions and levers of a session; the composition root fills them in."""

    instance: str
    live: bool
    strategies: Sequence[str]
    symbols: Sequence[str]
    status: Callable[[], Status]
    health: Callable[[], HealthView]
    jobs: Callable[[], Sequence[JobView]]
    config: Callable[[], ConfigView]
    positions: Callable[[], Sequence[PositionView]]
    recording: Callable[[], Recording]
    model: Callable[[], ModelView]
    record: Callable[[str, bool], Awaitable[str]]
    reload: Callable[[], Awaitable[tuple[tuple[str, str, str], ...]]]
    run_job: Callable[[str], Awaitable[str]]
    report_job: Callable[[m.JobReportRequest], Awaitable[str]]
    set_log_level: Callable[[str, int | None], str]
    acknowledge: Callable[[str], bool]
    approve: Callable[[str, str], Awaitable[bool]]
    reject: Callable[[str, str], Awaitable[bool]]
    adopt: Callable[[str, str], Awaitable[tuple[Sequence[str], Sequence[str]]]]
    reconcile: Callable[[], Awaitable[tuple[Sequence[str], Sequence[str]]]]
    cancel_foreign: Callable[[str], Awaitable[str]]
    latched: Callable[[], str | None]
    resumed: Callable[[], None]
    drills: Mapping[str, Drill]
    trades: Callable[[int], Awaitable[Sequence[TradeView]]]
    orders_today: Callable[[], Sequence[OrderView]]
