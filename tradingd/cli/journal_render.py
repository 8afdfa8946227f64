"""Print the journal for a person: one table, one SUMMARY line; times in exchange time."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tradingd.cli import screen
from tradingd.cli.journal_place import shown_time

type Columns = Mapping[str, Callable[[Any], object]]


def render_runs(result: Any) -> None:
    """Print one line a process."""
    _show(
        result,
        {
            "run": lambda row: row.run_id,
            "started (New York)": lambda row: shown_time(row.started),
            "ended": lambda row: shown_time(row.ended),
            "mode": lambda row: row.mode,
            "strategy": lambda row: row.strategy,
            "data": lambda row: row.data,
            "configuration": lambda row: row.config_hash[:12],
            "outcome": lambda row: row.outcome or ("" if row.ended else "did not end"),
        },
    )


def render_signals(result: Any) -> None:
    """Print one line a signal."""
    _show(
        result,
        {
            "time (New York)": lambda row: shown_time(row.ts),
            "strategy": lambda row: row.strategy,
            "symbol": lambda row: row.symbol,
            "action": lambda row: row.action,
            "quantity": lambda row: row.quantity,
            "order": lambda row: row.order_id,
            "reason": lambda row: row.reason,
        },
    )


def render_orders(result: Any) -> None:
    """Print one line an order."""
    _show(
        result,
        {
            "order": lambda row: row.order_id,
            "time (New York)": lambda row: shown_time(row.ts),
            "strategy": lambda row: row.strategy,
            "symbol": lambda row: row.symbol,
            "side": lambda row: row.side,
            "quantity": lambda row: row.quantity,
            "filled": lambda row: row.filled,
            "average": lambda row: _price(row.paid / row.filled if row.filled else None),
            "type": lambda row: row.type,
            "limit": lambda row: _price(row.limit),
            "stop": lambda row: _price(row.stop),
            "purpose": lambda row: row.purpose,
            "state": lambda row: row.state,
            "why": lambda row: row.note or row.reason,
        },
    )


def render_fills(result: Any) -> None:
    """Print one line an execution."""
    _show(
        result,
        {
            "time (New York)": lambda row: shown_time(row.ts),
            "order": lambda row: row.order_id,
            "strategy": lambda row: row.strategy,
            "symbol": lambda row: row.symbol,
            "side": lambda row: row.side,
            "quantity": lambda row: row.quantity,
            "price": lambda row: _price(row.price),
            "fees": lambda row: _dollars(row.commission),
            "slippage": lambda row: _dollars(row.slippage),
            "purpose": lambda row: row.purpose,
            "position": lambda row: row.position_after,
        },
        fees=lambda rows: _dollars(sum((row.commission for row in rows), Decimal(0))),
    )


def render_trades(result: Any) -> None:
    """Print one line a round trip."""
    _show(
        result,
        {
            "opened (New York)": lambda row: shown_time(row.ts_opened),
            "closed": lambda row: shown_time(row.ts_closed),
            "strategy": lambda row: row.strategy,
            "symbol": lambda row: row.symbol,
            "side": lambda row: row.side,
            "quantity": lambda row: row.quantity,
            "entry": lambda row: _price(row.entry_price),
            "exit": lambda row: _price(row.exit_price),
            "net": lambda row: _dollars(row.realised),
            "fees": lambda row: _dollars(row.commission),
            "entered": lambda row: row.entry_reason,
            "left": lambda row: row.exit_reason,
        },
        net=lambda rows: _dollars(sum((row.realised for row in rows), Decimal(0))),
    )


def render_decisions(result: Any) -> None:
    """Print one line a denial."""
    _show(
        result,
        {
            "time (New York)": lambda row: shown_time(row.ts),
            "order": lambda row: row.order_id,
            "strategy": lambda row: row.strategy,
            "symbol": lambda row: row.symbol,
            "side": lambda row: row.side,
            "quantity": lambda row: row.quantity,
            "limit": lambda row: row.limit,
            "observed": lambda row: row.observed,
            "allowed": lambda row: row.allowed,
            "explanation": lambda row: row.explanation,
        },
    )


def render_positions(result: Any) -> None:
    """Print one line a position."""
    _show(
        result,
        {
            "symbol": lambda row: row.symbol,
            "strategy": lambda row: row.strategy,
            "quantity": lambda row: row.quantity,
            "entry": lambda row: _price(row.entry_price),
            "cost": lambda row: _dollars(row.cost),
            "opened (New York)": lambda row: shown_time(row.ts_opened),
        },
    )


def render_stats(result: Any) -> None:
    """Print a line a strategy and one for all together."""
    columns: Columns = {
        "strategy": lambda row: row.strategy or "all",
        "trades": lambda row: row.trades,
        "wins": lambda row: row.wins,
        "losses": lambda row: row.losses,
        "win rate": lambda row: _percent(row.win_rate),
        "net": lambda row: _dollars(row.net),
        "gross": lambda row: _dollars(row.gross),
        "fees": lambda row: _dollars(row.fees),
        "slippage": lambda row: _dollars(row.slippage),
        "average win": lambda row: _dollars(row.average_win),
        "average loss": lambda row: _dollars(row.average_loss),
        "profit factor": lambda row: _ratio(row.profit_factor),
    }
    everything = result.rows[-1]
    rows = result.rows if len(result.rows) > 2 else result.rows[:1]
    screen.table("", tuple(columns), [_cells(columns, row) for row in rows])
    screen.summary(
        {
            "trades": everything.trades,
            "net": _dollars(everything.net),
            "win_rate": _percent(everything.win_rate),
            "profit_factor": _ratio(everything.profit_factor),
            "file": result.file,
        }
    )


def render_export(result: Any) -> None:
    """Print one line a file."""
    rows = [(one.table, one.rows, one.file) for one in result.tables]
    screen.table("", ("table", "rows", "file"), rows)
    total = sum(one.rows for one in result.tables)
    screen.summary({"tables": len(rows), "rows": total, "folder": result.folder})


def _show(result: Any, columns: Columns, **sums: Callable[[Any], object]) -> None:
    """Print the rows, and a SUMMARY with how many of all are shown and what they add up to."""
    if result.rows:
        screen.table("", tuple(columns), [_cells(columns, row) for row in result.rows])
    shown = len(result.rows)
    rows = str(shown) if shown == result.total else f"{shown} of={result.total}"
    added = {name: total(result.rows) for name, total in sums.items()}
    screen.summary({"rows": rows, **added, "file": result.file})


def _cells(columns: Columns, row: Any) -> tuple[object, ...]:
    return tuple(show(row) for show in columns.values())


def _price(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.4f}"


def _dollars(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f}%"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
