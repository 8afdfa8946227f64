"""Draw one frame of `tradingctl top`, at any size from 60 columns and 16 lines on."""

from rich import box
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tradingd.cli.control_format import clean, exchange_time, label, money, signed, span
from tradingd.cli.control_render import GRADE_STYLE, STATE_STYLE
from tradingd.cli.top_watch import Look
from tradingd.control.answers import Event, Status

WIDE = 110
"""Columns from which positions and orders stand side by side."""

_ACCOUNT_LINES = 5
_BAR = 20


def frame(look: Look, instance: str, width: int, height: int, now: float) -> RenderableType:
    """Return the whole screen.

    Parameters
    ----------
    look : Look
        What was seen last.
    width, height : int
        Size of the screen in characters.
    now : float
        Monotonic seconds, to say how old a look is.
    """
    if look.status is None:
        return _waiting(look, instance, height)
    body = height - 2 - _ACCOUNT_LINES
    layout = Layout()
    layout.split_column(
        Layout(_header(look.status, width), size=1),
        Layout(_account(look, width), size=_ACCOUNT_LINES),
        *_tables(look, width, body),
        Layout(_footer(look, now), size=1),
    )
    return layout


def _tables(look: Look, width: int, lines: int) -> list[Layout]:
    if width >= WIDE:
        events = max(5, lines // 3)
        pair = Layout(size=lines - events)
        pair.split_row(
            Layout(_positions(look, lines - events, width // 2)),
            Layout(_orders(look, lines - events, width - width // 2)),
        )
        return [pair, Layout(_events(look, events), size=events)]
    events, orders = max(4, lines // 4), max(4, lines // 3)
    positions = lines - events - orders
    return [
        Layout(_positions(look, positions, width), size=positions),
        Layout(_orders(look, orders, width), size=orders),
        Layout(_events(look, events), size=events),
    ]


def _header(status: Status, width: int) -> Text:
    live = status.mode == "live"
    session = "open" if status.session_open else "closed"
    left = Text.assemble(
        (f" {clean(status.instance)} ", "bold reverse"),
        (f" {label(status.mode, status.synthetic)} ", "bold white on red" if live else "bold cyan"),
        (f" {status.state} ", STATE_STYLE.get(status.state, "bold") + " reverse"),
        f" {clean(status.phase)} " if width >= WIDE or status.phase != "SESSION" else " ",
    )
    right = Text(f"{exchange_time(status.data_time)} ET {session} ")
    if left.cell_len + right.cell_len > width:
        right = Text(f"{exchange_time(status.data_time, day=False)} {session} ")
    left.truncate(max(0, width - right.cell_len))
    left.pad_right(max(0, width - left.cell_len - right.cell_len))
    return left + right


def _account(look: Look, width: int) -> RenderableType:
    status = look.status
    assert status is not None
    gain = "red" if status.day_pnl.startswith("-") else "green"
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=8, style="dim")
    grid.add_column(width=14, justify="right")
    grid.add_column(width=8, style="dim")
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_row("equity", money(status.equity), "health", _health(look))
    grid.add_row("day", Text(signed(status.day_pnl), gain), "drawdown", _drawdown(status, width))
    feed = f"{clean(status.feed)}, {status.feed_lag_seconds:.1f} s behind"
    grid.add_row("cash", money(status.cash), "feed", Text(feed, overflow="ellipsis"))
    grid.add_row("realised", signed(status.realised_today), "today", _counts(status))
    restricted = [view for view in status.states if view.state != "RUNNING"]
    why = "; ".join(
        f"{view.scope} {view.state} by {view.author}: {view.reason}" for view in restricted
    )
    standing = f"{status.strategy} on {status.broker} {status.account}"
    rest = ", ".join(part for part in (status.arming, why or standing) if part)
    grid.add_row(
        "up",
        span(status.wall_time - status.started),
        "",
        Text(clean(rest), "bold" if why or status.arming else ""),
    )
    return grid


def _counts(status: Status) -> Text:
    """Return the day's counts, what is wrong first: on a narrow screen the end is cut."""
    unknown = f"{status.unknown_orders} unknown, " if status.unknown_orders else ""
    losses = f", {status.loss_streak} lost in a row" if status.loss_streak > 1 else ""
    return Text.assemble(
        (unknown, "bold red"),
        f"{status.positions} positions, {status.open_orders} orders, {status.trades_today} trades",
        (losses, "yellow"),
        f", {status.fills} fills of this run",
        overflow="ellipsis",
    )


def _health(look: Look) -> Text:
    if look.health is None:
        return Text("?")
    bad = [check for check in look.health.checks if check.grade != "OK"]
    text = Text(look.health.grade, GRADE_STYLE.get(look.health.grade, ""), overflow="ellipsis")
    if not look.health.ready:
        text.append("  NOT READY", "bold red")
    for check in bad[:4]:
        text.append(f"  {clean(check.name)} {clean(check.value)}", GRADE_STYLE.get(check.grade, ""))
    return text


def _drawdown(status: Status, width: int) -> Text:
    limit = status.drawdown_limit_percent
    if not limit:
        return Text(f"{status.drawdown_percent:.2f} %")
    used = min(1.0, max(0.0, status.drawdown_percent / limit))
    cells = _BAR if width >= WIDE else _BAR // 2
    full = round(used * cells)
    style = "green" if used < 0.5 else "yellow" if used < 0.8 else "bold red"
    return Text.assemble(
        ("█" * full, style),
        ("░" * (cells - full), "dim"),
        f" {status.drawdown_percent:.2f} of {limit:g} %",
    )


def _grid(title: str, columns: tuple[str, ...], right: tuple[str, ...]) -> Table:
    grid = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        show_edge=False, expand=True, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim",
    )  # fmt: skip
    for name in columns:
        grid.add_column(
            name, justify="right" if name in right else "left", no_wrap=True, overflow="ellipsis"
        )
    return grid


def _positions(look: Look, lines: int, width: int) -> RenderableType:
    rows = lines - 3
    shown, more = look.positions[:rows], len(look.positions) - rows
    stops = width >= 70
    names = ("symbol", "shares", "entry", "mark", "unrealised", *(("stop",) if stops else ()))
    title = "Positions" + (f" ({len(look.positions)}, {more} not shown)" if more > 0 else "")
    grid = _grid(title, names, names[1:])
    for one in shown:
        loss = one.unrealised.startswith("-")
        cells: list[RenderableType] = [
            clean(one.symbol),
            f"{one.quantity:,}",
            money(one.entry_price),
            money(one.mark),
            Text(signed(one.unrealised), "red" if loss else "green"),
        ]
        if stops:
            cells.append(Text(money(one.stop)) if one.stop else Text("NONE", "bold red"))
        grid.add_row(*cells)
    return grid if look.positions else Group(Text("Positions", "bold"), Text("none", "dim"))


def _orders(look: Look, lines: int, width: int) -> RenderableType:
    rows = lines - 3
    newest = look.orders[-rows:] if rows > 0 else ()
    more = len(look.orders) - len(newest)
    names = ("time", "symbol", "side", "shares", "type", "price", "state")
    title = "Open orders" + (f" ({len(look.orders)}, {more} not shown)" if more > 0 else "")
    grid = _grid(title, names, ("shares", "price"))
    for one in newest:
        working = one.state == "WORKING"
        grid.add_row(
            exchange_time(one.wall, day=False),
            clean(one.symbol),
            clean(one.side),
            f"{one.filled:,}/{one.quantity:,}" if one.filled else f"{one.quantity:,}",
            clean(one.type),
            money(one.limit or one.stop),
            Text(clean(one.state), "" if working else "bold yellow"),
        )
    return grid if look.orders else Group(Text("Open orders", "bold"), Text("none", "dim"))


def _events(look: Look, lines: int) -> RenderableType:
    shown = look.events[-(lines - 1) :]
    return Group(Text("Events", "bold"), *(_event(one) for one in shown))


def _event(one: Event) -> Text:
    when = exchange_time(one.ts or one.wall, day=False)
    text = Text.assemble((when, "dim"), f" {clean(one.kind):<9} ", clean(one.text))
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _footer(look: Look, now: float) -> Text:
    if look.trouble:
        text = f" waiting, last seen {now - look.seen:.0f} s ago: {look.trouble}"
        return Text(text, "bold black on yellow", no_wrap=True, overflow="ellipsis")
    assert look.status is not None
    left = f" q leaves  run {look.status.run_id}  version {look.status.version}"
    return Text(clean(left), "dim", no_wrap=True, overflow="ellipsis")


def _waiting(look: Look, instance: str, height: int) -> RenderableType:
    text = Text.assemble(
        (f"waiting for the daemon of {instance}\n\n", "bold yellow"),
        (look.trouble.replace(" | ", "\n"), "dim"),
        "\n\nq leaves",
        justify="center",
    )
    return Panel(text, height=min(height, 12))
