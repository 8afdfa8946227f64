"""Symbols of the log in the vendor's spelling: a JSON file ``{"BRK.B": "BRK B"}``."""

import json
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
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        msgspec.json.decode(content, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise _unreadable(path, str(error)) from error
    return Mapping(names=_names(content, path))


def _names(content: bytes, path: Path) -> dict[str, str]:
    """Return symbol -> the vendor's; two answers for one symbol would buy the wrong one."""
    found: dict[str, str] = {}
    # Pairs: an object would keep the last of two equal keys, and say nothing.
    for stated, name in json.loads(content, object_pairs_hook=lambda pairs: pairs):
        symbol, vendor = stated.strip().upper(), name.strip()
        if not vendor:
            raise _unreadable(path, f"nothing for {stated}")
        # Databento's words for several, and for every symbol there is: paid by the byte.
        if "," in vendor or vendor.upper() == "ALL_SYMBOLS":
            raise _unreadable(path, f"{vendor} for {stated}, which is not one symbol")
        if found.setdefault(symbol, vendor) != vendor:
            raise _unreadable(path, f"{symbol} is {found[symbol]}, and {vendor} too")
    return found


def _unreadable(path: Path, found: str) -> Failure:
    return Failure(
        "the symbol mapping cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected='a JSON object such as {"BRK.B": "BRK B"}',
        found=found,
        next_step="mend the file, or leave backfill.mapping empty",
    )
