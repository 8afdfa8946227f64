"""Values of JSON-Logic: their kinds, what counts as true, and the third answer, unknown."""

from typing import Any, Final

import msgspec

from tradingd.kits.failure import ExitCode, Failure

MAX_SIZE: Final = 1_000_000
"""Longest text or list that an evaluation may build."""


class Unknown(msgspec.Struct, frozen=True):
    """No answer, and why."""

    reason: str


def refused(what: str, expected: str, found: str) -> Failure:
    """Return the refusal of a rule."""
    return Failure(
        what, code=ExitCode.CONTRACT, expected=expected, found=found, next_step="correct the rule"
    )


def truth(value: Any) -> bool:
    """Whether a value counts as true (https://jsonlogic.com/truthy.html)."""
    from json_logic.builtins import to_bool

    return bool(to_bool(value))


def conjunction(values: list[Any]) -> Any:
    """Return the first false value, else the first unknown, else the last."""
    false = [one for one in values if not isinstance(one, Unknown) and not truth(one)]
    unknown = [one for one in values if isinstance(one, Unknown)]
    return (false or unknown or values[-1:])[0]


def disjunction(values: list[Any]) -> Any:
    """Return the first true value, else the first unknown, else the last."""
    true = [one for one in values if not isinstance(one, Unknown) and truth(one)]
    unknown = [one for one in values if isinstance(one, Unknown)]
    return (true or unknown or values[-1:])[0]


def as_bool(value: Any) -> Any:
    """Return whether a value counts as true, or that it is unknown."""
    return value if isinstance(value, Unknown) else truth(value)


def all_known(values: list[Any]) -> Any:
    """Return the values, or the first of them that is unknown."""
    return next((one for one in values if isinstance(one, Unknown)), values)


def bounded(value: Any) -> Any:
    """Return a value that was built, `Unknown` where it is no finite number.

    Raises
    ------
    Failure
        CONTRACT when it is larger than any sound rule builds.
    """
    if isinstance(value, str | list) and len(value) > MAX_SIZE:
        raise refused("a rule builds a value that is too large", f"at most {MAX_SIZE:,}", "more")
    if isinstance(value, int) and value.bit_length() > 4_096:
        raise refused("a rule builds a number that is too large", "at most 4,096 bits", "more")
    if isinstance(value, float) and value - value != 0:
        return Unknown("no finite number")
    return value


def is_number(value: Any) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def kind(value: Any) -> str:
    """Return a value's kind, all numbers being of one."""
    return "number" if is_number(value) else type(value).__name__


def brief(value: Any) -> str:
    """Return a value as a person is shown it."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def briefs(values: list[Any]) -> str:
    """Return values as a person is shown them."""
    return " and ".join(brief(one) for one in values)
