"""Parse a command line, run the command, print its result, end with its exit code."""

import argparse
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradingd import __version__
from tradingd.cli.command import (
    Command,
    add_parameters,
    decode_parameters,
    flags_of,
    in_words,
    repeated_place,
)
from tradingd.cli.interrupted import ended_by_signals
from tradingd.cli.usage import Parser, missing_command, unfit, unknown_words
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.refused import refused

_WITH_TRACEBACK = (ExitCode.STRATEGY_FAILED, ExitCode.ENGINE_FAILED)
"""Failures of code, the user's or ours: a person needs the traceback of the cause."""

_BEFORE_THE_VERB = ("-i", "--instance", "--socket")
"""Flags that a person may also write before the verb: which daemon is meant, then what it does."""

_BUILT_IN = ("json", "describe", "command_", "rest_")


def tradingd(argv: Sequence[str] | None = None) -> int:
    """Run the `tradingd` command line and return the exit code."""
    from tradingd.cli.table import TRADINGD

    return run("tradingd", TRADINGD, argv)


def tradingctl(argv: Sequence[str] | None = None) -> int:
    """Run the `tradingctl` command line and return the exit code."""
    from tradingd.cli.table import TRADINGCTL

    return run("tradingctl", TRADINGCTL, argv)


def run(program: str, commands: Sequence[Command[Any, Any]], argv: Sequence[str] | None) -> int:
    """Parse, execute and print; every refusal becomes one line on standard error."""
    _have_streams()
    words = _verb_first(list(sys.argv[1:] if argv is None else argv))
    try:
        try:
            return _run(program, commands, words)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _complain(program, "interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`).
        _drop_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        failure = refused(error)
        if failure is None:
            raise
        _drop_output()
        _complain(program, failure.line())
        return failure.code


def _run(program: str, commands: Sequence[Command[Any, Any]], words: list[str]) -> int:
    parser = build_parser(program, commands)
    described = _asked_to_describe(commands, words)
    if described is not None:
        _print_json(described.describe())
        return ExitCode.OK
    if choices := _left_open(commands, words):
        _complain(program, missing_command(" ".join((program, *_path(words))), choices).line())
        return ExitCode.USAGE
    arguments, rest = parser.parse_known_args(words)
    if not hasattr(arguments, "command_") and not rest:
        return _show_overview(program, parser, commands, arguments)
    command: Command[Any, Any] | None = getattr(arguments, "command_", None)
    name = program if command is None else " ".join((program, *command.path))
    try:
        if command is None or not _take_places(command, arguments, rest):
            raise unknown_words(name, rest, () if command is None else flags_of(command.params))
        return _execute(command, arguments)
    except Failure as failure:
        if failure.code in _WITH_TRACEBACK and failure.__cause__ is not None:
            traceback.print_exception(failure.__cause__)
        _complain(program, failure.line())
        return failure.code
    except msgspec.ValidationError as error:
        _complain(program, _unfit(name, command, error, arguments).line())
        return ExitCode.USAGE


def _unfit(
    name: str,
    command: Command[Any, Any] | None,
    error: msgspec.ValidationError,
    arguments: argparse.Namespace,
) -> Failure:
    return unfit(name, error, vars(arguments), in_words(command.params) if command else None)


def _path(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words before the first flag."""
    return tuple(itertools.takewhile(lambda word: not word.startswith("-"), words))


def _left_open(commands: Sequence[Command[Any, Any]], words: Sequence[str]) -> Sequence[str]:
    """Return the commands that could follow, where a line names a daemon and no whole command."""
    path = _path(words)
    flags = words[len(path) :]
    if not (flags and flags[0] in _BEFORE_THE_VERB) and (flags or not path):
        return ()
    longer = [one.path for one in commands if one.path[: len(path)] == path]
    if any(one == path for one in longer):
        return ()
    return list(dict.fromkeys(one[len(path)] for one in longer))


def _verb_first(words: list[str]) -> list[str]:
    """Move flags that say which daemon is meant behind the verb, where its parser expects them."""
    leading: list[str] = []
    while len(words) > 2 and words[0] in _BEFORE_THE_VERB:
        leading += words[:2]
        words = words[2:]
    return [*words, *leading]


def _have_streams() -> None:
    """Give a process that was started with closed streams (`>&-`) something to write to."""
    # Opened once and kept to the end, like the streams they stand for.
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")


def _drop_output() -> None:
    """Point stdout at nothing where it takes no more, so that the interpreter's exit is quiet."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _asked_to_describe(
    commands: Sequence[Command[Any, Any]], words: Sequence[str]
) -> Command[Any, Any] | None:
    """Return the command to describe; its required places need not be given for that."""
    if "--describe" not in words:
        return None
    path = tuple(word for word in words if not word.startswith("-"))
    return next((one for one in commands if path[: len(one.path)] == one.path), None)


def _take_places(
    command: Command[Any, Any], arguments: argparse.Namespace, rest: list[str]
) -> bool:
    """Append words that follow a flag to the command's repeated places; argparse stops at flags."""
    if not rest:
        return True
    places = repeated_place(command.params)
    if places is None or any(word.startswith("-") for word in rest):
        return False
    setattr(arguments, places, [*getattr(arguments, places, ()), *rest])
    return True


def _execute(command: Command[Any, Any], arguments: argparse.Namespace) -> int:
    if command.own_signals:
        return _worked(command, arguments)
    with ended_by_signals(command):
        return _worked(command, arguments)


def _worked(command: Command[Any, Any], arguments: argparse.Namespace) -> int:
    values = {key: value for key, value in vars(arguments).items() if key not in _BUILT_IN}
    result = command.load()(decode_parameters(command.params, values))
    if isinstance(result, Iterator):
        return _stream(command, result, as_json=getattr(arguments, "json", False))
    if getattr(arguments, "json", False):
        _print_json(result)
    else:
        command.load_render()(result)
    return int(getattr(result, "exit_code", ExitCode.OK))


def _stream(command: Command[Any, Any], items: Iterator[Any], *, as_json: bool) -> int:
    """Print the items of a command that yields them, each as it comes; JSON one a line."""
    render = command.load_render()
    for item in items:
        if as_json:
            sys.stdout.write(msgspec.json.encode(item).decode() + "\n")
        else:
            render(item)
        sys.stdout.flush()
    return ExitCode.OK


def build_parser(program: str, commands: Sequence[Command[Any, Any]]) -> argparse.ArgumentParser:
    """Build the parser of a whole program from its commands."""
    parser = Parser(prog=program, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    parser.add_argument("--describe", action="store_true", help="describe every command as JSON")
    groups: dict[tuple[str, ...], Any] = {(): parser.add_subparsers(metavar="COMMAND")}
    for command in commands:
        leaf = _group(groups, command, commands).add_parser(
            command.path[-1],
            help=command.summary,
            description=command.summary,
            epilog=_examples(command),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_parameters(leaf, command.params)
        leaf.add_argument("--json", action="store_true", help="print the result as JSON")
        leaf.add_argument(
            "--describe",
            action="store_true",
            help="print input and output schemas as JSON, do nothing",
        )
        leaf.set_defaults(command_=command)
    return parser


def _group(
    groups: dict[tuple[str, ...], Any],
    command: Command[Any, Any],
    commands: Sequence[Command[Any, Any]],
) -> Any:
    parent = command.path[:-1]
    if parent not in groups:
        members = ", ".join(one.path[-1] for one in commands if one.path[:-1] == parent)
        group = groups[parent[:-1]].add_parser(parent[-1], help=f"Group: {members}.")
        groups[parent] = group.add_subparsers(metavar="COMMAND", required=True)
    return groups[parent]


def _examples(command: Command[Any, Any]) -> str:
    return "examples:\n" + "\n".join(f"  {line}" for line in command.examples)


def _show_overview(
    program: str,
    parser: argparse.ArgumentParser,
    commands: Sequence[Command[Any, Any]],
    arguments: argparse.Namespace,
) -> int:
    if arguments.describe:
        _print_json({"program": program, "commands": [one.describe() for one in commands]})
        return ExitCode.OK
    parser.print_help()
    return ExitCode.USAGE


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def _complain(program: str, line: str) -> None:
    sys.stderr.write(f"{program}: {line}\n")
