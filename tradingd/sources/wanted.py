"""Refuse a symbol that the source does not have."""

from collections.abc import Collection

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest


def require_known(wanted: Collection[str], available: Collection[str]) -> None:
    """Raise UNKNOWN_SYMBOL for the first wanted symbol that is not available."""
    for symbol in sorted(wanted):
        if symbol not in available:
            close = nearest(symbol, available)
            raise Failure(
                f"unknown symbol {symbol!r}",
                code=ExitCode.UNKNOWN_SYMBOL,
                where="source.symbols",
                expected="a symbol that the source holds" + (f", e.g. {close}" if close else ""),
                found=symbol,
            )
