"""Put runs side by side: every metric, and the inputs that differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tradingd.results.catalog import Run
from tradingd.results.metrics import show


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of all runs; `differences` are against the first run, None where undefined."""

    name: str
    title: str
    unit: str
    values: tuple[Any, ...]
    differences: tuple[float | None, ...]

    def texts(self) -> list[str]:
        """Return the values as a person reads them."""
        return [show(value, self.unit) for value in self.values]


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    """One input that differs between runs; None where a run does not have it."""

    key: str
    values: tuple[Any, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Runs side by side."""

    runs: tuple[str, ...]
    warnings: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    inputs: tuple[InputRow, ...]


def compare(runs: Sequence[Run]) -> Comparison:
    """Compare finished runs; warn where their numbers do not stand on the same data."""
    return Comparison(
        runs=tuple(run.run_id for run in runs),
        warnings=tuple(_warnings(runs)),
        metrics=tuple(_metrics(runs)),
        inputs=tuple(_inputs(runs)),
    )


def _warnings(runs: Sequence[Run]) -> list[str]:
    hashes = [run.manifest.data_hash for run in runs]
    if len(set(hashes)) == 1:
        return []
    shown = ", ".join(f"{run.run_id}: {run.manifest.data_hash[:8]}" for run in runs)
    return [f"the runs read different data ({shown}); differences may not come from the settings"]


def _metrics(runs: Sequence[Run]) -> list[MetricRow]:
    rows = []
    for lines in zip(*(run.metrics.lines() for run in runs), strict=True):
        values = tuple(line.value for line in lines)
        differences = tuple(_difference(values[0], value) for value in values)
        first = lines[0]
        rows.append(
            MetricRow(
                name=first.name,
                title=first.title,
                unit=first.unit,
                values=values,
                differences=differences,
            )
        )
    return rows


def _difference(first: Any, other: Any) -> float | None:
    try:
        return float(f"{float(other - first):.10g}")
    except TypeError:  # a date, or an undefined metric
        return None


def _inputs(runs: Sequence[Run]) -> list[InputRow]:
    trees = [_flat(_decisive(run)) for run in runs]
    rows = []
    for key in sorted(set().union(*trees)):
        values = tuple(tree.get(key) for tree in trees)
        if any(value != values[0] for value in values):
            rows.append(InputRow(key=key, values=values))
    return rows


def _decisive(run: Run) -> dict[str, Any]:
    """Return what may explain a difference: the configuration, then code and packages."""
    manifest = run.manifest
    return manifest.config | {
        "code": {
            "tradingd": manifest.tradingd,
            "python": manifest.python,
            "git_commit": manifest.git_commit,
            "git_dirty": manifest.git_dirty,
            "packages": manifest.packages,
        },
        "data_hash": manifest.data_hash[:16],
    }


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
