"""Commands of `tradingd runs`."""

from typing import Any

from tradingd.cli.command import Command

COMMANDS: tuple[Command[Any, Any], ...] = ()
