"""Misbehaviour on demand: what happens to a message, decided by a script, then by seeded chance.

Each draw depends only on the seed, the operation, and how many messages of that operation came
before, so the same messages meet the same faults whatever runs beside them.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tradingd.simbroker.amounts import BadRequest

DROP_REQUEST: Final = "drop_request"
DROP_RESPONSE: Final = "drop_response"
LATE_RESPONSE: Final = "late_response"
DISCONNECT_BEFORE: Final = "disconnect_before"
DISCONNECT_AFTER: Final = "disconnect_after"
REJECT: Final = "reject"
DELAY: Final = "delay"
PARTIAL: Final = "partial"
NONE: Final = "ok"

REQUEST_FAULTS: Final = (
    DROP_REQUEST,
    DROP_RESPONSE,
    LATE_RESPONSE,
    DISCONNECT_BEFORE,
    DISCONNECT_AFTER,
    REJECT,
)
"""A message meets at most one of these; a delay and partial fills may come with it."""

EVENT_FAULTS: Final = ("duplicate", "reorder", "lose")

EXEMPT: Final = ("hello", "subscribe", "misbehave", "reset_faults", "shutdown")
"""Operations that faults never touch."""

DEFAULT_OPS: Final = ("submit", "replace", "cancel", "cancel_all")

_KEYS: Final = frozenset(
    {"seed", "ops", "probabilities", "delay_seconds", "late_seconds", "pieces", "refuse_seconds"}
    | {"script", "disconnect_now"}
)


class Decision(NamedTuple):
    """What happens to one message.

    `delay` seconds pass before it is processed, `late` seconds before a late answer; `pieces` > 1
    fills the order in that many parts; `refuse` seconds no connection is accepted after a
    disconnect.
    """

    fault: str = NONE
    delay: float = 0.0
    late: float = 0.0
    pieces: int = 0
    refuse: float = 0.0


class EventFate(NamedTuple):
    """What happens to one event on one connection: copies sent, and how many may overtake it."""

    copies: int = 1
    held: int = 0


class Faults:
    """A plan of misbehaviour; without one everything works.

    Parameters
    ----------
    plan : Mapping
        See "Misbehaviour" in contracts/simbroker.md.

    more : sequence of str
        Further faults of a message, known to the server that asks.
    slow : sequence of str
        Faults that take a time of their own, as a late response does.

    Raises
    ------
    BadRequest
        When the plan has unknown keys or values out of range.
    """

    def __init__(
        self,
        plan: Mapping[str, object] | None = None,
        more: Sequence[str] = (),
        slow: Sequence[str] = (),
    ) -> None:
        plan = plan or {}
        unknown = sorted(set(plan) - _KEYS)
        if unknown:
            raise BadRequest(f"unknown keys in the plan: {', '.join(unknown)}")
        self._exclusive = (*REQUEST_FAULTS, *more)
        self._slow = (LATE_RESPONSE, *slow)
        self._seed = plan.get("seed", 0)
        self._ops = _names(plan.get("ops", list(DEFAULT_OPS)))
        self._odds = _odds(plan.get("probabilities", {}), self._exclusive)
        self._delay = _span(plan.get("delay_seconds", [0.01, 0.1]))
        self._late = _span(plan.get("late_seconds", [1.0, 2.0]))
        self._pieces = _whole(plan.get("pieces", 3))
        self._refuse = _span([0, plan.get("refuse_seconds", 0)])[1]
        self._script = _script(plan.get("script", {}), self._exclusive)
        self._counts: Counter[str] = Counter()

    @property
    def refuse_seconds(self) -> float:
        """How long no connection is accepted after a disconnect."""
        return self._refuse

    def decide(self, op: str) -> Decision:
        """Return the fate of the next message of an operation."""
        if op in EXEMPT:
            return Decision()
        self._counts[op] += 1
        waiting = self._script.get(op)
        if waiting:
            return self._scripted(waiting.pop(0))
        if op not in self._ops:
            return Decision()
        fault, drawn = NONE, self._draw(op, "fault")
        for name in self._exclusive:
            drawn -= self._odds.get(name, 0.0)
            if drawn < 0:
                fault = name
                break
        delayed = self._draw(op, DELAY) < self._odds.get(DELAY, 0.0)
        parts = op == "submit" and self._draw(op, PARTIAL) < self._odds.get(PARTIAL, 0.0)
        return Decision(
            fault=fault,
            delay=self._between(op, self._delay) if delayed else 0.0,
            late=self._between(op, self._late) if fault in self._slow else 0.0,
            pieces=self._pieces if parts else 0,
            refuse=self._refuse,
        )

    def _scripted(self, step: Mapping[str, object]) -> Decision:
        fault = str(step.get("fault", NONE))
        seconds = float(str(step.get("seconds", self._late[1])))
        delay = float(str(step.get("delay", 0)))
        if fault == DELAY:
            delay = float(str(step.get("seconds", self._delay[1])))
        pieces = int(str(step.get("pieces", self._pieces))) if fault == PARTIAL else 0
        return Decision(
            fault=fault if fault in self._exclusive else NONE,
            delay=delay,
            late=seconds if fault in self._slow else 0.0,
            pieces=pieces,
            refuse=float(str(step.get("refuse", self._refuse))),
        )

    def event(self, seq: int, subscription: int) -> EventFate:
        """Return the fate of an event for one subscriber."""
        if not any(self._odds.get(name) for name in EVENT_FAULTS):
            return EventFate()
        drawn = {name: self._chance(f"event:{subscription}:{seq}:{name}") for name in EVENT_FAULTS}
        if drawn["lose"] < self._odds.get("lose", 0.0):
            return EventFate(copies=0)
        copies = 2 if drawn["duplicate"] < self._odds.get("duplicate", 0.0) else 1
        held = 1 + seq % 3 if drawn["reorder"] < self._odds.get("reorder", 0.0) else 0
        return EventFate(copies=copies, held=held)

    def _draw(self, op: str, what: str) -> float:
        return self._chance(f"{op}:{self._counts[op]}:{what}")

    def _between(self, op: str, span: tuple[float, float]) -> float:
        return span[0] + (span[1] - span[0]) * self._draw(op, "seconds")

    def _chance(self, what: str) -> float:
        digest = hashlib.blake2b(f"{self._seed}:{what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise BadRequest("ops must be a list of operations")
    return frozenset(str(name) for name in value)


def _odds(value: object, exclusive: Sequence[str]) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise BadRequest("probabilities must be an object")
    known = (*exclusive, *EVENT_FAULTS, DELAY, PARTIAL)
    odds: dict[str, float] = {}
    for name, chance in value.items():
        if name not in known:
            raise BadRequest(f"unknown fault {name}; known: {', '.join(known)}")
        if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
            raise BadRequest(f"the probability of {name} must lie between 0 and 1")
        odds[str(name)] = float(chance)
    if sum(odds.get(name, 0.0) for name in exclusive) > 1:
        raise BadRequest(f"the probabilities of {', '.join(exclusive)} add up to more than 1")
    return odds


def _span(value: object) -> tuple[float, float]:
    match value:
        case [int() | float() as low, int() | float() as high] if 0 <= low <= high <= 3600:
            return float(low), float(high)
    raise BadRequest(f"not a span [from, to] of seconds: {value!r}")


def _whole(value: object) -> int:
    if isinstance(value, int) and 1 <= value <= 1000:
        return value
    raise BadRequest(f"pieces must be a whole number between 1 and 1000, not {value!r}")


def _script(value: object, exclusive: Sequence[str]) -> dict[str, list[Mapping[str, object]]]:
    if not isinstance(value, Mapping):
        raise BadRequest("script must be an object: operation -> list of faults")
    script: dict[str, list[Mapping[str, object]]] = {}
    for op, steps in value.items():
        if op in EXEMPT or not isinstance(steps, list):
            raise BadRequest(f"script of {op}: a list of faults for an operation that can fail")
        script[str(op)] = [_step(step, exclusive) for step in steps]
    return script


def _step(step: object, exclusive: Sequence[str]) -> Mapping[str, object]:
    known = (NONE, *exclusive, DELAY, PARTIAL)
    made = {"fault": step} if isinstance(step, str) else step
    if not isinstance(made, Mapping) or made.get("fault", NONE) not in known:
        raise BadRequest(f"not a fault: {step!r}; known: {', '.join(known)}")
    numbers = {name: value for name, value in made.items() if name != "fault"}
    for name, value in numbers.items():
        if name not in ("seconds", "delay", "pieces", "refuse"):
            raise BadRequest(f"unknown field {name} of a scripted fault")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise BadRequest(f"{name} of a scripted fault must be a number from 0")
    return made
