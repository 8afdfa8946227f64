"""Misbehaviour of the data streams on demand, decided by a seed for each connection.

The keys are those of the `data_stream` part of a plan; README.md lists them.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tradingd.simbroker.amounts import BadRequest

_CHANCES: Final = ("drop", "duplicate", "reorder")
_SWITCHES: Final = ("mute", "half_open", "close_now")
_OTHERS: Final = (
    "seed",
    "delay_seconds",
    "mute_symbols",
    "refuse_seconds",
    "connections",
    "symbol_limit",
    "statuses",
    "lulds",
)


class Plan(NamedTuple):
    """What goes wrong.

    `drop`, `duplicate`, `reorder` are chances of each message; a frame waits between `delay`
    seconds; `connections` and `symbol_limit` replace the server's when they are not None.
    """

    seed: int = 0
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    mute: bool = False
    mute_symbols: frozenset[str] = frozenset()
    half_open: bool = False
    close_now: bool = False
    refuse_seconds: float = 0.0
    connections: int | None = None
    symbol_limit: int | None = None

    @property
    def by_chance(self) -> bool:
        """Whether messages meet chances at all."""
        return bool(self.drop or self.duplicate or self.reorder)


class Kept(NamedTuple):
    """The messages of a frame that are sent now, and those that later ones overtake."""

    now: list[bytes]
    later: list[bytes]


def read(plan: Mapping[str, object]) -> Plan:
    """Read a plan; an empty one is no misbehaviour.

    Raises
    ------
    BadRequest
        When it has unknown keys or values out of range.
    """
    unknown = sorted(set(plan) - {*_CHANCES, *_SWITCHES, *_OTHERS})
    if unknown:
        raise BadRequest(f"unknown keys in data_stream: {', '.join(unknown)}")
    return Plan(
        seed=_whole(plan, "seed") or 0,
        drop=_chance(plan, "drop"),
        duplicate=_chance(plan, "duplicate"),
        reorder=_chance(plan, "reorder"),
        delay=_seconds(plan),
        mute=_switch(plan, "mute"),
        mute_symbols=_names(plan),
        half_open=_switch(plan, "half_open"),
        close_now=_switch(plan, "close_now"),
        refuse_seconds=_number(plan, "refuse_seconds", 3_600),
        connections=_whole(plan, "connections"),
        symbol_limit=_whole(plan, "symbol_limit"),
    )


class Fate:
    """The faults of one connection: the same messages meet the same faults.

    Parameters
    ----------
    plan : Plan
        What may happen.
    connection : int
        The number of the connection since the server began.
    """

    def __init__(self, plan: Plan, connection: int) -> None:
        self.plan = plan
        self._random = random.Random(f"{plan.seed}:{connection}")  # noqa: S311  not a secret

    def keep(self, messages: Sequence[tuple[str, bytes]]) -> Kept:
        """Return what becomes of the messages of a frame, given with their symbols."""
        if self.plan.mute:
            return Kept([], [])
        heard = [data for symbol, data in messages if symbol not in self.plan.mute_symbols]
        if not self.plan.by_chance:
            return Kept(heard, [])
        now, later = list[bytes](), list[bytes]()
        for data in heard:
            dropped, twice, late = (self._random.random() for _ in range(3))
            if dropped < self.plan.drop:
                continue
            copies = [data, data] if twice < self.plan.duplicate else [data]
            (later if late < self.plan.reorder else now).extend(copies)
        return Kept(now, later)

    def wait(self) -> float:
        """Return how many seconds the next frame waits."""
        low, high = self.plan.delay
        return self._random.uniform(low, high) if high else 0.0


def _chance(plan: Mapping[str, object], name: str) -> float:
    return _number(plan, name, 1)


def _number(plan: Mapping[str, object], name: str, most: float) -> float:
    value = plan.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadRequest(f"{name} must be a number from 0 to {most}")
    return float(value)


def _whole(plan: Mapping[str, object], name: str) -> int | None:
    value = plan.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise BadRequest(f"{name} must be a whole number from 0")
    return value


def _switch(plan: Mapping[str, object], name: str) -> bool:
    value = plan.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false")
    return value


def _names(plan: Mapping[str, object]) -> frozenset[str]:
    value = plan.get("mute_symbols", [])
    if not isinstance(value, list):
        raise BadRequest("mute_symbols must be a list of symbols")
    return frozenset(str(name) for name in value)


def _seconds(plan: Mapping[str, object]) -> tuple[float, float]:
    match plan.get("delay_seconds", [0, 0]):
        case [int() | float() as low, int() | float() as high] if 0 <= low <= high <= 3_600:
            return float(low), float(high)
    raise BadRequest("delay_seconds must be a span [from, to] of seconds")
