"""Before a person's test server begins: is there a market to play, and a port to listen on."""

import datetime as dt
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.missing import no_data
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure

_HOST: Final = "127.0.0.1"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The market that somebody asks for; no symbols: all that are stored; days are inclusive."""

    resolution: Resolution
    symbols: Sequence[str] = ()
    start: dt.date | None = None
    end: dt.date | None = None


def check_market(store: Store, wish: Wish) -> None:
    """Refuse a market without a single bar, or with a symbol that has none.

    Raises
    ------
    Failure
        USAGE, NO_DATA, UNKNOWN_SYMBOL or EMPTY_RANGE.
    """
    if wish.start and wish.end and wish.end < wish.start:
        raise Failure(
            "the market would end before it begins",
            code=ExitCode.USAGE,
            where="--end",
            expected=f"{wish.start} or later",
            found=str(wish.end),
            next_step="tradingd sim alpaca --help",
        )
    symbols = wish.symbols or store.symbols(DataKind.BARS, wish.resolution)
    if not symbols:
        raise _none_stored(store, wish.resolution)
    store.feed(symbols, wish.resolution, wish.start, wish.end, chunk_rows=1_000, sessions=None)


def check_port(port: int) -> None:
    """Refuse a port that somebody listens on; 0 is any that is free.

    Raises
    ------
    Failure
        USAGE.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise Failure(
                "the port cannot be had",
                code=ExitCode.USAGE,
                where=f"{_HOST}:{port}",
                expected="a port that nobody listens on, from 1024",
                found=error.strerror or str(error),
                next_step="name another one, or --port 0 for any that is free",
            ) from None


def check_state(folder: Path) -> None:
    """Make the folder of the book.

    Raises
    ------
    Failure
        STORE_WRITE.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Failure(
            "the folder of the book cannot be made",
            code=ExitCode.STORE_WRITE,
            where=str(folder),
            found=error.strerror or str(error),
            next_step="name another one with --state",
        ) from None


def _none_stored(store: Store, resolution: Resolution) -> Failure:
    """Return the failure that also says which bars there are."""
    missing = no_data(store.root, DataKind.BARS, resolution)
    others = [one for one in Resolution if one is not resolution]
    held = next((one for one in others if store.symbols(DataKind.BARS, one)), None)
    if held is None:
        return missing
    return Failure(
        missing.what,
        code=missing.code,
        where=missing.where,
        expected=missing.expected,
        found=f"{held} bars",
        next_step=f"--bars {held}, or tradingd data import source=...",
    )
