"""The literal table of commands; each verb's parameter structs live in the module beside it."""

from typing import Any

from tradingd.cli import (
    analyze,
    analyze_depth,
    audit,
    backfill,
    backtest,
    config,
    contracts,
    control,
    control_calendar,
    data,
    doctor,
    features,
    journal,
    kill,
    model,
    model_parity,
    model_train,
    record,
    run,
    runs,
    scan,
    sim,
    top,
    universe,
    validate,
    verify,
)
from tradingd.cli.command import Command

TRADINGD: tuple[Command[Any, Any], ...] = (
    *run.COMMANDS,
    *backtest.COMMANDS,
    *validate.COMMANDS,
    *runs.COMMANDS,
    *journal.COMMANDS,
    *data.COMMANDS,
    *universe.COMMANDS,
    *features.COMMANDS,
    *backfill.COMMANDS,
    *record.COMMANDS,
    *analyze.COMMANDS,
    *analyze_depth.COMMANDS,
    *model.COMMANDS,
    *model_train.COMMANDS,
    *model_parity.COMMANDS,
    *config.COMMANDS,
    *contracts.COMMANDS,
    *scan.COMMANDS,
    *doctor.COMMANDS,
    *sim.COMMANDS,
    *verify.COMMANDS,
    *kill.COMMANDS,
)
TRADINGCTL: tuple[Command[Any, Any], ...] = (
    *control.COMMANDS,
    *top.COMMANDS,
    *control_calendar.COMMANDS,
    *audit.COMMANDS,
)
