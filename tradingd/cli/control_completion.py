"""Print a completion script of `tradingctl`, derived from the parser that reads its words."""

import sys

import shtab

from tradingd.cli.control_params import CompletionParams
from tradingd.cli.doctor import CompletionScript
from tradingd.cli.main import build_parser
from tradingd.cli.table import TRADINGCTL


def run(params: CompletionParams) -> CompletionScript:
    """Write the script for one shell."""
    script = shtab.complete(build_parser("tradingctl", TRADINGCTL), shell=params.shell)
    return CompletionScript(shell=params.shell, script=script)


def render(completion: CompletionScript) -> None:
    """Print the script and nothing else, so that it can be sourced."""
    sys.stdout.write(completion.script + "\n")
