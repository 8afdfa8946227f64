"""The two lines a person reads first: STATUS while it runs, the summary when it stops.

Money is text with two decimals here; the journal keeps the exact numbers.
"""

import msgspec

from tradingd.domain.money import Nanos, dollars
from tradingd.kits.failure import ExitCode


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the STATUS line shows.

    `day_pnl` in Nanos; `feed_lag` seconds of silence, None while no data is due; `note` what is
    wrong, empty when nothing is; `label` what the prices are, e.g. SYNTHETIC; `arming` whether a
    live session may open anything, empty in paper; `model` who advises, empty where nobody does.
    """

    state: str
    positions: int
    open_orders: int
    day_pnl: Nanos
    feed_lag: float | None
    label: str = ""
    note: str = ""
    arming: str = ""
    model: str = ""


def status_line(standing: Standing) -> str:
    """Return e.g. ``RUNNING, 2 positions, 3 orders, P&L today +12.30, feed lag 0.4 s``."""
    lag = "market closed" if standing.feed_lag is None else f"feed lag {standing.feed_lag:.1f} s"
    parts = [
        standing.state,
        standing.arming,
        _counted(standing.positions, "position"),
        _counted(standing.open_orders, "order"),
        f"P&L today {signed(standing.day_pnl)}",
        lag,
        standing.model,
        standing.label,
        standing.note,
    ]
    return ", ".join(part for part in parts if part)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How a process of the daemon ended; money in Nanos.

    `positions` are texts such as ``SPY +100``; `troubles` what did not go well while stopping.
    """

    instance: str
    mode: str
    why: str
    code: ExitCode
    seconds: float
    equity: Nanos
    day_pnl: Nanos
    run_pnl: Nanos
    positions: tuple[str, ...] = ()
    open_orders: tuple[str, ...] = ()
    fills: int = 0
    label: str = ""
    troubles: tuple[str, ...] = ()


def summary_line(summary: Summary) -> str:
    """Return the one line ``SUMMARY key=value ...`` that ends every session."""
    words = {
        "instance": summary.instance,
        "mode": summary.mode,
        "why": _quoted(summary.why),
        "exit": f"{summary.code.value} ({summary.code.name})",
        "ran": f"{summary.seconds:.1f}s",
        "equity": dollars(summary.equity),
        "pnl": signed(summary.run_pnl),
        "day_pnl": signed(summary.day_pnl),
        "fills": str(summary.fills),
        "positions": _listed(summary.positions),
        "open_orders": _listed(summary.open_orders),
        "data": _quoted(summary.label) if summary.label else "",
        "troubles": _quoted("; ".join(summary.troubles)) if summary.troubles else "none",
    }
    return "SUMMARY " + " ".join(f"{key}={text}" for key, text in words.items() if text)


def signed(nanos: Nanos) -> str:
    """Return money with two decimals and its sign."""
    text = dollars(nanos)
    return text if text.startswith("-") else f"+{text}"


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _listed(items: tuple[str, ...]) -> str:
    return f"{len(items)} ({', '.join(items)})" if items else "0"


def _quoted(text: str) -> str:
    """Return text in double quotes on one line."""
    return '"' + " ".join(text.split()).replace('"', "'") + '"'
