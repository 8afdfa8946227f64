import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.main import run
from tradingd.kits.failure import ExitCode, Failure


class Params(msgspec.Struct, frozen=True, kw_only=True):
    words: Annotated[tuple[str, ...], Meta(description="Words.", extra={"positional": True})] = ()
    count: Annotated[int, Meta(ge=1, description="How often, 100 % sure.")] = 1
    loud: bool = False
    ending: Literal["dot", "none"] = "none"
    into: Path | None = None


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    into: str | None = None
    exit_code: int = 0


def echo(params: Params) -> Echo:
    if params.words == ("fail",):
        raise Failure("asked to fail", code=ExitCode.NO_DATA, next_step="ask differently")
    text = " ".join(params.words * params.count)
    text = text.upper() if params.loud else text
    return Echo(
        text=text + ("." if params.ending == "dot" else ""),
        into=str(params.into) if params.into else None,
        exit_code=3 if params.words == ("three",) else 0,
    )


def render(result: Echo) -> None:
    print(f"text: {result.text}")


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("say", "echo"),
        params=Params,
        result=Echo,
        function=f"{__name__}:echo",
        render=f"{__name__}:render",
        summary="Repeat words.",
        examples=("demo say echo a b --count 2",),
    ),
)


def demo(*argv: str) -> int:
    return run("demo", COMMANDS, argv)


def test_flags_and_places_come_from_the_struct(capsys):
    assert demo("say", "echo", "a", "b", "--count", "2", "--loud", "--ending", "dot") == 0
    assert capsys.readouterr().out == "text: A B A B.\n"


def test_places_may_follow_flags(capsys):
    assert demo("say", "echo", "a", "--loud", "b", "--count", "1", "c") == 0
    assert capsys.readouterr().out == "text: A B C\n"


def test_an_unknown_flag_is_refused(capsys):
    assert demo("say", "echo", "--louder") == ExitCode.USAGE
    assert "--louder" in capsys.readouterr().err


def test_json_prints_the_result_struct(capsys):
    demo("say", "echo", "a", "--json", "--into", "x/y")
    assert json.loads(capsys.readouterr().out) == {"text": "a", "into": "x/y", "exit_code": 0}


def test_a_failure_is_one_line_on_standard_error_with_its_exit_code(capsys):
    assert demo("say", "echo", "fail") == ExitCode.NO_DATA
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "demo: asked to fail | next: ask differently\n"


def test_a_result_may_carry_the_exit_code():
    assert demo("say", "echo", "three") == 3


def test_a_value_outside_its_constraint_is_a_usage_error(capsys):
    assert demo("say", "echo", "a", "--count", "0") == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "demo: an argument does not fit | at: --count | expected: a whole number >= 1 | found: '0' "
        "| next: demo say echo --help"
    )


def test_describe_gives_schemas_and_runs_nothing(capsys):
    assert demo("say", "echo", "fail", "--describe") == 0
    described = json.loads(capsys.readouterr().out)
    assert {"description", "input_schema", "output_schema", "environment"} <= set(described)


def test_an_unknown_word_is_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit) as ended:
        demo("say", "ecko")
    assert ended.value.code == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "demo say: no such command | expected: one of: echo | found: ecko "
        "| next: did you mean echo?"
    )


def test_a_setting_written_as_a_flag_is_refused_with_the_way_to_write_it(capsys):
    assert demo("say", "echo", "--strategy.fast=5") == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "demo: not understood | found: --strategy.fast=5 | next: did you mean strategy.fast=5?"
    )


def test_help_shows_examples_and_descriptions(capsys):
    with pytest.raises(SystemExit) as ended:
        demo("say", "echo", "--help")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "demo say echo a b --count 2" in shown
    assert "100 % sure" in shown


def test_no_command_shows_the_overview_and_says_so_by_exit_code(capsys):
    assert demo() == ExitCode.USAGE
    assert "say" in capsys.readouterr().out


class Aimed(msgspec.Struct, frozen=True, kw_only=True):
    instance: Annotated[
        str, Meta(pattern="^[a-z]+$", extra={"short": "i", "fits": "lower-case letters"})
    ] = "paper"
    reason: Annotated[str, Meta(min_length=3)] = ""
    minutes: Annotated[int, Meta(ge=1)] | None = None


def aim(params: Aimed) -> Echo:
    return Echo(text=params.instance)


AIMED: tuple[Command[Any, Any], ...] = tuple(
    Command(
        path=path,
        params=Aimed,
        result=Echo,
        function=f"{__name__}:aim",
        render=f"{__name__}:render",
        summary="Aim.",
    )
    for path in (("look",), ("limits", "list"), ("limits", "set"))
)


def test_a_flag_before_the_verb_says_which_daemon_is_meant(capsys):
    assert run("demo", AIMED, ["-i", "live", "limits", "list"]) == 0
    assert capsys.readouterr().out == "text: live\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-i", "live"], "demo: a command is missing after demo | expected: one of: look, limits"),
        (["-i"], "demo: a command is missing after demo | expected: one of: look, limits"),
        (["limits"], "demo: a command is missing after demo limits | expected: one of: list, set"),
        (
            ["-i", "live", "limits"],
            "demo: a command is missing after demo limits | expected: one of: list, set",
        ),
        (
            ["look", "--day", "x"],
            "demo: not understood | expected: --instance, --reason, --minutes",
        ),
        (["look", "-i", "LIVE"], "at: --instance | expected: lower-case letters | found: 'LIVE'"),
        (["look", "--reason", "x"], "at: --reason | expected: at least 3 characters | found: 'x'"),
        (["look", "--reason", ""], "at: --reason | expected: at least 3 characters | found: ''"),
        (["look", "--minutes", "soon"], "at: --minutes | expected: a whole number | found: 'soon'"),
        (["look", "--minutes", "0"], "at: --minutes | expected: a whole number >= 1 | found: '0'"),
    ],
)
def test_a_line_that_cannot_be_obeyed_says_what_is_missing_in_words(capsys, words, line):
    assert run("demo", AIMED, words) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_the_overview_lists_what_a_group_holds(capsys):
    with pytest.raises(SystemExit):
        run("demo", AIMED, ["--help"])
    assert "Group: list, set." in capsys.readouterr().out
