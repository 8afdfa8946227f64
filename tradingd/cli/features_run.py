"""Run `tradingd features` for a person: tables, one SUMMARY line."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec

from tradingd.app.featuring.checked import Checked, check_features
from tradingd.app.featuring.described import (
    Described,
    Drifted,
    describe_features,
    materialise_features,
    measure_drift,
)
from tradingd.app.featuring.kinds import KindList, SetFacts, kinds, show
from tradingd.cli import features as parameters
from tradingd.cli import screen
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.domain.market import NANOSECONDS
from tradingd.features.check import FeatureCheck
from tradingd.features.materialise import Materialised
from tradingd.features.proofs import Problem


def _config(params: Any) -> SystemConfig:
    overlay = Path(params.overlay) if params.overlay else None
    return load(params.overrides, overlay=overlay).config


def run_list(params: parameters.ListParams) -> KindList:
    """List kinds."""
    return kinds(params.words)


def render_list(result: KindList) -> None:
    """Print one line per kind."""
    rows = [(one.family, one.kind, _params(one.params), one.summary) for one in result.kinds]
    screen.table("", ("family", "kind", "parameters", "what it is"), rows)
    screen.summary({"kinds": len(rows), "families": len({row[0] for row in rows})})


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{name}={'?' if one is None else one}" for name, one in params.items())


def run_show(params: parameters.ShowParams) -> SetFacts:
    """Compile the declared features."""
    return show(_config(params))


def render_show(result: SetFacts) -> None:
    """Print one line per feature."""
    rows = [
        (one.name, one.kind, _params(one.params), ", ".join(one.needs), one.memory)
        for one in result.features
    ]
    screen.table("", ("feature", "kind", "parameters", "reads", "bars before"), rows)
    screen.summary(
        {
            "features": len(rows),
            "bars": result.bars,
            "benchmark": result.benchmark or "none",
            "memory": result.memory,
            "quotes": str(result.needs_quotes).lower(),
            "hash": result.hash,
        }
    )


def run_check(params: parameters.CheckParams) -> Checked:
    """Prove the declared features."""
    config = _config(params)
    with screen.progress("check, features") as meter:
        return check_features(
            config,
            symbols=params.symbols,
            only=params.only,
            start=params.start,
            end=params.end,
            bars=params.bars,
            cuts=params.cuts,
            seed=params.seed,
            progress=meter.reached,
        )


def render_check(result: Checked) -> None:
    """Print what was found of each feature, then what is wrong."""
    report = result.report
    columns = (
        "feature", "kind", "bars before", "missing", "outliers", "batch us", "live us", "proved",
    )  # fmt: skip
    screen.table("", columns, [_check_row(one) for one in report.features])
    wrong = [_problem_row(one, problem) for one in report.features for problem in one.problems]
    if wrong:
        names = ("feature", "proof", "what is wrong", "rows", "first at", "expected", "found")
        screen.table("Not to be trusted", names, wrong)
    screen.summary(
        {
            "features": len(report.features),
            "problems": result.problems,
            "symbols": len(report.symbols),
            "rows": report.rows,
            "cuts": report.cuts,
            "bars": report.bars,
            "hash": report.hash[:12],
        }
    )


def _check_row(one: FeatureCheck) -> tuple[object, ...]:
    proved = "no" if one.problems else "yes" if one.memory_proved else "all but memory: few bars"
    return (
        one.name,
        one.kind,
        one.memory,
        f"{one.values.missing:.1%}",
        one.values.outliers,
        f"{one.batch_us:.2f}",
        f"{one.live_us:.2f}",
        "no value" if one.values.empty and not one.problems else proved,
    )


def _problem_row(one: FeatureCheck, problem: Problem) -> tuple[object, ...]:
    place = f"{problem.symbol} {_utc(problem.ts)}" if problem.symbol else ""
    rows = problem.rows or ""
    return one.name, problem.proof, problem.why, rows, place, problem.expected, problem.found


def _utc(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts // NANOSECONDS, dt.UTC).strftime("%Y-%m-%d %H:%M")


def run_materialise(params: parameters.MaterialiseParams) -> Materialised:
    """Write the declared features of stored bars."""
    return materialise_features(_config(params), params.symbols, params.start, params.end)


def render_materialise(result: Materialised) -> None:
    """Print the counts."""
    screen.summary(msgspec.structs.asdict(result))


def run_report(params: parameters.ReportParams) -> Described:
    """Describe the values."""
    return describe_features(_config(params), params.symbols, params.start, params.end)


def render_report(result: Described) -> None:
    """Print one line per feature, those with trouble marked."""
    rows = [
        (
            one.name,
            f"{one.missing:.1%}",
            one.infinite,
            one.outliers,
            *(_digits(mark) for mark in (one.smallest, one.lower, one.median, one.upper)),
            _digits(one.largest),
            "no value" if one.empty else "constant" if one.constant else "",
        )
        for one in result.columns
    ]
    columns = (
        "feature", "missing", "infinite", "outliers", "smallest", "25 %", "median", "75 %",
        "largest", "note",
    )  # fmt: skip
    screen.table("", columns, rows)
    screen.summary(
        {
            "features": len(rows),
            "symbols": result.symbols,
            "rows": result.rows,
            "warm_up_rows": result.warm_up_rows,
            "first": result.first,
            "last": result.last,
            "infinite": sum(one.infinite for one in result.columns),
            "outliers": sum(one.outliers for one in result.columns),
            "empty": sum(one.empty for one in result.columns),
            "constant": sum(one.constant for one in result.columns),
        }
    )


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def run_drift(params: parameters.DriftParams) -> Drifted:
    """Compare the values since a day with those before."""
    config = _config(params)
    return measure_drift(config, params.since, params.symbols, params.start, params.end)


def render_drift(result: Drifted) -> None:
    """Print one line per feature, the worst first."""
    rows = [
        (
            one.name,
            f"{one.psi:.3f}",
            f"{one.psi_by_chance:.3f}",
            f"{one.ks:.3f}",
            f"{one.ks_by_chance:.3f}",
            "drifted" if one.drifted else "",
        )
        for one in result.columns
    ]
    screen.table("", ("feature", "PSI", "by chance", "KS", "by chance", ""), rows)
    screen.summary(
        {
            "features": len(rows),
            "drifted": result.drifted,
            "since": result.since,
            "rows_before": result.rows_before,
            "rows_since": result.rows_since,
        }
    )
