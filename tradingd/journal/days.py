"""Exchange days as spans of UTC nanoseconds: a day begins at midnight in New York."""

import datetime as dt

from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import NEW_YORK


def span(day: str | None, first: str | None, last: str | None) -> tuple[int | None, int | None]:
    """Return the half-open span that a person asks for; None where it is open.

    Parameters
    ----------
    day : str, optional
        One day, ``YYYY-MM-DD``.
    first, last : str, optional
        First and last day, both included.

    Raises
    ------
    Failure
        USAGE when a day is none, when `day` stands beside the others, or `last` before `first`.
    """
    if day is not None and (first is not None or last is not None):
        raise Failure(
            "--day stands alone",
            code=ExitCode.USAGE,
            found="--day together with --from or --to",
            next_step="take --day, or --from and --to",
        )
    begins = _parsed(day, "--day") if day is not None else _parsed(first, "--from")
    ends = begins if day is not None else _parsed(last, "--to")
    if begins is not None and ends is not None and ends < begins:
        raise Failure(
            "the last day is before the first",
            code=ExitCode.USAGE,
            where="--to",
            expected=f"{begins} or later",
            found=str(ends),
        )
    return (
        None if begins is None else midnight(begins),
        None if ends is None else midnight(ends + dt.timedelta(days=1)),
    )


def midnight(day: dt.date) -> int:
    """Return the UTC ns at which a day begins in New York."""
    return int(dt.datetime.combine(day, dt.time(), NEW_YORK).timestamp()) * 1_000_000_000


def _parsed(text: str | None, flag: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Failure(
            "this is no day",
            code=ExitCode.USAGE,
            where=flag,
            expected="YYYY-MM-DD",
            found=text,
        ) from None
