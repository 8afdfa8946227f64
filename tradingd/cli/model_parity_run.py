"""Run `tradingd model parity` for a person."""

import datetime as dt
from pathlib import Path

import msgspec

from tradingd.app.model_parity import ModelParity, Parity, model_parity
from tradingd.app.model_parity_compare import Difference
from tradingd.cli import model_parity as parameters
from tradingd.cli import screen
from tradingd.config.instance import instance_file
from tradingd.config.load import load
from tradingd.kits.failure import ExitCode

_SHOWN = 20


class ParityResult(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model parity`."""

    exit_code: int
    holds: bool
    parity: Parity


def run_parity(params: parameters.ParityParams) -> ParityResult:
    """Compare a session's record with the store."""
    overlay = Path(params.overlay) if params.overlay else None
    named = params.instance if instance_file(params.instance, overlay) else None
    config = load(params.overrides, overlay=overlay, instance=named).config
    found = model_parity(config, params.instance, _day(params.start), _day(params.end))
    return ParityResult(
        exit_code=ExitCode.OK if found.holds else ExitCode.QUALITY, holds=found.holds, parity=found
    )


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def render_parity(result: ParityResult) -> None:
    """Print what each model's rows show, what differs, and one SUMMARY line."""
    for one in result.parity.models:
        _render_model(one)
    every = [one.compared for one in result.parity.models]
    screen.summary(
        {
            "rows": sum(one.rows for one in every),
            "absent": sum(one.absent for one in every),
            "outside": sum(one.outside for one in every),
            "predictions": sum(one.predictions for one in every),
            "repeats_differ": sum(one.repeats_differ for one in every),
            "differ": sum(len(one.differences) for one in every),
            "unexplained": sum(one.unexplained for one in every),
            "holds": result.holds,
        }
    )


def _render_model(one: ModelParity) -> None:
    found = one.compared
    screen.table(
        "",
        (f"{one.model} ({one.role})", ""),
        [
            ("rows compared", f"{found.rows:,}"),
            ("rows whose bar the store does not have", f"{found.absent:,}"),
            ("values of features outside 1e-9", f"{found.outside:,}"),
            ("predictions", f"{found.predictions:,}"),
            ("not repeated bit for bit", f"{found.repeats_differ:,}"),
            ("other with the store's row", f"{len(found.differences):,}"),
            ("of those unexplained", f"{found.unexplained:,}"),
        ],
    )
    if outside := [each for each in found.features if each.outside]:
        screen.table(
            "Features outside 1e-9",
            ("feature", "rows outside", "rows that differ", "worst, in tolerances"),
            [(each.name, each.outside, each.differ, f"{each.worst:.3g}") for each in outside],
        )
    if found.differences:
        screen.table(
            "Predictions that differ",
            ("symbol", "at (UTC)", "session", "store", "a threshold between"),
            [_row(each) for each in found.differences[:_SHOWN]],
        )


def _row(one: Difference) -> tuple[str, str, str, str, str]:
    near = ", ".join(f"{each.feature} {each.threshold:.9g}" for each in one.near[:2])
    return (
        one.symbol,
        f"{one.at:%Y-%m-%d %H:%M}",
        f"{one.session:.9g}",
        f"{one.store:.9g}",
        near or "none: unexplained",
    )
