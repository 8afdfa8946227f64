"""Commands of `tradingd backtest`."""

from typing import Any

from tradingd.cli.command import Command

COMMANDS: tuple[Command[Any, Any], ...] = ()
