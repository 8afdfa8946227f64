"""What every command promises to a program that drives it."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tradingd.cli.command import Command, decode_parameters
from tradingd.cli.main import build_parser, tradingctl, tradingd
from tradingd.cli.table import TRADINGCTL, TRADINGD
from tradingd.kits.failure import ExitCode

PROGRAMS = {"tradingd": (tradingd, TRADINGD), "tradingctl": (tradingctl, TRADINGCTL)}
COMMANDS = [
    pytest.param(program, command, id=" ".join((program, *command.path)))
    for program, (_, commands) in PROGRAMS.items()
    for command in commands
]
HEAVY = ("nautilus_trader", "duckdb", "pyarrow", "pandas", "hydra", "plotly", "ray", "optuna")


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_a_description_states_input_output_and_environment(
    program: str, command: Command[Any, Any]
) -> None:
    described = json.loads(json.dumps(command.describe()))
    assert described["command"] == " ".join(command.path)
    assert described["description"].endswith(".")
    for schema in (described["input_schema"], described["output_schema"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    assert all(name.isupper() for name in described["environment"])
    assert all(described["environment"].values())
    assert described["examples"]


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_every_example_parses_to_its_own_command_and_fits_its_input_schema(
    program: str, command: Command[Any, Any]
) -> None:
    parser = build_parser(program, PROGRAMS[program][1])
    schema = command.describe()["input_schema"]
    for example in command.examples:
        name, *words = words_of(example)
        assert name == program
        values = vars(parser.parse_args(words))
        assert values.pop("command_") is command
        values.pop("json"), values.pop("describe")
        decode_parameters(command.params, values)
        known = set(jsonschema_properties(schema))
        assert set(values) <= known


def words_of(example: str) -> list[str]:
    """Return the program's own words: what a shell does after them is not the program's."""
    words = shlex.split(example)
    shell = [place for place, word in enumerate(words) if word in (">", "|")]
    return words[: shell[0]] if shell else words


def jsonschema_properties(schema: dict[str, Any]) -> dict[str, Any]:
    named = schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return dict(named["properties"])


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_describe_does_nothing_else(
    program: str,
    command: Command[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TRADINGD_CONF"):
        monkeypatch.setenv(name, str(tmp_path / name))
    _, *words = words_of(command.examples[0])
    assert PROGRAMS[program][0]([*words, "--describe"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(command.describe()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_describes_all_its_commands_at_once(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run, commands = PROGRAMS[program]
    assert run(["--describe"]) == ExitCode.OK
    described = json.loads(capsys.readouterr().out)
    assert [one["command"] for one in described["commands"]] == [
        " ".join(command.path) for command in commands
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_pays_for_no_heavy_import(program: str) -> None:
    code = (
        "import sys\n"
        f"from tradingd.cli.main import {program}\n"
        f"try:\n    {program}(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(sorted(set(sys.modules) & {set(HEAVY)!r})))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ)
    )
    assert "usage:" in ended.stdout
    assert ended.stderr == ""
