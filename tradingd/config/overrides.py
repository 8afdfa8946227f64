"""Command-line overrides: which select a group's option, which set a value.

Defaults live in the structs, so a key that a person sets is mostly absent from the YAML tree.
Hydra would refuse it (struct mode) before our structs can say what is wrong; a value override is
therefore handed over as ``++key=value`` and an unknown key is refused by the typed decode.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from tradingd.config.keys import KeyPath, root, secret_names
from tradingd.config.trees import options, packaged_tree
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

COMMAND_LINE: Final = "command line"

GROUPS: Final = tuple(field.name for field in root().fields if field.required)
"""Fields of the root that a folder of `conf/` offers options for."""

_SECRET_WORD = re.compile(r"secret|token|passw|api_?key|credential", re.IGNORECASE)

_WITH_TILDE = re.compile(r"""(?<![^,])[^,'"\\\[\]{}()]*~[^,'"\\\[\]{}()]*(?![^,])""")
"""A bare value, or one of several, that holds a tilde."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One override, split at its first equals sign."""

    text: str
    key: str
    value: str | None
    prefix: str = ""

    @property
    def is_value(self) -> bool:
        """Whether it sets a key of our tree, and not a group or a setting of Hydra."""
        if self.prefix == "~" or self.key in GROUPS:
            return False
        return not self.key.startswith(("hydra/", "hydra."))

    @property
    def path(self) -> KeyPath:
        """The key as a path from the root."""
        return tuple(self.key.split("."))

    def for_hydra(self) -> str:
        """Return the text in Hydra's own grammar."""
        if not self.is_value:
            return self.text
        # Hydra's grammar knows no tilde outside of quotes, and a folder may begin with one.
        value = _WITH_TILDE.sub(r"'\g<0>'", self.value or "")
        return f"++{self.key}={value}"

    def shown(self) -> str:
        """Return the text for a message; the value of a key that holds a secret stays hidden."""
        return f"{self.key}=(hidden)" if is_secret(self.path) else self.text


def is_secret(path: KeyPath) -> bool:
    """Whether a key's value must not be shown: it is declared a secret or is named like one."""
    return any(part in secret_names() or _SECRET_WORD.search(part) for part in path)


def parse(text: str) -> Override:
    """Split one override.

    Raises
    ------
    Failure
        ``CONFIG`` when it is not ``key=value``, names no group, or sets a group's ``kind``.
    """
    prefix = next((mark for mark in ("++", "+", "~") if text.startswith(mark)), "")
    key, equals, value = text.removeprefix(prefix).partition("=")
    key = key.strip()
    if not key or not (equals or prefix == "~"):
        raise _not_an_override(text)
    if ("/" in key or "@" in key) and not key.startswith("hydra/"):
        raise _no_such_group(key)
    if key.endswith(".kind") and key.removesuffix(".kind") in GROUPS:
        raise _kind_of_group(key.removesuffix(".kind"), value)
    if key in GROUPS and equals and (value in ("", "null") or value[0] in "[{"):
        raise _no_option_name(key, text)
    return Override(text=text, key=key, value=value if equals else None, prefix=prefix)


def _not_an_override(text: str) -> Failure:
    return Failure(
        "an override is not key=value",
        code=ExitCode.CONFIG,
        where=COMMAND_LINE,
        expected="a group (strategy=ema_cross) or a value (strategy.fast=5)",
        found=text,
    )


def _no_such_group(key: str) -> Failure:
    close = nearest(re.split("[/@]", key)[0], GROUPS)
    return Failure(
        f"there is no group {key}",
        code=ExitCode.CONFIG,
        where=COMMAND_LINE,
        expected="one of: " + ", ".join(GROUPS),
        found=key,
        next_step=f"did you mean {close}?" if close else "",
    )


def _no_option_name(group: str, text: str) -> Failure:
    return Failure(
        f"the group {group} takes the name of one option",
        code=ExitCode.CONFIG,
        where=f"{COMMAND_LINE}: {group}",
        expected="one of: " + ", ".join(options(group, (packaged_tree(),))),
        found=text,
        next_step=f"a value inside it is set as {group}.KEY=VALUE",
    )


def _kind_of_group(group: str, value: str) -> Failure:
    return Failure(
        f"{group}.kind is chosen with its group, so that the option's file is read",
        code=ExitCode.CONFIG,
        where=f"{COMMAND_LINE}: {group}.kind",
        expected=f"{group}=OPTION",
        found=f"{group}.kind={value}",
        next_step=f"{group}={value}",
    )


def hydra_overrides(overrides: Sequence[str]) -> list[str]:
    """Return overrides in Hydra's grammar; values become ``++key=value``."""
    return [parse(text).for_hydra() for text in overrides]
