"""The environment layer: `.env` and the variables that earlier systems were set up with.

The layer lies above every file and below the command line. The real environment wins over `.env`,
and an empty variable counts as unset. Only `TABLE` reaches the configuration; secrets never do:
they stay in the environment and are looked up by reference when they are used.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from dotenv.parser import parse_stream

from tradingd.config.keys import KeyPath, describe
from tradingd.kits.failure import ExitCode, Failure


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable of an earlier system and the key it sets.

    Parameters
    ----------
    variable, key : str
        Name in the environment, dotted key of the configuration.
    broker : str
        The variable counts only while ``broker.kind`` is this; empty: always.
    modes : tuple of str
        The variable counts only in these modes; empty: in all.
    half : int, optional
        The variable is a range, ``09:30-11:00``, and this key one of its ends: 0 or 1.
    """

    variable: str
    key: str
    broker: str = ""
    modes: tuple[str, ...] = ()
    half: int | None = None

    def applies(self, tree: Mapping[str, Any]) -> bool:
        """Whether the configuration has the key this variable sets."""
        broker, mode = (_kind(tree, group) for group in ("broker", "mode"))
        return self.broker in ("", broker) and (not self.modes or mode in self.modes)


TABLE: Final = (
    Mapped(variable="IB_HOST", key="broker.host", broker="ibkr"),
    Mapped(
        variable="IB_GATEWAY_PAPER_PORT",
        key="broker.port",
        broker="ibkr",
        modes=("backtest", "paper"),
    ),
    Mapped(variable="IB_GATEWAY_LIVE_PORT", key="broker.port", broker="ibkr", modes=("live",)),
    Mapped(variable="IB_CLIENT_ID", key="broker.client_id", broker="ibkr"),
    Mapped(variable="L2_BACKFILL_ENABLED", key="backfill.enabled"),
    # The older name first: the newer one wins where both are set.
    Mapped(variable="L2_BACKFILL_CONCURRENCY", key="backfill.workers"),
    Mapped(variable="L2_MAX_WORKERS", key="backfill.workers"),
    Mapped(variable="SYMBOL_MAPPING_FILE", key="backfill.mapping"),
    Mapped(variable="L2_BACKFILL_WINDOW_ET", key="backfill.window_start", half=0),
    Mapped(variable="L2_BACKFILL_WINDOW_ET", key="backfill.window_end", half=1),
)
"""Variables that set a key today."""

REFERENCED: Final = {
    "APCA_API_KEY_ID": "broker.key_id",
    "APCA_API_SECRET_KEY": "broker.secret_key",
    "DATABENTO_API_KEY": "backfill.provider.key",
}
"""Secrets that a key's default reference names (`env:APCA_API_KEY_ID`); the value stays outside."""

_RANGE: Final = re.compile(r"\s*([0-9:.]+)\s*(?:-|\N{EN DASH}|,|\bto\b)\s*([0-9:.]+)\s*")

_BOOLEANS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class FromEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """One key that the environment sets: which, to what, and the place a person must open."""

    path: KeyPath
    value: Any
    source: str


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Variables in force, and which of them came from `.env` (variable -> ``.env:LINE``)."""

    values: dict[str, str]
    from_file: dict[str, str] = {}

    def source(self, variable: str) -> str:
        """Return where a variable was set."""
        return self.from_file.get(variable, "environment") + f" {variable}"


def read_environment(folder: Path | None = None) -> Environment:
    """Return the process environment over the `.env` file of a folder (default: the current one).

    Raises
    ------
    Failure
        ``CONFIG`` when `.env` cannot be read or a line of it cannot be understood; the line is
        named by number and never shown, it may hold a secret.
    """
    file = (folder or Path.cwd()) / ".env"
    stated = _dotenv(file) if file.is_file() else {}
    written = {name: value for name, (value, _) in stated.items() if name not in os.environ}
    lines = {name: f"{file}:{stated[name][1]}" for name in written}
    return Environment(values={**written, **os.environ}, from_file=lines)


def _dotenv(file: Path) -> dict[str, tuple[str, int]]:
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            "the .env file cannot be read", code=ExitCode.CONFIG, where=str(file)
        ) from error
    found = {}
    for binding in bindings:
        if binding.error:
            raise Failure(
                "a line of the .env file cannot be understood",
                code=ExitCode.CONFIG,
                where=f"{file}:{binding.original.line}",
                expected="NAME=value",
            )
        if binding.key is not None and binding.value is not None:
            found[binding.key] = (binding.value, binding.original.line)
    return found


def environment_keys(
    tree: Mapping[str, Any],
    environment: Environment,
    table: Sequence[Mapped] = TABLE,
) -> list[FromEnvironment]:
    """Return the keys of a composed tree that the environment sets.

    Raises
    ------
    Failure
        ``CONFIG`` when a variable that is a range is none.
    """
    return [
        FromEnvironment(
            path=tuple(one.key.split(".")),
            value=_typed(_part(environment, one), one.key, tree),
            source=environment.source(one.variable),
        )
        for one in table
        if environment.values.get(one.variable) and one.applies(tree)
    ]


def _part(environment: Environment, one: Mapped) -> str:
    text = environment.values[one.variable]
    if one.half is None:
        return text
    found = _RANGE.fullmatch(text)
    if found is None:
        raise Failure(
            f"{one.variable} is no range",
            code=ExitCode.CONFIG,
            where=environment.source(one.variable),
            expected="two times of day in New York, such as 09:00-11:00",
            found=text,
        )
    return found[one.half + 1]


def _typed(text: str, key: str, tree: Mapping[str, Any]) -> Any:
    """Return text as the key's type; text that does not fit stays text, and decoding refuses it."""
    known = describe(tuple(key.split(".")), tree)
    expected = known.expected if known else ""
    if expected == "true or false":
        return _BOOLEANS.get(text.strip().lower(), text)
    if expected.startswith("a whole number"):
        return int(text) if text.strip().lstrip("+-").isdecimal() else text
    return text


def _kind(tree: Mapping[str, Any], group: str) -> Any:
    part = tree.get(group)
    return part.get("kind") if isinstance(part, Mapping) else None


def apply_environment(
    tree: Mapping[str, Any], keys: Sequence[FromEnvironment], taken: Sequence[KeyPath]
) -> dict[str, Any]:
    """Return the tree with the environment's keys set, except those the command line took."""
    result = dict(tree)
    for one in keys:
        if any(one.path[: len(path)] == path for path in taken):
            continue
        group, name = one.path
        result[group] = {**result[group], name: one.value}
    return result
