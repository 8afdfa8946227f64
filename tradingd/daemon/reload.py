"""What a reload may change while the daemon runs: a pure comparison of two configurations.

The safe subset is what its users read anew each time: limits, alert routes, schedule, supervision
and the log level. Anything else is built into objects at the start; a file that changes it is
refused whole, and the running configuration stays.
"""

from typing import Any, Final

import msgspec

from tradingd.config.diff import differences
from tradingd.config.load import Loaded
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure

ORDER: Final = ("risk", "supervision", "schedule", "alerts", "telemetry.log_level")
"""What may change, in the order in which changes are applied: what protects comes first."""

_WHY: Final = {
    "mode": "it decides what kind of run this is",
    "broker": "the connection to the account is built from it",
    "feed": "the stream of data is open",
    "store": "files of it are open",
    "source": "files of it may be open",
    "universe": "the instruments are loaded",
    "strategy": "the strategies hold state that was computed with it",
    "execution": "orders are at work under it",
    "session": "the calendar decides what is already scheduled",
    "telemetry": "the metrics are being served",
    "seed": "random choices were made with it",
}


class Change(msgspec.Struct, frozen=True):
    """One key, its value now and the new one, as plain builtins; secrets are references."""

    key: str
    old: Any
    new: Any


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A reload that may take place: its changes in the order they are applied."""

    config: SystemConfig
    hash: str
    changes: tuple[Change, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that change, in the order they are applied."""
        return tuple(dict.fromkeys(one.key.partition(".")[0] for one in self.changes))


def plan(running: Loaded, wanted: Loaded) -> Plan:
    """Compare the running configuration with a new one.

    Raises
    ------
    Failure
        CONFIG when a key outside of the safe subset differs; nothing may be applied then.
    """
    changes = [
        Change(one.key, one.left, one.right) for one in differences(running.tree, wanted.tree)
    ]
    fixed = [one for one in changes if _rank(one.key) is None]
    if fixed:
        raise _needs_restart(fixed)
    changes.sort(key=lambda one: _rank(one.key) or 0)
    return Plan(config=wanted.config, hash=wanted.hash, changes=tuple(changes))


def _rank(key: str) -> int | None:
    """Return the place of a key in the order, None when it may not change."""
    return next(
        (place for place, name in enumerate(ORDER) if key == name or key.startswith(f"{name}.")),
        None,
    )


def _needs_restart(fixed: list[Change]) -> Failure:
    first = fixed[0]
    group = first.key.partition(".")[0]
    others = f" and {len(fixed) - 1} more" if len(fixed) > 1 else ""
    return Failure(
        f"{first.key}{others} cannot change while the daemon runs: "
        + _WHY.get(group, "it was read at the start"),
        code=ExitCode.CONFIG,
        where=", ".join(one.key for one in fixed),
        expected=f"changes of {', '.join(ORDER)} only; the running configuration stays",
        found=f"{first.key}: {_text(first.old)} -> {_text(first.new)}",
        next_step="restart the daemon to take it: systemctl restart",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
