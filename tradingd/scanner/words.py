"""Filters as a person types them: ``price>=2 gap>5 rvol>3 frog``."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from tradingd.config.scan import ScanConfig
from tradingd.kits.failure import ExitCode, Failure

_NUMBERS: Final = {
    ("price", ">"): ("min_price", Decimal),
    ("price", "<"): ("max_price", Decimal),
    ("gap", ">"): ("min_gap_percent", float),
    ("rvol", ">"): ("min_relative_volume", float),
    ("volume", ">"): ("min_volume", int),
    ("average", ">"): ("min_average_volume", int),
    ("float", "<"): ("max_float", int),
    ("spread", "<"): ("max_spread_percent", float),
}

_WORD: Final = re.compile(r"^([a-z]+)(>=|<=|>|<)(-?[0-9][0-9._]*)([kKmM]?)$")
_SYMBOL: Final = re.compile(r"^[A-Za-z][A-Za-z0-9.\-]{0,14}$")
_TIMES: Final = {"": 1, "k": 1_000, "m": 1_000_000}

EXAMPLE: Final = "price>2 price<20 gap>5 rvol>3 volume>100k float<20m spread<0.5 FRO"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Limits, and the beginning of the symbols that are shown ("": all)."""

    limits: ScanConfig
    prefix: str = ""


def understood(text: str, base: ScanConfig) -> Words:
    """Return what the words mean on top of the configured limits; each limit includes its number.

    Raises
    ------
    Failure
        USAGE, naming the word.
    """
    found: dict[str, object] = {}
    prefix = ""
    for word in text.split():
        if number := _WORD.match(word.lower()):
            name, value = _limit(word, *number.groups())
            found[name] = value
        elif _SYMBOL.match(word):
            prefix = word.upper()
        else:
            raise _not_understood(word)
    try:
        limits = msgspec.structs.replace(base, **found)
    except ValueError as error:
        # Words that are right each for itself, and contradict each other.
        raise _not_understood(text) from error
    return Words(limits=limits, prefix=prefix)


def _limit(word: str, name: str, sign: str, digits: str, unit: str) -> tuple[str, object]:
    if (known := _NUMBERS.get((name, sign[0]))) is None:
        raise _not_understood(word)
    key, kind = known
    try:
        amount = Decimal(digits.replace("_", "")) * _TIMES[unit.lower()]
    except ArithmeticError as error:
        raise _not_understood(word) from error
    if amount < 0 and key != "min_gap_percent":
        raise _not_understood(word)
    return key, kind(amount)


def _not_understood(word: str) -> Failure:
    return Failure(
        "a word of the filter is not understood",
        code=ExitCode.USAGE,
        where="filter",
        expected=EXAMPLE,
        found=word,
    )
