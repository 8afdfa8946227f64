"""Misbehaviour of the HTTP side: the book's faults, status codes, and a skewed clock."""

import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.faults import DROP_RESPONSE, Decision, Faults

STATUSES: Final = {
    "status_429": 429,
    "status_500": 500,
    "status_502": 502,
    "status_503": 503,
    "status_504": 504,
    "504_done": 504,
}
PENDING: Final = "pending"
REJECT_LATER: Final = "reject_later"
_MORE: Final = (*STATUSES, PENDING, REJECT_LATER)
_STREAM_KEYS: Final = frozenset(
    {"drop", "duplicate", "reorder", "delay_seconds", "mute", "half_open", "close_now"}
    | {"refuse_seconds"}
)
_EVENTS: Final = {"lose": "drop", "duplicate": "duplicate", "reorder": "reorder"}


class StreamPlan(NamedTuple):
    """What happens to the messages of a stream; chances lie between 0 and 1."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    mute: bool = False
    half_open: bool = False
    close_now: bool = False
    refuse_seconds: float = 0.0


class Plan:
    """A plan of misbehaviour as the admin socket tells it; see contracts/simalpaca.md.

    Parameters
    ----------
    plan : Mapping
        What was told; {} ends all misbehaviour.

    Raises
    ------
    BadRequest
        When the plan has unknown keys or values out of range.
    """

    def __init__(self, plan: Mapping[str, object]) -> None:
        own = ("stream", "data_stream", "clock_skew_seconds", "hang")
        rest = {key: value for key, value in plan.items() if key not in own}
        self._seed = plan.get("seed", 0)
        self._faults = Faults(rest, _MORE, slow=(DROP_RESPONSE, PENDING))
        odds = plan.get("probabilities", {})
        assert isinstance(odds, Mapping)  # the faults have looked
        events = {name: odds[event] for event, name in _EVENTS.items() if event in odds}
        self.stream = read_stream(events | dict(_part(plan, "stream")))
        self.data_stream = dict(_part(plan, "data_stream"))
        self.clock_skew = _number(plan.get("clock_skew_seconds", 0), -1e9, 1e9)
        self.hang = plan.get("hang") is True
        self.disconnect_now = plan.get("disconnect_now") is True
        self.refuse_seconds = self._faults.refuse_seconds

    def decide(self, op: str) -> Decision:
        """Return the fate of the next request of an operation."""
        return self._faults.decide(op)

    def chance(self, what: str) -> float:
        """Return the number that the seed draws for a name, between 0 and 1."""
        digest = hashlib.blake2b(f"{self._seed}:{what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def read_stream(part: Mapping[str, object]) -> StreamPlan:
    """Read what shall happen to a stream.

    Raises
    ------
    BadRequest
        When it has unknown keys or values out of range.
    """
    unknown = sorted(set(part) - _STREAM_KEYS)
    if unknown:
        raise BadRequest(f"unknown keys of a stream: {', '.join(unknown)}")
    delay = part.get("delay_seconds", [0, 0])
    if not isinstance(delay, list) or len(delay) != 2:
        raise BadRequest("delay_seconds must be [from, to]")
    first, last = (_number(value, 0, 3600) for value in delay)
    if first > last:
        raise BadRequest("delay_seconds must be [from, to]")
    drop, duplicate, reorder = (
        _number(part.get(name, 0), 0, 1) for name in ("drop", "duplicate", "reorder")
    )
    return StreamPlan(
        drop,
        duplicate,
        reorder,
        (first, last),
        mute=part.get("mute") is True,
        half_open=part.get("half_open") is True,
        close_now=part.get("close_now") is True,
        refuse_seconds=_number(part.get("refuse_seconds", 0), 0, 3600),
    )


def _part(plan: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = plan.get(name, {})
    if not isinstance(part, Mapping):
        raise BadRequest(f"{name} must be an object")
    return part


def _number(value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadRequest(f"not a number between {least} and {most}: {value!r}")
    return float(value)
