"""Symbols of a file: upper case, and of the form that the store accepts."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tradingd.kits.failure import ExitCode, Failure

PATTERN: Final = r"^[A-Z][A-Z0-9.\-]{0,14}$"


def upper_symbols(column: pa.ChunkedArray, label: str) -> pa.ChunkedArray:
    """Return the symbols in upper case.

    Raises
    ------
    Failure
        INVALID_ROW naming the first row whose symbol is empty or of another form.
    """
    symbols = pc.utf8_upper(pc.fill_null(column.cast(pa.string()), ""))
    sound = pc.match_substring_regex(symbols, PATTERN)
    row = pc.index(sound, False).as_py()
    if row >= 0:
        raise Failure(
            "invalid row (symbol)",
            code=ExitCode.INVALID_ROW,
            where=f"{label}, row {row + 1}",
            expected="a symbol of 1 to 15 of A-Z 0-9 . - starting with a letter",
            found=repr(column[row].as_py()),
        )
    return symbols
