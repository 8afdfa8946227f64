"""A log record as facts: what every output writes, masked."""

import datetime as dt
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

COPY: Final = "masked_copy"
"""Attribute of a record under which its masked copy is kept for the other handlers."""

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "fields"}
_STANDARD: Final = _OWN | {COPY}

type Text = Callable[[str], str]


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the facts given with ``extra=``: its mapping ``fields``, and plain attributes."""
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    given = getattr(record, "fields", None)
    return extra | dict(given) if isinstance(given, Mapping) else extra


def masked(record: logging.LogRecord, mask: Text) -> logging.LogRecord:
    """Return a copy of a record in which no secret is left: message, fields, exception, stack."""
    # Its constructor would look up thread and process again.
    copy = logging.LogRecord.__new__(logging.LogRecord)
    facts = vars(copy)
    facts.update(vars(record))
    for name in facts.keys() - _OWN:
        del facts[name]
    try:
        copy.msg = mask(record.getMessage())
    except Exception as error:  # noqa: BLE001 - a bad format string must not lose the record
        copy.msg = mask(f"{record.msg!r} with {record.args!r} ({error})")
    copy.args = None
    fields = {mask(str(name)): _value(value, mask) for name, value in fields_of(record).items()}
    if record.exc_info and record.exc_info[0] is not None:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        fields.setdefault("exception", record.exc_info[0].__name__)
    else:
        text = record.exc_text or ""
    copy.__dict__["fields"] = fields
    copy.exc_info = None
    copy.exc_text = mask(text) or None
    copy.stack_info = mask(record.stack_info) if record.stack_info else None
    return copy


def when(record: logging.LogRecord) -> str:
    """Return the time of a record, UTC with microseconds."""
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="microseconds")


def _value(value: Any, mask: Text) -> Any:
    """Return a value as JSON can hold it, masked; what is not a plain value becomes its text."""
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else str(value)
        case str():
            return mask(value)
        case Mapping():
            return {mask(str(name)): _value(one, mask) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_value(one, mask) for one in value]
        case _:
            return mask(str(value))
