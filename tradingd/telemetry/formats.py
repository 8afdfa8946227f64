"""How a masked record looks: one JSON object a line for machines, one line for people."""

import json
import logging
from collections.abc import Mapping
from typing import Final

from tradingd.telemetry.records import Text, when

_COLOURS: Final = {
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
_UNCOLOURED: Final = "\x1b[0m"

# Made once: `json.dumps` with options makes an encoder for every line.
_JSON: Final = json.JSONEncoder(ensure_ascii=False, default=str)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, the context, the record's fields.

    Parameters
    ----------
    context : mapping
        Facts of the process, e.g. instance and run_id; read anew for each record.
    mask : callable
        Applied to the finished line as well.
    """

    def __init__(self, context: Mapping[str, str], mask: Text) -> None:
        super().__init__()
        self._context = context
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "ts": when(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._context,
        }
        for name, value in getattr(record, "fields", {}).items():
            line[f"{name}_" if name in line else name] = value
        if record.exc_text:
            line["traceback"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info
        return self._mask(_JSON.encode(line))


class HumanFormatter(logging.Formatter):
    """Time, level, message, fields; for a terminal.

    Parameters
    ----------
    mask : callable
        Applied to the finished line as well.
    colour : bool
        Whether warnings and errors are coloured.
    """

    def __init__(self, mask: Text, *, colour: bool) -> None:
        super().__init__()
        self._mask = mask
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the traceback below it."""
        fields = getattr(record, "fields", {})
        facts = " ".join(f"{name}={value}" for name, value in fields.items() if name != "event")
        clock = when(record)[11:23]
        line = f"{clock} {record.levelname:<8}{record.getMessage()}" + (
            f"  [{facts}]" if facts else ""
        )
        if self._colour and record.levelno in _COLOURS:
            line = f"{_COLOURS[record.levelno]}{line}{_UNCOLOURED}"
        below = [text for text in (record.exc_text, record.stack_info) if text]
        return self._mask("\n".join([line, *below]))
