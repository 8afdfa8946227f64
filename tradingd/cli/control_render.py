"""Print the daemon's answers for a person."""

import sys

import msgspec
from rich.table import Table
from rich.text import Text

from tradingd.cli import screen
from tradingd.cli.control_format import clean, exchange_time, label, money, signed, span
from tradingd.control.answers import (
    ConfigView,
    Done,
    Event,
    HealthView,
    Jobs,
    Labelled,
    Limits,
    ModelView,
    Orders,
    Positions,
    Recording,
    StateView,
    Status,
    Trades,
)

STATE_STYLE = {
    "RUNNING": "bold green",
    "PAUSED": "bold yellow",
    "HALTED": "bold red",
    "FLATTENING": "bold red",
    "FLAT": "bold magenta",
}
GRADE_STYLE = {"OK": "green", "DEGRADED": "yellow", "FAILED": "bold red"}


def banner(instance: str, mode: str, synthetic: bool) -> Text:
    """Return instance and label, live money in red."""
    style = "bold white on red" if mode == "live" else "bold cyan"
    return Text.assemble((f" {clean(instance)} ", "bold"), (f" {label(mode, synthetic)} ", style))


def status(answer: Status) -> None:
    """Print the whole picture."""
    out = screen.console()
    out.print(banner(answer.instance, answer.mode, answer.synthetic))
    state = Text(answer.state, STATE_STYLE.get(answer.state, "bold"))
    grid = Table.grid(padding=(0, 3))
    for name, value in _status_rows(answer):
        grid.add_row(name, Text(clean(value)) if isinstance(value, str) else value)
    out.print(Text.assemble(" ", state, f"  {clean(answer.phase)}  health {clean(answer.health)}"))
    out.print(grid)
    if answer.states:
        screen.table(
            "States in force",
            ("scope", "state", "since", "until", "author", "reason"),
            [_state_row(view) for view in answer.states],
        )


def _streak(losses: int) -> str:
    return "1 loss" if losses == 1 else f"{losses} losses in a row"


def _status_rows(answer: Status) -> list[tuple[str, str | Text]]:
    limit = answer.drawdown_limit_percent
    of_limit = f" of {limit:g} %" if limit is not None else ""
    session = "open" if answer.session_open else "closed"
    unknown = Text(str(answer.unknown_orders), "bold red" if answer.unknown_orders else "")
    return [
        ("  strategy", answer.strategy),
        ("  broker", _account(answer)),
        ("  feed", f"{answer.feed}, {answer.feed_lag_seconds:.1f} s behind, session {session}"),
        *([("  model", answer.model)] if answer.model else []),
        ("  data time", exchange_time(answer.data_time) + " ET"),
        ("  equity", f"{money(answer.equity)}, cash {money(answer.cash)}"),
        (
            "  today",
            f"{signed(answer.day_pnl)}, realised {signed(answer.realised_today)}, "
            f"{answer.trades_today} trades, {_streak(answer.loss_streak)}",
        ),
        (
            "  drawdown",
            f"{answer.drawdown_percent:.2f} %{of_limit} from {money(answer.day_peak)}",
        ),
        ("  positions", str(answer.positions)),
        ("  orders", Text.assemble(f"{answer.open_orders} open, ", unknown, " unknown")),
        (
            "  up",
            f"{span(answer.wall_time - answer.started)}, run {answer.run_id}, "
            f"version {answer.version}, config {answer.config_hash[:12]}",
        ),
    ]


def _account(answer: Status) -> Text:
    where = f"{answer.broker}, account {answer.account}"
    if not answer.arming:
        return Text(where)
    style = "bold red" if answer.armed else "bold yellow"
    return Text.assemble(f"{where}, ", (answer.arming, style))


def _state_row(view: StateView) -> list[object]:
    since, until = exchange_time(view.since), exchange_time(view.expires)
    return [*map(_cell, (view.scope, view.state, since, until, view.author, view.reason))]


