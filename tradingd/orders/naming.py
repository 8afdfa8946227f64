"""Client order ids that tell who sent what, to whoever reads the broker's records alone; pure.

    paper.swing_trend.E.0k3f9x2-000123
    instance.strategy.leg.run-number

Letters, digits, dot, minus and underscore only, at most 48 characters; no tilde, which brokers use
for the orders that replace one. The number is at the end, where the journal counts it.
"""

import re
import zlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from tradingd.domain.orders import Purpose

LONGEST: Final = 48
"""Characters of an id."""

NOBODY: Final = "-"
"""Stands for a strategy that is not known: of orders that nobody's decision made."""

_INSTANCE: Final = 16
_RUN: Final = 7
_NUMBER: Final = 8
_FORM: Final = re.compile(
    rf"(?P<instance>[A-Za-z0-9_-]+)\.(?P<strategy>[A-Za-z0-9_-]+)\.(?P<leg>[A-Z])"
    rf"\.(?P<run>[0-9a-z]{{{_RUN}}})-(?P<number>[0-9]{{6,}})"
)
_FORMER: Final = re.compile(rf"(?P<instance>.+)-[0-9a-z]{{{_RUN}}}-[0-9]{{6,}}")
"""Ids of earlier releases, which say no more than the instance."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class LegLetter(StrEnum):
    """What an order is for, as its id tells it."""

    ENTRY = "E"
    EXIT = "X"
    STOP = "S"
    TARGET = "T"
    CLOSE = "C"
    FLATTEN = "F"
    ORDER = "O"
    """Named before its purpose was known."""

    @property
    def purpose(self) -> Purpose | None:
        """The purpose that goes with it; None where the letter does not tell."""
        return _PURPOSES.get(self)


_PURPOSES: Final = {
    LegLetter.ENTRY: Purpose.ENTRY,
    LegLetter.EXIT: Purpose.EXIT,
    LegLetter.STOP: Purpose.PROTECT,
    LegLetter.TARGET: Purpose.PROTECT,
    LegLetter.CLOSE: Purpose.PROTECT,
    LegLetter.FLATTEN: Purpose.EXIT,
}


class Name(msgspec.Struct, frozen=True):
    """What an id says; `strategy` may be shortened (`resolved`), and is empty for nobody's."""

    instance: str
    strategy: str
    leg: LegLetter
    run: str
    number: int


def order_id(instance: str, strategy: str, leg: LegLetter, run: str, number: int) -> str:
    """Return an id; `run` is what `run_part` makes of the run."""
    return f"{label(instance, _INSTANCE)}.{_strategy(instance, strategy)}.{leg}.{run}-{number:06d}"


def parse(text: str) -> Name | None:
    """Return what an id says, None for one of another form."""
    found = _FORM.fullmatch(text)
    if found is None or found["leg"] not in LegLetter:
        return None
    strategy = "" if found["strategy"] == NOBODY else found["strategy"]
    return Name(
        found["instance"], strategy, LegLetter(found["leg"]), found["run"], int(found["number"])
    )


def ours(instance: str, text: str) -> bool:
    """Tell whether an id has the form of an instance's, earlier releases' included."""
    name = parse(text)
    if name is not None:
        return name.instance == label(instance, _INSTANCE)
    found = _FORMER.fullmatch(text)
    return found is not None and found["instance"] == instance[:_INSTANCE]


def resolved(instance: str, name: Name, strategies: Iterable[str]) -> str:
    """Return the strategy of an id in full, among those that are known; else as the id has it."""
    for strategy in strategies:
        if strategy and _strategy(instance, strategy) == name.strategy:
            return strategy
    return name.strategy


def leg_letter(purpose: Purpose | None) -> LegLetter:
    """Return the letter of what a strategy asks for."""
    known = {Purpose.ENTRY: LegLetter.ENTRY, Purpose.EXIT: LegLetter.EXIT}
    return LegLetter.ORDER if purpose is None else known.get(purpose, LegLetter.ORDER)


def run_part(run: str) -> str:
    """Return seven characters that differ between runs."""
    return _hashed(run, _RUN)


def label(text: str, longest: int) -> str:
    """Return a name with what an id may contain, the same for the same name.

    What had to be cut or replaced ends with a tag of the whole name, so that two names stay two.
    """
    clean = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    if clean == text and len(text) <= longest and text != NOBODY:
        return text or NOBODY
    return f"{clean[: longest - 5]}_{_hashed(text, 4)}"


def _strategy(instance: str, strategy: str) -> str:
    fixed = len(label(instance, _INSTANCE)) + len("..E.-") + _RUN + _NUMBER
    return label(strategy, LONGEST - fixed)


def _hashed(text: str, length: int) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits += _DIGITS[digit]
    return digits
