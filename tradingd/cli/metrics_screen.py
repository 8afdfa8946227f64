"""The metrics of a run as a table that fits a terminal: groups side by side."""

from itertools import zip_longest

from tradingd.cli import screen
from tradingd.results.metrics import Line, Metrics

_LEFT = ("account", "returns", "luck")


def show_metrics(title: str, metrics: Metrics) -> None:
    """Print every metric, account and returns on the left, trades and costs on the right."""
    lines = list(metrics.lines())
    left = [line for line in lines if line.group in _LEFT]
    right = [line for line in lines if line.group not in _LEFT]
    rows = [(*_cells(one), *_cells(other)) for one, other in zip_longest(left, right)]
    screen.table(title, ["account and returns", "value", "trades and costs", "value "], rows)
    if metrics.denials:
        denials = sorted(metrics.denials.items(), key=lambda item: (-item[1], item[0]))
        screen.table("orders denied or given up", ["limit", "orders"], denials)
    _show_undefined(metrics)


def _show_undefined(metrics: Metrics) -> None:
    """Say why a metric is a dash, one line a reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in metrics.undefined.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        text = f"not defined: {', '.join(names)}: {reason}"
        screen.console().print(text, markup=False, soft_wrap=True)


def _cells(line: Line | None) -> tuple[str, str]:
    return (line.title, line.text) if line else ("", "")