def health(answer: HealthView) -> None:
    """Print every check, and what to do about those that are not OK."""
    out = screen.console()
    live, ready = ("yes" if flag else "NO" for flag in (answer.live, answer.ready))
    grade = Text(answer.grade, GRADE_STYLE.get(answer.grade, ""))
    out.print(Text.assemble(" health ", grade, f"  live: {live}  ready: {ready}"))
    screen.table(
        "",
        ("check", "grade", "value", "limit", "since", "what the daemon does", "what you can do"),
        [
            [
                *map(
                    _cell,
                    (
                        check.name + (" (critical)" if check.critical else ""),
                        check.grade,
                        check.value,
                        check.limit,
                        exchange_time(check.since),
                        check.action,
                        check.next_step,
                    ),
                )
            ]
            for check in answer.checks
        ],
    )


def positions(answer: Positions) -> None:
    """Print the open positions."""
    _listed(
        answer,
        "no open positions",
        ("symbol", "strategy", "shares", "entry", "mark", "value", "unrealised", "stop"),
        [
            (
                one.symbol,
                one.strategy,
                one.quantity,
                money(one.entry_price),
                money(one.mark),
                money(one.value),
                signed(one.unrealised),
                money(one.stop) or "NONE",
            )
            for one in answer.positions
        ],
    )


def orders(answer: Orders) -> None:
    """Print the orders."""
    _listed(
        answer,
        "no orders",
        (
            "order", "time (ET)", "strategy", "symbol", "side", "shares", "filled", "type",
            "limit", "stop", "state", "purpose", "reason", "note",
        ),
        [
            (
                one.order_id, exchange_time(one.wall, day=False), one.strategy, one.symbol,
                one.side, one.quantity, one.filled, one.type, money(one.limit), money(one.stop),
                one.state, one.purpose, one.reason, one.note,
            )
            for one in answer.orders
        ],
    )  # fmt: skip


def trades(answer: Trades) -> None:
    """Print the round trips."""
    _listed(
        answer,
        "no round trips",
        (
            "closed (ET)", "symbol", "strategy", "side", "shares", "entry", "exit", "net",
            "held", "in because", "out because",
        ),
        [
            (
                exchange_time(one.ts_closed), one.symbol, one.strategy, one.side, one.quantity,
                money(one.entry_price), money(one.exit_price), signed(one.net),
                span(one.ts_closed - one.ts_opened), one.entry_reason, one.exit_reason,
            )
            for one in answer.trades
        ],
    )  # fmt: skip


def limits(answer: Limits) -> None:
    """Print the limits; what differs from the configuration is an override."""
    _listed(
        answer,
        "no limits",
        ("limit", "in force", "configured", "override until (ET)", "checked", "denied"),
        [
            (
                one.key,
                one.value,
                one.configured,
                exchange_time(one.expires),
                one.checked,
                one.denied,
            )
            for one in answer.limits
        ],
    )


def jobs(answer: Jobs) -> None:
    """Print the jobs."""
    _listed(
        answer,
        "no jobs",
        ("job", "where", "next (ET)", "last (ET)", "result", "detail"),
        [
            (
                one.name,
                one.where,
                exchange_time(one.next_due),
                exchange_time(one.last_due),
                one.last_status,
                one.detail,
            )
            for one in answer.jobs
        ],
    )


def recording(answer: Recording) -> None:
    """Print the recorder: its state, the books, the line."""
    _listed(
        answer,
        "no order book is recorded",
        ("book", "events", "rows", "gaps", "last (ET)", "now"),
        [
            (
                one.symbol,
                one.events,
                one.rows,
                one.gaps,
                exchange_time(one.last_ts or None),
                one.trouble or "sound",
            )
            for one in answer.books
        ],
    )
    if answer.why:
        sys.stdout.write(f"{answer.state}: {clean(answer.why)}\n")
    for symbol, why in answer.refused.items():
        sys.stdout.write(f"refused {symbol}: {clean(why)}\n")
    screen.summary(
        {
            "state": answer.state,
            "books": f"{len(answer.books)}/{answer.slots}",
            "line": ",".join(answer.queue) or "-",
            "events": answer.events,
            "rows": answer.rows,
            "lost": answer.dropped,
        }
    )


