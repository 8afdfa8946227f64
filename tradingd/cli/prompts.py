"""Ask a person at a terminal: the questions go to standard error, so that output stays clean."""

import sys

from tradingd.kits.failure import ExitCode, Failure


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask one question; the end of the input counts as an empty answer."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def demand_name(typed: str, instance: str) -> None:
    """Refuse what is to be confirmed with the instance's name and was not.

    Raises
    ------
    Failure
        REFUSED, naming the option.
    """
    if typed != instance:
        raise Failure(
            "not confirmed, nothing was done",
            code=ExitCode.REFUSED,
            where="--confirm",
            expected=instance,
            found=typed or "nothing",
            next_step=f"add --confirm {instance}",
        )
