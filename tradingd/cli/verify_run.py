"""Run `tradingd verify` and `tradingd repair`, and show a person what was found and done."""

import asyncio
import logging
import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradingd.app.verify import job
from tradingd.app.verify.applying import Repair
from tradingd.app.verify.report import Tolerances, VerifyReport
from tradingd.app.verify.same_broker import demand_same_broker
from tradingd.app.verify.steps import RepairReport
from tradingd.app.verify.verifying import verify as verified
from tradingd.cli import screen
from tradingd.cli.prompts import ask, at_terminal, demand_name
from tradingd.cli.verify import LookParams, RepairParams, VerifyParams
from tradingd.config.instance import instance_file
from tradingd.config.load import load
from tradingd.config.paths import state_root
from tradingd.control.client import ControlClient
from tradingd.kits.failure import ExitCode, Failure

_SHORTEST_REASON = 3


def verify(params: VerifyParams) -> VerifyReport:
    """Compare once.

    Raises
    ------
    Failure
        ``USAGE`` for an instance that never ran, else as `tradingd.app.verify.verifying.verify`.
    """
    look = _looker(params, "verify")
    if params.job:
        return job.daily(params.instance, state_root(params.instance), look)
    report = look()
    if params.report:
        job.keep(report, Path(params.report))
    return report


def repair(params: RepairParams) -> RepairReport:
    """Show the plan, or carry it out.

    Raises
    ------
    Failure
        ``USAGE`` without one of --dry-run and --apply or without a reason; ``REFUSED`` where a
        precondition does not hold: nothing has been done then.
    """
    if params.dry_run == params.apply:
        raise Failure(
            "repair shows a plan, or applies it",
            code=ExitCode.USAGE,
            expected="--dry-run or --apply",
            found="both" if params.apply else "neither",
            next_step=shlex.join(("tradingd", "repair", *_words(params), "--dry-run")),
        )
    work = Repair(
        params.instance,
        look=_looker(params, "repair", "--dry-run"),
        client=ControlClient(params.instance, timeout=120.0, wait=0.0),
        state=state_root(params.instance),
    )
    options = _options(params)
    if params.dry_run:
        return msgspec.structs.replace(work.plan(), options=options)
    if len(params.reason.strip()) < _SHORTEST_REASON:
        raise Failure(
            "a reason is needed",
            code=ExitCode.USAGE,
            where="--reason",
            expected=f"at least {_SHORTEST_REASON} characters",
        )
    prepared = msgspec.structs.replace(work.prepare(params.plan), options=options)
    if not prepared.steps:
        return prepared
    _confirm(params, prepared)
    return msgspec.structs.replace(work.apply(prepared, params.reason), options=options)


def _looker(params: LookParams, *command: str) -> Callable[[], VerifyReport]:
    """Return what compares once, with the configuration as it is now."""
    instance = params.instance
    state = state_root(instance)
    if not state.is_dir():
        raise Failure(
            f"there is no instance {instance}",
            code=ExitCode.USAGE,
            where=str(state),
            expected="the state folder of an instance that ran here",
            next_step="check the name; another user's instance needs that user or root",
        )
    overlay = Path(params.overlay) if params.overlay else None
    named = instance if instance_file(instance, overlay) else None
    config = load(params.overrides, overlay=overlay, instance=named).config
    demand_same_broker(
        config,
        state,
        command=("tradingd", *command, "--instance", instance, *_overlay(params)),
        overrides=params.overrides,
    )
    # What a client tries again and again is told once, by the failure that ends it.
    logging.getLogger("tradingd.brokers").setLevel(logging.ERROR)
    tolerances = Tolerances(
        cash=params.cash_tolerance,
        price_bps=params.price_bps,
        unrealised_bps=params.unrealised_bps,
    )

    def look() -> VerifyReport:
        report = asyncio.run(
            verified(instance, config, state, again_seconds=params.again, tolerances=tolerances)
        )
        return msgspec.structs.replace(report, options=_options(params))

    return look


def _overlay(params: LookParams) -> tuple[str, ...]:
    return ("--overlay", params.overlay) if params.overlay else ()


def _options(params: LookParams) -> tuple[str, ...]:
    """Return what chooses the configuration besides the instance: a next step needs it again."""
    return (*_overlay(params), *params.overrides)


def _words(asked: LookParams | VerifyReport | RepairReport) -> tuple[str, ...]:
    """Return the instance and those options, as a command line takes them."""
    options = _options(asked) if isinstance(asked, LookParams) else asked.options
    return ("--instance", asked.instance, *options)


def _confirm(params: RepairParams, prepared: RepairReport) -> None:
    typed = params.confirm
    if not typed and at_terminal():
        render_repair(prepared)
        typed = ask(f"type the instance's name to do this ({params.instance}): ")
    demand_name(typed, params.instance)


# -- for a person ----------------------------------------------------------------------------------


def render_verify(report: VerifyReport) -> None:
    """Print both sides of every position, what differs, and the verdict."""
    _print(f"Journal of {report.instance} and account {report.account} at {report.broker}")
    if report.positions:
        screen.table(
            "Positions",
            ("symbol", "broker", "journal", "avg broker", "avg journal", "P&L broker",
             "P&L journal", "guard", "stop covers"),
            [
                (
                    one.symbol, one.broker, one.ours, one.broker_average, one.our_average,
                    one.broker_unrealised, one.our_unrealised, one.stop,
                    one.covered if one.stop else "",
                )
                for one in report.positions
            ],
        )  # fmt: skip
    _print(f"Cash     broker {report.broker_cash}, journal {report.our_cash or 'nothing booked'}")
    if report.findings:
        screen.table(
            "Differences",
            ("check", "what", "owner"),
            [(one.check, one.text, one.owner) for one in report.findings],
        )
    if report.passing:
        _print(f"{report.passing} differences were gone at the second look")
    if report.findings:
        _print(f"next: {shlex.join(('tradingd', 'repair', *_words(report), '--dry-run'))}")
    screen.summary(
        {
            "instance": report.instance,
            "account": report.account,
            "agree": "yes" if report.agree else "NO",
            "findings": len(report.findings),
            "positions": len(report.positions),
            "orders": report.open_orders,
            "foreign": report.foreign_orders,
            "fills": report.fills,
            "looks": report.looks,
            "seconds": f"{report.seconds:.1f}",
            "exit": report.exit_code,
        }
    )


def render_repair(report: RepairReport) -> None:
    """Print each step and how it ended, what is left to a person, and the verdict."""
    if report.steps:
        screen.table(
            "Plan" if not report.applied else "Done",
            ("", "step", "what", "state", "answer"),
            [
                (number, step.verb, step.text, step.state, step.answer)
                for number, step in enumerate(report.steps, 1)
            ],
        )
    if report.by_hand:
        screen.table(
            "For a person",
            ("check", "what", "next"),
            [(one.check, one.text, one.next_step) for one in report.by_hand],
        )
    if not report.applied and report.steps:
        words = ("tradingd", "repair", *_words(report), "--apply", "--plan", report.plan)
        _print(f"next: {shlex.join(words)} --reason TEXT")
    screen.summary(
        {
            "instance": report.instance,
            "plan": report.plan or "none",
            "applied": "yes" if report.applied else "no",
            "steps": len(report.steps),
            "done": sum(step.state == "done" for step in report.steps),
            "by_hand": len(report.by_hand),
            "left": len(report.left),
            "exit": report.exit_code,
        }
    )


def _print(text: str) -> None:
    screen.console().print(text, soft_wrap=True, markup=False)
