"""Which of a file's symbols is meant."""

from collections.abc import Collection
from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure


def the_symbol(path: Path, symbols: Collection[str], wanted: str) -> str:
    """Return the symbol that is meant.

    Raises
    ------
    Failure
        UNKNOWN_SYMBOL: the file has others, or several and none was named.
    """
    if wanted in symbols:
        return wanted
    if not wanted and len(symbols) == 1:
        return next(iter(symbols))
    names = sorted(symbols)
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    raise Failure(
        f"The file has no books of {wanted}" if wanted else "The file has several symbols",
        code=ExitCode.UNKNOWN_SYMBOL,
        where=str(path),
        expected=wanted or "one symbol to be named",
        found=shown or "no symbols",
    )
