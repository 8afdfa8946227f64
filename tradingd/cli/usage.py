"""Say in one line what is wrong with a command line, and the nearest thing that would be right."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

_CHOICE: Final = re.compile(r"argument (?P<where>\S+): invalid choice: '(?P<found>.*)' \(choose ")
_QUOTED: Final = re.compile(r"'([^']*)'")
_CONSTRAINT: Final = re.compile(
    r"(?:Expected )?(?P<expected>.*?)(?:, got .*?)?(?: - at `\$\.(?P<field>\w+).*`)?$"
)

_ABSENT: Final = re.compile(r"Object missing required field `(?P<field>\w+)`")

_WORDS: Final = (
    (re.compile(r" \| null$"), ""),
    (re.compile(r"^str of length >= 1$"), "at least 1 character"),
    (re.compile(r"^str of length >= (\d+)$"), r"at least \1 characters"),
    (re.compile(r"^str of length <= (\d+)$"), r"at most \1 characters"),
    (re.compile(r"^int\b"), "a whole number"),
    (re.compile(r"^float\b"), "a number"),
    (re.compile(r"^str\b"), "text"),
)


class Parser(argparse.ArgumentParser):
    """The standard parser, but what it refuses is one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        """End the process with the usage exit code."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {misused(self.prog, message).line()}\n")


def misused(program: str, message: str) -> Failure:
    """Return what argparse complains about, with the nearest choice where it lists choices."""
    wrong = _CHOICE.match(message)
    if wrong is None:
        return _usage(message, next_step=f"{program} --help")
    choices = _QUOTED.findall(message[wrong.end() :])
    close = nearest(wrong["found"], choices)
    return _usage(
        f"no such {wrong['where'].lower().lstrip('-')}",
        expected="one of: " + ", ".join(choices),
        found=wrong["found"],
        next_step=f"did you mean {close}?" if close else f"{program} --help",
    )


def unknown_words(program: str, words: Sequence[str], flags: Sequence[str] = ()) -> Failure:
    """Return the refusal of words no parameter takes; settings are written without dashes."""
    stated = next((word for word in words if word.startswith("--") and "=" in word), None)
    return _usage(
        "not understood",
        expected="" if stated else ", ".join(flags),
        found=" ".join(words),
        next_step=f"did you mean {stated.lstrip('-')}?" if stated else f"{program} --help",
    )


def missing_command(program: str, choices: Sequence[str]) -> Failure:
    """Return the refusal of a line that ends before it says what to do."""
    return _usage(
        f"a command is missing after {program}",
        expected="one of: " + ", ".join(choices),
        next_step=f"{program} --help",
    )


def unfit(
    program: str,
    error: msgspec.ValidationError,
    given: Mapping[str, Any],
    wanted: Mapping[str, str] | None = None,
) -> Failure:
    """Return the refusal of a value outside its parameter's type or range, naming its flag.

    Parameters
    ----------
    wanted : mapping, optional
        What a field takes, in words, where its pattern says it to machines only.
    """
    if absent := _ABSENT.match(str(error)):
        what = f"an argument is missing: {absent['field'].upper()}"
        return _usage(what, next_step=f"{program} --help")
    parts = _CONSTRAINT.match(str(error))
    field = parts["field"] if parts else None
    if parts is None or field is None:
        return _usage(str(error), next_step=f"{program} --help")
    return _usage(
        "an argument does not fit",
        where="--" + field.replace("_", "-"),
        expected=(wanted or {}).get(field) or _in_words(parts["expected"].replace("`", "")),
        found=repr(given.get(field)),
        next_step=f"{program} --help",
    )


def _in_words(expected: str) -> str:
    """Return what msgspec expects without the names of Python's types."""
    for pattern, text in _WORDS:
        expected = pattern.sub(text, expected)
    return expected


def _usage(what: str, **facts: str) -> Failure:
    return Failure(what, code=ExitCode.USAGE, **facts)
