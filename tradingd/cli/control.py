"""Commands of `tradingctl`, which talks to a running daemon."""

from typing import Any, Final

import msgspec

from tradingd.cli import control_params as p
from tradingd.cli.command import Command

_SOCKET: Final = {"XDG_RUNTIME_DIR": "looked in for tradingd/INSTANCE.sock after /run/tradingd"}
_FLAG: Final = {
    **_SOCKET,
    "STATE_DIRECTORY": "state folder given by systemd",
    "XDG_STATE_HOME": "base of the state folder otherwise, for the flag of a daemon that is down",
}


_RENDERERS: Final = {
    "Status": "status",
    "HealthView": "health",
    "Positions": "positions",
    "Orders": "orders",
    "Trades": "trades",
    "Limits": "limits",
    "Jobs": "jobs",
    "Recording": "recording",
    "ModelView": "model",
    "ConfigView": "config",
    "Event": "event",
    "Done": "done",
}
"""Answer of the daemon -> function of `control_render` that prints it."""


def _command(
    words: str,
    params: type[msgspec.Struct],
    answer: str,
    summary: str,
    *examples: str,
    environment: dict[str, str] = _SOCKET,
) -> Command[Any, Any]:
    """Return a command; its function in `control_run` is named after its words."""
    return Command(
        path=tuple(words.split()),
        params=params,
        result=f"tradingd.control.answers:{answer}",
        function="tradingd.cli.control_run:" + words.replace(" ", "_").replace("-", "_"),
        render=f"tradingd.cli.control_render:{_RENDERERS[answer]}",
        summary=summary,
        examples=examples,
        environment=environment,
    )


_LOOKING: Final = (
    _command(
        "status", p.ControlParams, "Status",
        "Show the whole picture: state, money, feed, positions, orders, health.",
        "tradingctl status", "tradingctl status -i live --json",
    ),
    _command(
        "health", p.ControlParams, "HealthView",
        "Explain every health check: value, limit, since when, what happens, what to do.",
        "tradingctl health",
    ),
    _command("positions", p.ControlParams, "Positions", "List open positions.",
             "tradingctl positions"),
    _command("orders", p.OrdersParams, "Orders", "List open orders, or all of the day.",
             "tradingctl orders", "tradingctl orders --all --json"),
    _command("trades", p.TradesParams, "Trades", "List the last round trips.",
             "tradingctl trades --last 50"),
    _command("limits list", p.ControlParams, "Limits",
             "List limits: in force, configured, checked, denied.", "tradingctl limits list"),
    _command("jobs list", p.ControlParams, "Jobs", "List jobs, their last result and next time.",
             "tradingctl jobs list"),
    _command("record list", p.ControlParams, "Recording",
             "Show the recorder of order books: books, line, losses.", "tradingctl record list"),
    _command("model", p.ControlParams, "ModelView",
             "Show who advises the strategies: expiry, drift, answers, challenger.",
             "tradingctl model", "tradingctl model -i live --json"),
    _command("config", p.ControlParams, "ConfigView",
             "Show the configuration in force; secrets are references.",
             "tradingctl config", "tradingctl config --json"),
    _command(
        "events", p.EventsParams, "Event",
        "Show the latest events; --follow goes on; --json prints an object a line.",
        "tradingctl events", "tradingctl events --follow", "tradingctl events --after 0 --json",
    ),
)  # fmt: skip

_ACTING: Final = (
    _command("pause", p.PauseParams, "Done", "Allow no increases; exits and stops go on.",
             "tradingctl pause --minutes 30 --reason 'news at two'",
             "tradingctl pause --scope symbol:TSLA"),
    _command("resume", p.ResumeParams, "Done", "Go back to RUNNING.",
             "tradingctl resume --reason 'looked at it'",
             "tradingctl resume -i paper --reason 'fixed' --confirm paper"),
    _command(
        "halt", p.HaltParams, "Done",
        "Cancel open orders, send nothing more; a daemon that is down will start halted.",
        "tradingctl halt", "tradingctl halt -i live --reason 'odd prices'",
        environment=_FLAG,
    ),
    _command("flatten", p.FlattenParams, "Done",
             "Cancel, close at market, verify with the broker, stay flat.",
             "tradingctl flatten --reason 'going away' --confirm paper"),
    _command("cancel", p.CancelParams, "Done", "Cancel one order, or every order in scope.",
             "tradingctl cancel O-17", "tradingctl cancel --scope symbol:AAPL --confirm paper"),
    _command("arm", p.ArmParams, "Done", "Allow a live instance to open positions, for a while.",
             "tradingctl arm -i live --account 123456789 --minutes 390 --reason 'the open'"),
    _command("disarm", p.DisarmParams, "Done",
             "Take that back at once; entries that work are cancelled.",
             "tradingctl disarm -i live --reason 'news'"),
    _command("limits set", p.LimitsSetParams, "Done", "Override one limit for a while.",
             "tradingctl limits set risk.max_positions 10 --minutes 60 --reason 'thin market'"),
    _command("jobs run", p.JobsRunParams, "Done", "Run a job now.",
             "tradingctl jobs run nightly"),
    _command("jobs report", p.JobsReportParams, "Done",
             "Journal the run of a job that has a unit of its own.",
             "tradingctl jobs report nightly --status done --seconds 61 --detail '3 files'"),
    _command("record start", p.RecordParams, "Done",
             "Record a symbol's order book from now on; it waits in line for a slot.",
             "tradingctl record start FROG"),
    _command("record stop", p.RecordParams, "Done",
             "Stop recording a symbol's order book; what there is is published.",
             "tradingctl record stop FROG"),
    _command("reload", p.ReloadParams, "Done",
             "Read the configuration again: its safe subset changes, or nothing does.",
             "tradingctl reload"),
    _command("log-level", p.LogLevelParams, "Done", "Change what is logged, for a while.",
             "tradingctl log-level DEBUG --minutes 10"),
    _command("approve", p.DecideParams, "Done", "Let an entry go that waits for a person.",
             "tradingctl approve O-17"),
    _command("reject", p.DecideParams, "Done", "Turn down an entry that waits for a person.",
             "tradingctl reject O-17 --reason 'earnings tonight'"),
    _command("acknowledge", p.AcknowledgeParams, "Done", "Stop an alert from escalating.",
             "tradingctl acknowledge feed-silent"),
    _command("adopt", p.AdoptParams, "Done",
             "Book what others traded in the account, by hand or by the kill switch.",
             "tradingctl adopt --reason 'kill switch on Friday' --confirm paper"),
    _command("drill", p.DrillParams, "Done",
             "Freeze one part of a paper daemon on purpose and watch what happens.",
             "tradingctl drill feed 45 --reason exercise --confirm paper"),
)  # fmt: skip

COMMANDS: tuple[Command[Any, Any], ...] = (*_LOOKING, *_ACTING)