def model(answer: ModelView) -> None:
    """Print who advises: since when, until when, drift, answers, challenger, records."""
    screen.console().print(banner(answer.instance, answer.mode, answer.synthetic))
    sys.stdout.write("".join(f"{name:<11} {clean(text)}\n" for name, text in _model(answer)))
    screen.summary(
        {
            "model": answer.model or "none",
            "abstains": "yes" if answer.why else "no",
            "drift": "-" if answer.drift is None else f"{answer.drift:.3f}",
            "opinions": answer.answers.get("opinion", 0),
            "abstentions": sum(answer.answers.values()) - answer.answers.get("opinion", 0),
            "challenger": answer.challenger or "none",
            "recorded": answer.recorded,
            "lost": answer.unrecorded,
        }
    )


def _model(answer: ModelView) -> list[tuple[str, str]]:
    lines = [("model", f"{answer.model or 'none'} ({answer.configured})")]
    if answer.why:
        lines.append(("abstains", answer.why))
    if answer.model:
        lines.append(("served", f"since {exchange_time(answer.since)}"))
        lines.append(("expires", exchange_time(answer.expires)))
        lines.append(("drift", _drift(answer)))
    told = ", ".join(f"{count} {reason}" for reason, count in answer.answers.items())
    lines.append(("answers", told or "nobody asked yet"))
    if answer.latency_p99_us is not None:
        lines.append(("latency", f"p99 {answer.latency_p99_us:.0f} us of the latest answers"))
    challenger = answer.challenger or "none"
    if answer.challenger:
        challenger += f", {answer.challenger_predictions} predictions"
    elif answer.challenger_why:
        challenger += f": {answer.challenger_why}"
    lines.append(("challenger", challenger))
    records = f"{answer.recorded} predictions in {answer.records}" if answer.records else "none"
    if answer.trouble:
        records += f"; not written now: {answer.trouble}"
    lines.append(("records", records))
    return lines


def _drift(answer: ModelView) -> str:
    if answer.drift is None:
        return f"not measured: {answer.drift_sessions} of {answer.drift_needs} sessions"
    worst = ", ".join(f"{one.feature} {one.index:.2f}" for one in answer.worst)
    return f"PSI {answer.drift:.3f} of {answer.drift_limit or 0:.2f} allowed; most by {worst}"


def config(answer: ConfigView) -> None:
    """Print the configuration as `key: value` lines with the whole path, and its hash."""
    for path, value in _leaves("", answer.tree):
        sys.stdout.write(f"{clean(path)}: {clean(value)}\n")
    screen.summary({"hash": answer.hash})


def _leaves(path: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        below = (_leaves(f"{path}.{key}" if path else str(key), one) for key, one in value.items())
        return [leaf for leaves in below for leaf in leaves]
    return [(path, msgspec.json.encode(value).decode())]


def event(one: Event) -> None:
    """Print one line of the event stream: number, exchange time, kind, text."""
    when = exchange_time(one.ts or one.wall)
    sys.stdout.write(f"{one.seq:>6}  {when}  {clean(one.kind):<10}  {clean(one.text)}\n")


def done(answer: Done) -> None:
    """Print what changed."""
    out = screen.console()
    verified = {None: "", True: ", verified with the broker", False: ", NOT VERIFIED"}
    took = f" ({answer.seconds * 1000:.1f} ms)" if answer.seconds else ""
    out.print(Text(f"{clean(answer.done)}{verified[answer.verified]}{took}"), soft_wrap=True)
    for what, before, after in answer.changes:
        out.print(Text(f"  {clean(what)}: {clean(before)} -> {clean(after)}"), soft_wrap=True)
    if answer.orders:
        out.print(Text("  orders: " + ", ".join(map(clean, answer.orders))), soft_wrap=True)


def _listed(
    answer: Labelled, empty: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    screen.console().print(banner(answer.instance, answer.mode, answer.synthetic))
    if rows:
        screen.table("", columns, [[_cell(cell) for cell in row] for row in rows])
    else:
        screen.console().print(Text(f" {empty}"))


def _cell(value: object) -> str:
    """Return a table cell on one line, without control characters."""
    return clean(value) if value is not None else ""
