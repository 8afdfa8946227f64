"""Set up logging for a process: the journal, JSON lines or a terminal, and files if asked."""

import asyncio
import logging
import logging.handlers
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TextIO

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.telemetry import journald
from tradingd.telemetry.formats import HumanFormatter, JsonFormatter
from tradingd.telemetry.masking import Mask
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.records import COPY, masked

Style = Literal["auto", "journal", "json", "human"]

LARGEST_FILE: Final = 10_000_000
"""Bytes of a log file before the next one is begun."""
FILES: Final = 5

_CHATTY: Final = ("apprise", "urllib3", "asyncio", "aiohttp", "requests", "matplotlib", "markdown")
"""Libraries whose information is noise, and whose debugging would print addresses."""

_log = logging.getLogger(__name__)


class Logging:
    """Logging as `configure` set it up; `close` undoes it.

    `mask` is what every output passes: register secrets as they are resolved. `context` holds the
    fields of every record; what is not known at first may be added later.
    """

    def __init__(self, mask: Mask, context: dict[str, str] | None = None) -> None:
        self.mask = mask
        self.context = {} if context is None else context
        self._handlers: list[logging.Handler] = []
        self._before: dict[str, Any] = {}

    def set_level(self, level: str) -> str:
        """Change the least level that is logged; return the one before."""
        root = logging.getLogger()
        before = logging.getLevelName(root.level)
        root.setLevel(level)
        return str(before)

    @property
    def dropped(self) -> int:
        """Records the journal did not take."""
        return sum(getattr(handler, "dropped", 0) for handler in self._handlers)

    def count_in(self, metrics: Metrics) -> None:
        """Count every record, and the dropped ones, in the metrics."""
        self._attach(_Counting(metrics), shown=False)
        metrics.before_scrape(lambda: metrics.log_dropped(self.dropped))

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Log what nobody catches on an event loop: failed tasks, failed callbacks."""
        loop.set_exception_handler(_loop_trouble)

    def close(self) -> None:
        """Flush and remove the handlers, and put the hooks back."""
        root = logging.getLogger()
        for handler in self._handlers:
            root.removeHandler(handler)
            handler.close()
        self._handlers.clear()
        if self._before:
            sys.excepthook = self._before["except"]
            threading.excepthook = self._before["thread"]
            sys.unraisablehook = self._before["unraisable"]
            root.setLevel(self._before["level"])
            for handler in self._before["handlers"]:
                root.addHandler(handler)
            logging.captureWarnings(False)
            self._before.clear()

    def _attach(self, handler: logging.Handler, *, shown: bool = True) -> None:
        if shown:
            handler.addFilter(_MaskingFilter(self.mask))
        logging.getLogger().addHandler(handler)
        self._handlers.append(handler)

    def _install(self, handlers: Iterable[logging.Handler], level: str) -> None:
        root = logging.getLogger()
        self._before = {
            "except": sys.excepthook,
            "thread": threading.excepthook,
            "unraisable": sys.unraisablehook,
            "level": root.level,
            "handlers": tuple(root.handlers),
        }
        for handler in tuple(root.handlers):
            root.removeHandler(handler)
        for handler in handlers:
            self._attach(handler)
        root.setLevel(level)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(True)
        sys.excepthook = _uncaught
        threading.excepthook = _uncaught_in_thread
        sys.unraisablehook = _unraisable


class _MaskingFilter(logging.Filter):
    """Gives its handler a copy of the record with no secret in it; all handlers share one copy."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        made = record.__dict__.get(COPY)
        if made is None or made[0] is not self._mask:
            made = record.__dict__[COPY] = (self._mask, masked(record, self._mask.text))
        copy: logging.LogRecord = made[1]
        return copy


class _Counting(logging.Handler):
    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        self._metrics.log_record(record.levelname)


