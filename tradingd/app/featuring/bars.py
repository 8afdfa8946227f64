"""The bars that declared features are computed from, for the commands that look at features."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from tradingd.app.modelling.sources import Sources, open_sources
from tradingd.config.system import SystemConfig
from tradingd.config.universe import SymbolsUniverse
from tradingd.domain.market import DataKind, Resolution
from tradingd.history.missing import unknown_symbol_anywhere
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure


def read(
    config: SystemConfig, symbols: Sequence[str], start: dt.date | None, end: dt.date | None
) -> Sources:
    """Return the bars of these symbols, or of the universe's, and of the benchmark.

    Raises
    ------
    Failure
        USAGE for a range that runs backwards, UNKNOWN_SYMBOL, EMPTY_RANGE, NO_DATA, CONFIG.
    """
    if start and end and start > end:
        raise Failure(
            "the range runs backwards",
            code=ExitCode.USAGE,
            where="--start, --end",
            expected="a start on or before the end",
            found=f"{start} .. {end}",
        )
    return open_sources(_only(config, symbols), start, end)


def require_stored(store: Store, resolution: Resolution, symbols: Sequence[str]) -> None:
    """Refuse symbols without bars, with the nearest one that has some."""
    held = store.symbols(DataKind.BARS, resolution)
    for symbol in symbols:
        if symbol not in held:
            raise unknown_symbol_anywhere(store.root, symbol, held)


def _only(config: SystemConfig, symbols: Sequence[str]) -> SystemConfig:
    if not symbols:
        return config
    return msgspec.structs.replace(config, universe=SymbolsUniverse(symbols=tuple(symbols)))
