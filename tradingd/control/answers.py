"""What the control socket answers, version 1: one struct an answer.

Published as `contracts/control.v1.schema.json`. Money is text with a decimal point, times are UTC
nanoseconds, quantities whole shares. A field may be added; removing or changing one is version 2.
"""

from typing import Any

from tradingd.control.messages import Message
from tradingd.domain.health import Reading


class StateView(Message, frozen=True, kw_only=True):
    """One trading state in force."""

    scope: str
    state: str
    reason: str
    author: str
    since: int
    expires: int | None


class Status(Message, frozen=True, kw_only=True):
    """GET /v1/status: the whole picture in one answer.

    `arming` says in words whether a live instance may open anything; empty in paper. `armed_until`
    is wall time. `model` is the one that advises and why it abstains; empty where there is none.
    """

    instance: str
    mode: str
    version: str
    run_id: str
    phase: str
    ready: bool
    state: str
    states: tuple[StateView, ...]
    strategy: str
    broker: str
    account: str
    armed: bool
    feed: str
    synthetic: bool
    data_time: int
    wall_time: int
    session_open: bool
    feed_lag_seconds: float
    equity: str
    cash: str
    day_pnl: str
    realised_today: str
    drawdown_percent: float
    day_peak: str
    positions: int
    open_orders: int
    unknown_orders: int
    trades_today: int
    loss_streak: int
    fills: int
    health: str
    started: int
    config_hash: str
    status_line: str
    drawdown_limit_percent: float | None = None
    arming: str = ""
    armed_until: int | None = None
    model: str = ""


class HealthView(Message, frozen=True, kw_only=True):
    """GET /v1/health."""

    live: bool
    ready: bool
    grade: str
    checks: tuple[Reading, ...]


class PositionView(Message, frozen=True, kw_only=True):
    """One line of GET /v1/positions."""

    symbol: str
    strategy: str
    quantity: int
    entry_price: str
    mark: str
    value: str
    unrealised: str
    stop: str | None


class OrderView(Message, frozen=True, kw_only=True):
    """One line of GET /v1/orders."""

    order_id: str
    strategy: str
    symbol: str
    side: str
    quantity: int
    filled: int
    type: str
    purpose: str
    state: str
    limit: str | None
    stop: str | None
    reason: str
    wall: int
    note: str


class Labelled(Message, frozen=True, kw_only=True):
    """Base of every list: whose it is, with which money, on which data."""

    instance: str
    mode: str
    synthetic: bool


class Positions(Labelled, frozen=True, kw_only=True):
    """GET /v1/positions."""

    positions: tuple[PositionView, ...]


class Orders(Labelled, frozen=True, kw_only=True):
    """GET /v1/orders: the open ones, with `all=true` every one of the day."""

    orders: tuple[OrderView, ...]


class TradeView(Message, frozen=True, kw_only=True):
    """One round trip of GET /v1/trades."""

    symbol: str
    strategy: str
    side: str
    quantity: int
    entry_price: str
    exit_price: str
    net: str
    ts_opened: int
    ts_closed: int
    entry_reason: str
    exit_reason: str


class Trades(Labelled, frozen=True, kw_only=True):
    """GET /v1/trades: the last round trips, the newest last."""

    trades: tuple[TradeView, ...]


class LimitView(Message, frozen=True, kw_only=True):
    """One limit of GET /v1/limits: configured value, override, evaluations and denials so far."""

    key: str
    value: str
    configured: str
    expires: int | None
    checked: int
    denied: int


class Limits(Labelled, frozen=True, kw_only=True):
    """GET /v1/limits."""

    limits: tuple[LimitView, ...]


class JobView(Message, frozen=True, kw_only=True):
    """One job of GET /v1/jobs."""

    name: str
    where: str
    next_due: int | None
    last_due: int | None
    last_status: str
    detail: str


class Jobs(Labelled, frozen=True, kw_only=True):
    """GET /v1/jobs."""

    jobs: tuple[JobView, ...]


class BookView(Message, frozen=True, kw_only=True):
    """One order book that is recorded; `last_ts` is its last snapshot's time (UTC ns; 0: none).

    `trouble` says what is wrong with the book now (crossed, stale bid ...), empty when nothing is.
    """

    symbol: str
    events: int
    rows: int
    gaps: int
    last_ts: int
    trouble: str


class Recording(Labelled, frozen=True, kw_only=True):
    """GET /v1/record: the recorder of order books.

    `state` is off, starting, recording, failed or over, `why` the words to it; `dropped` counts
    records and rows that are lost.
    """

    state: str
    why: str
    source: str
    slots: int
    books: tuple[BookView, ...]
    queue: tuple[str, ...]
    refused: dict[str, str]
    events: int
    rows: int
    dropped: int
    flushed_seconds: float | None


class FeatureDrift(Message, frozen=True, kw_only=True):
    """One feature's population stability index."""

    feature: str
    index: float


class ModelView(Labelled, frozen=True, kw_only=True):
    """GET /v1/model: who advises the strategies.

    `model` is ``name@version``, empty while none is served; `why` it has no opinion, empty when it
    has; `since` and `expires` are session times (UTC ns). `answers` counts by abstention, an
    ``opinion`` is none. `drift` is the features' mean index by their gain, None while it was not
    measured: `drift_sessions` of `drift_needs` whole sessions are there; `worst` add most to it.
    `trouble` says why nothing is recorded now.
    """

    configured: str
    model: str
    why: str
    since: int | None
    expires: int | None
    answers: dict[str, int] = {}
    latency_p99_us: float | None = None
    drift: float | None = None
    drift_limit: float | None = None
    drift_sessions: int = 0
    drift_needs: int = 0
    worst: tuple[FeatureDrift, ...] = ()
    challenger: str = ""
    challenger_why: str = ""
    challenger_predictions: int = 0
    recorded: int = 0
    unrecorded: int = 0
    records: str = ""
    trouble: str = ""


class ConfigView(Message, frozen=True, kw_only=True):
    """GET /v1/config: the configuration in force, secrets as references only."""

    hash: str
    tree: dict[str, Any]


class Event(Message, frozen=True, kw_only=True):
    """One line of the stream GET /v1/events (newline-delimited JSON)."""

    seq: int
    kind: str
    text: str
    wall: int
    ts: int = 0
    fields: dict[str, str] = {}


class VerbView(Message, frozen=True, kw_only=True):
    """One verb in the list at GET /."""

    method: str
    path: str
    summary: str
    acts: bool
    confirm: str = ""


class Index(Message, frozen=True, kw_only=True):
    """GET /: what this socket understands."""

    program: str
    instance: str
    version: int
    verbs: tuple[VerbView, ...]


class Done(Message, frozen=True, kw_only=True):
    """Answer of every acting verb: what changed, old to new, and how long it took."""

    done: str
    changes: tuple[tuple[str, str, str], ...] = ()
    orders: tuple[str, ...] = ()
    verified: bool | None = None
    seconds: float = 0.0