def configure(
    instance: str,
    run_id: str,
    level: str = "INFO",
    folder: Path | str | None = None,
    secrets: Iterable[Secret] = (),
    *,
    style: Style = "auto",
    stream: TextIO | None = None,
    journal_socket: Path = journald.SOCKET,
    environment: Mapping[str, str] | None = None,
) -> Logging:
    """Send every log record of this process to its place, without secrets.

    Under systemd that is the journal, with fields such as ``TRADING_EVENT`` and
    ``TRADING_ORDER_ID`` from ``extra={"fields": {"event": "fill", "order_id": ...}}``; on a
    terminal it is a line for people; otherwise a JSON object a line on stderr. Python warnings,
    uncaught exceptions of any thread and, after `Logging.watch`, of the loop are logged too.

    Parameters
    ----------
    instance, run_id : str
        Fields of every record.
    level : str
        Least level: DEBUG, INFO, WARNING or ERROR.
    folder : Path or str, optional
        Also write rotated JSON files here: application.log, and errors.log from ERROR on.
    secrets : iterable of Secret
        Values to mask; more may be registered with `Logging.mask`.
    style : str
        Where to; ``auto`` decides as described.
    stream : TextIO, optional
        Instead of stderr.
    journal_socket, environment
        Where journald listens, and the variables that say whether stderr is connected to it.

    Raises
    ------
    Failure
        CONFIG when the folder cannot be written.
    """
    mask = Mask(secrets)
    context = {"instance": instance, "run_id": run_id}
    output = stream or sys.stderr
    variables = os.environ if environment is None else environment
    if style == "auto":
        style = _chosen(output, journal_socket, variables)
    handlers: list[logging.Handler] = []
    if style == "journal":
        handlers.append(
            journald.JournalHandler("tradingd", context, mask.text, path=journal_socket)
        )
    else:
        handlers.append(_stream_handler(output, style, context, mask))
    if folder:
        handlers += _files(Path(folder).expanduser(), context, mask)
    logs = Logging(mask, context)
    logs._install(handlers, level)
    return logs


def _chosen(output: TextIO, journal_socket: Path, variables: Mapping[str, str]) -> Style:
    """Return the style for an output: the journal only where stderr really leads there."""
    try:
        facts = os.fstat(output.fileno())
        terminal = output.isatty()
    except (OSError, ValueError, AttributeError):
        return "json"
    if variables.get("JOURNAL_STREAM") == f"{facts.st_dev}:{facts.st_ino}" and (
        journal_socket.is_socket()
    ):
        return "journal"
    return "human" if terminal else "json"


def _stream_handler(
    output: TextIO, style: Style, context: Mapping[str, str], mask: Mask
) -> logging.Handler:
    handler = logging.StreamHandler(output)
    if style == "human":
        colour = output.isatty() and "NO_COLOR" not in os.environ
        handler.setFormatter(HumanFormatter(mask.text, colour=colour))
    else:
        handler.setFormatter(JsonFormatter(context, mask.text))
    return handler


def _files(folder: Path, context: Mapping[str, str], mask: Mask) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, level in (("application.log", logging.NOTSET), ("errors.log", logging.ERROR)):
            handler = logging.handlers.RotatingFileHandler(
                folder / name, maxBytes=LARGEST_FILE, backupCount=FILES, encoding="utf-8"
            )
            handler.setLevel(level)
            handler.setFormatter(JsonFormatter(context, mask.text))
            handlers.append(handler)
    except OSError as error:
        for opened in handlers:
            opened.close()
        raise Failure(
            "the folder of the log files cannot be written",
            code=ExitCode.CONFIG,
            where="telemetry.log_folder",
            expected="a folder this user may write",
            found=f"{folder}: {error.strerror}",
            next_step=f"mkdir -p {folder}, or leave telemetry.log_folder empty for no files",
        ) from error
    return handlers


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _log.warning("interrupted", extra={"fields": {"event": "interrupted"}})
        return
    _log.critical(
        "uncaught: %s",
        error,
        exc_info=(kind, error, trace),
        extra={"fields": {"event": "uncaught"}},
    )


def _uncaught_in_thread(facts: threading.ExceptHookArgs) -> None:
    if facts.exc_type is SystemExit:
        return
    name = facts.thread.name if facts.thread else "unknown"
    error = facts.exc_value or facts.exc_type()
    _log.critical(
        "thread %s ended by: %s",
        name,
        error,
        exc_info=(facts.exc_type, error, facts.exc_traceback),
        extra={"fields": {"event": "uncaught", "ended_thread": name}},
    )


def _unraisable(facts: Any) -> None:
    error = facts.exc_value
    _log.error(
        "%s: %r: %s",
        facts.err_msg or "exception ignored in",
        facts.object,
        error,
        exc_info=(facts.exc_type, error, facts.exc_traceback) if error else None,
        extra={"fields": {"event": "unraisable"}},
    )


def _loop_trouble(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    about = context.get("task") or context.get("future") or context.get("handle")
    name = about.get_name() if isinstance(about, asyncio.Task) else repr(about)
    _log.error(
        "%s (%s)",
        context.get("message", "trouble on the event loop"),
        name,
        exc_info=(type(error), error, error.__traceback__) if error else None,
        extra={"fields": {"event": "loop_exception", "task": name}},
    )
