"""Reason and confirmation of dangerous verbs: from the flags, else asked on a terminal."""

from collections.abc import Callable
from typing import Any

import msgspec

from tradingd.cli.prompts import ask, at_terminal
from tradingd.control import messages as m
from tradingd.control.answers import Done
from tradingd.kits.failure import ExitCode, Failure

_SHORTEST = 3
"""Characters of a reason of a verb that may add risk; the daemon takes no shorter one."""


def reason(given: str, *, shortest: int = _SHORTEST) -> str:
    """Return the reason, asking for it where none was given.

    Parameters
    ----------
    given : str
        From the flag.
    shortest : int
        Characters it must have; 1 for the verbs that take risk away.

    Raises
    ------
    Failure
        ``USAGE`` when nobody can be asked, ``REFUSED`` when the answer is empty.
    """
    if given:
        return given
    if not at_terminal():
        raise Failure(
            "a reason is needed", code=ExitCode.USAGE, next_step="--reason 'why it is done'"
        )
    answer = ask("reason: ")
    if len(answer) < shortest:
        raise Failure(
            "nothing was done: no reason given",
            code=ExitCode.REFUSED,
            expected=f"at least {shortest} character{'s' * (shortest > 1)}",
            found=repr(answer),
        )
    return answer


def confirmed[R: m.Request](
    wanted: str,
    why: str,
    request: R,
    send: Callable[[R], Done],
    *,
    always: bool,
    what: str = "the instance's name",
) -> Done:
    """Send a dangerous request, with what confirms it typed where that is asked for.

    Parameters
    ----------
    wanted : str
        What must be typed: the instance's name, for arming the account's number.
    why : str
        What will happen, for the question.
    always : bool
        Whether the verb always needs confirmation; otherwise the daemon says whether it does.
    what : str
        What `wanted` is, for the question.
    """
    given: Any = request
    if always and not given.confirm:
        return send(msgspec.structs.replace(given, confirm=_typed(wanted, what, why)))
    try:
        return send(request)
    except Failure as failure:
        if given.confirm or failure.expected != f"confirm: {wanted}" or not at_terminal():
            raise _with_flag(failure, wanted) from failure
        why = failure.where or why
    return send(msgspec.structs.replace(given, confirm=_typed(wanted, what, why)))


def _typed(wanted: str, what: str, why: str) -> str:
    if not at_terminal():
        raise Failure(
            "this needs confirmation",
            code=ExitCode.REFUSED,
            where=why,
            expected=f"confirm: {wanted}",
            next_step=f"--confirm {wanted}",
        )
    answer = ask(f"{why}\ntype {what} to go on ({wanted}): ")
    if answer != wanted:
        raise Failure(
            f"nothing was done: {what} does not match",
            code=ExitCode.REFUSED,
            expected=wanted,
            found=answer or "nothing",
        )
    return answer


def _with_flag(failure: Failure, wanted: str) -> Failure:
    """Return the daemon's refusal with the flag of this program as the next step."""
    if failure.expected != f"confirm: {wanted}":
        return failure
    return Failure(
        failure.what,
        code=failure.code,
        where=failure.where,
        expected=failure.expected,
        found=failure.found,
        next_step=f"--confirm {wanted}",
    )
