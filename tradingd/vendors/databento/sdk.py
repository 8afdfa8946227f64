"""The vendor's client library: imported late, tamed, its exceptions turned into `Trouble`.

Tamed: a warning in an answer's header is logged. The library raises it through `warnings`, which
is not safe from several threads, and under `-W error` it would throw a paid answer away.
"""

import importlib
import importlib.util
import io
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.refused import refused
from tradingd.vendors.databento.trouble import Kind, Trouble, masked, of_status

log = logging.getLogger(__name__)

PACKAGE: Final = "databento"


def is_installed() -> bool:
    """Tell whether the library is there, without importing it."""
    return importlib.util.find_spec(PACKAGE) is not None


def library() -> Any:
    """Import the library.

    Raises
    ------
    Failure
        ``INSTALL`` naming the extra when a package is not there.
    """
    try:
        found = importlib.import_module(PACKAGE)
        http = importlib.import_module(f"{PACKAGE}.common.http")
    except ModuleNotFoundError as error:
        raise Failure(
            "Databento's client needs a package that is not installed",
            code=ExitCode.INSTALL,
            expected=f"package {PACKAGE}",
            found=f"no module {error.name}",
            next_step=f"pip install 'tradingd[{PACKAGE}]'",
        ) from error
    # The library imports the name into this module and does not list it as its own.
    http.check_backend_warnings = log_warnings  # type: ignore[attr-defined]
    return found


def log_warnings(response: Any) -> None:
    """Log what the vendor warns of in an answer's header; a header that is odd is logged as is."""
    text = response.headers.get("X-Warning")
    if text is None:
        return
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    for one in found if isinstance(found, list) else [found]:
        log.warning("databento: %s", masked(str(one)))


@contextmanager
def translated(key: Secret) -> Iterator[None]:
    """Turn what the library raises into `Trouble`, or into a `Failure` of our own disk.

    Raises
    ------
    Trouble, Failure
    """
    try:
        yield
    except (Trouble, Failure):
        raise
    except Exception as error:  # noqa: BLE001 - the decoder's errors share no other class
        found = _of(error, key.reveal())
        _close_files(error)
        # Not chained: an error page of the vendor's may repeat the key.
        raise found from None


def _of(error: Exception, key: str) -> Trouble | Failure:
    databento = importlib.import_module(PACKAGE)
    exceptions = importlib.import_module("requests.exceptions")
    text = masked(f"{type(error).__name__}: {error}", key)
    match error:
        case databento.BentoHttpError():
            return _of_answer(error, key)
        case exceptions.JSONDecodeError():
            return Trouble(Kind.GARBLED, "no JSON", lost=True)
        case exceptions.ConnectTimeout():
            return Trouble(Kind.DOWN, "no connection in time")
        case exceptions.RequestException():
            return Trouble(Kind.DOWN, _short(text), lost=not _never_connected(error))
        case databento.BentoError() if "streaming response" in text:
            return _broken_off(error.__context__, text)
        case OSError() if (disk := refused(error)) is not None:
            return disk
    # The decoder raises what its native part finds, under no common class.
    return Trouble(Kind.GARBLED, text, lost=True)


def _of_answer(error: Any, key: str) -> Trouble:
    """Read an error answer: the vendor's case and message where it has them, else its text."""
    detail = error.json_body.get("detail") if isinstance(error.json_body, dict) else None
    if isinstance(detail, dict):
        words = ": ".join(str(detail[name]) for name in ("case", "message") if detail.get(name))
    else:
        words = str(detail or error.http_body or error.message or "")
    headers = error.headers or {}
    return of_status(error.http_status, masked(words, key), headers.get("Retry-After"))


def _broken_off(cause: BaseException | None, text: str) -> Trouble | Failure:
    """Tell a full disk, which no other try helps, from an answer that ended too early."""
    requests = importlib.import_module("requests.exceptions")
    if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
        disk = refused(cause)
        if disk is not None:
            return disk
    return Trouble(Kind.DOWN, f"the answer ended too early: {_short(text)}", lost=True)


def _never_connected(error: BaseException) -> bool:
    """Tell whether not one byte of the request can have left."""
    text = repr(error)
    certain = ("NewConnectionError", "NameResolutionError", "CERTIFICATE_VERIFY_FAILED")
    return any(word in text for word in certain)


def _short(text: str) -> str:
    """Cut the addresses of objects and the repetition that urllib3 puts into its texts."""
    for long, short in (
        ("NewConnectionError", "no connection"),
        ("Read timed out", "no answer in time"),
        ("Connection reset", "connection reset"),
        ("Remote end closed connection", "connection closed without an answer"),
        ("IncompleteRead", "fewer bytes than announced"),
        ("Response ended prematurely", "connection closed in the middle"),
    ):
        if long in text:
            return short
    return text


def _close_files(error: BaseException) -> None:
    """Close the files that the library leaves open in the frames of a broken download."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name in ("writer", "data_source"):
            held = frame.f_locals.get(name)
            stream = getattr(held, "reader", held)
            if isinstance(stream, io.IOBase):
                with suppress(OSError):
                    stream.close()
