"""The literal table of commands; each verb's parameter structs live in the module beside it."""

from typing import Any

from tradingd.cli.command import Command

TRADINGD: tuple[Command[Any, Any], ...] = ()
TRADINGCTL: tuple[Command[Any, Any], ...] = ()
