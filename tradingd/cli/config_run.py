"""Run the `tradingd config` commands; imported when one of them runs."""

from pathlib import Path

from tradingd.cli.config import (
    CheckParams,
    CheckReport,
    DiffParams,
    DiffReport,
    DiffRow,
    ExplainMember,
    ExplainParams,
    ExplainReport,
    ExplainRow,
    SchemaParams,
    SchemaReport,
    ShowParams,
    ShowReport,
)
from tradingd.config.diff import differences
from tradingd.config.environment import Environment, read_environment
from tradingd.config.explain import explain as explain_key
from tradingd.config.instance import read_instance
from tradingd.config.load import Sources
from tradingd.config.mode import BacktestMode
from tradingd.config.schema import json_schema
from tradingd.config.session_rules import session_refusal
from tradingd.config.system import SystemConfig
from tradingd.config.trees import find_overlay
from tradingd.session.calendar import SessionCalendar


def _sources(params: CheckParams | ShowParams | DiffParams | ExplainParams) -> Sources:
    folder = find_overlay(Path(params.overlay) if params.overlay is not None else None)
    instance = read_instance(params.instance, folder) if params.instance is not None else None
    return Sources(params.overrides, folder, read_environment(), instance)


def check(params: CheckParams) -> CheckReport:
    """Load the configuration and look its calendar up; nothing else happens."""
    sources = _sources(params)
    loaded = sources.load()
    SessionCalendar(loaded.config.session.calendar).sessions  # noqa: B018 - reading it checks it
    return CheckReport(
        hash=loaded.hash,
        mode=loaded.tree["mode"]["kind"],
        broker=loaded.tree["broker"]["kind"],
        strategy=loaded.tree["strategy"]["kind"],
        risk=loaded.config.risk.profile,
        overlay=str(sources.overlay) if sources.overlay else None,
        instance=params.instance,
        warnings=_warnings(loaded.config),
    )


def _warnings(config: SystemConfig) -> tuple[str, ...]:
    if isinstance(config.mode, BacktestMode):
        return ()
    refusal = session_refusal(config)
    return () if refusal is None else (f"tradingd run refuses this: {refusal.line()}",)


def show(params: ShowParams) -> ShowReport:
    """Return the configuration in force."""
    loaded = _sources(params).load()
    return ShowReport(hash=loaded.hash, config=loaded.tree)


def diff(params: DiffParams) -> DiffReport:
    """Compare with the packaged defaults, or with other overrides."""
    ours = _sources(params)
    if params.against:
        theirs = Sources(params.against, ours.overlay, ours.environment, ours.instance)
    else:
        theirs = Sources((), None, Environment(values={}))
    left, right = theirs.load(), ours.load()
    return DiffReport(
        left_name=" ".join(params.against) or "packaged defaults",
        right_name=" ".join(params.overrides) or "in force",
        left_hash=left.hash,
        right_hash=right.hash,
        differences=tuple(
            DiffRow(key=one.key, left=one.left, right=one.right)
            for one in differences(left.tree, right.tree)
        ),
    )


def explain(params: ExplainParams) -> ExplainReport:
    """Explain one key."""
    found = explain_key(params.key, _sources(params))
    return ExplainReport(
        key=found.key,
        value=found.value,
        expected=found.expected,
        unit=found.unit,
        description=found.description,
        default=found.default,
        required=found.required,
        winner=found.winner,
        layers=tuple(
            ExplainRow(layer=one.layer, place=one.place, value=one.value, wins=one.wins)
            for one in found.statements
        ),
        members=tuple(
            ExplainMember(key=one.key, value=one.value, winner=one.winner) for one in found.members
        ),
    )


def schema(params: SchemaParams) -> SchemaReport:
    """Return the JSON Schema."""
    return SchemaReport(schema=json_schema())
