"""Symbols of the log in the vendor's spelling: a JSON file ``{"BRK.B": "BRK B"}``."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tradingd.kits.failure import ExitCode, Failure


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's names; a symbol that is not listed is spelled the same.

    `warning` says that a configured file is missing, so that everything is the same.
    """

    names: dict[str, str] = {}
    warning: str = ""

    def of(self, symbol: str) -> str:
        """Return the vendor's name of a symbol."""
        return self.names.get(symbol, symbol)

    def unlisted(self, symbols: Iterable[str]) -> list[str]:
        """Return the symbols that a mapping does not list, each once; none without a mapping."""
        return sorted(set(symbols) - set(self.names)) if self.names else []


def read_mapping(path: Path | None) -> Mapping:
    """Read the file; None: there is none.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when the file is not an object of texts.
    """
    if path is None:
        return Mapping()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        text = f"no symbol mapping at {path}: symbols are asked for as the log spells them"
        return Mapping(warning=text)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        names = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise _unreadable(path, str(error)) from error
    if empty := [symbol for symbol, name in names.items() if not name.strip()]:
        raise _unreadable(path, f"nothing for {empty[0]}")
    return Mapping(names={one.strip().upper(): name.strip() for one, name in names.items()})


def _unreadable(path: Path, found: str) -> Failure:
    return Failure(
        "the symbol mapping cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected='a JSON object such as {"BRK.B": "BRK B"}',
        found=found,
        next_step="mend the file, or leave backfill.mapping empty",
    )
