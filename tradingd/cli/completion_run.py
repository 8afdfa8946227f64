"""Print a completion script derived from the same parser that reads the command line."""

import sys

import shtab

from tradingd.cli.doctor import CompletionParams, CompletionScript
from tradingd.cli.main import build_parser
from tradingd.cli.table import TRADINGD


def run(params: CompletionParams) -> CompletionScript:
    """Write the script for one shell."""
    script = shtab.complete(build_parser("tradingd", TRADINGD), shell=params.shell)
    return CompletionScript(shell=params.shell, script=script)


def render(completion: CompletionScript) -> None:
    """Print the script and nothing else, so that it can be sourced."""
    sys.stdout.write(completion.script + "\n")
