"""Command-line overrides: which select a group's option, which set a value.

Defaults live in the structs, so a key that a person sets is mostly absent from the YAML tree.
Hydra would refuse it (struct mode) before our structs can say what is wrong; a value override is
therefore handed over as ``++key=value`` and an unknown key is refused by the typed decode.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure

GROUPS: Final = tuple(name for name in SystemConfig.__struct_fields__ if name != "seed")
"""Fields of the root that a folder of `conf/` offers options for."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One override, split at its first equals sign."""

    text: str
    key: str
    value: str | None
    prefix: str = ""

    @property
    def is_value(self) -> bool:
        """Whether it sets a key of our tree, and not a group or a setting of Hydra."""
        if self.prefix == "~" or "/" in self.key or "@" in self.key:
            return False
        return self.key not in GROUPS and not self.key.startswith("hydra.")

    def for_hydra(self) -> str:
        """Return the text in Hydra's own grammar."""
        return f"++{self.key}={self.value}" if self.is_value else self.text


def parse(text: str) -> Override:
    """Split one override.

    Raises
    ------
    Failure
        ``CONFIG`` when it has no equals sign or no key.
    """
    prefix = next((mark for mark in ("++", "+", "~") if text.startswith(mark)), "")
    key, equals, value = text.removeprefix(prefix).partition("=")
    if not key.strip() or not (equals or prefix == "~"):
        raise Failure(
            "an override is not key=value",
            code=ExitCode.CONFIG,
            where="command line",
            expected="a group (strategy=ema_cross) or a value (strategy.fast=5)",
            found=text,
        )
    return Override(text=text, key=key.strip(), value=value if equals else None, prefix=prefix)


def hydra_overrides(overrides: Sequence[str]) -> list[str]:
    """Return overrides in Hydra's grammar; values become ``++key=value``."""
    return [parse(text).for_hydra() for text in overrides]
