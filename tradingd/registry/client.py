"""Connect to an MLflow store, quietly and without telling anybody; importing MLflow takes seconds.

Settings that MLflow reads from the environment only are set here, unless a person set them.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

DATABASE: Final = "registry.sqlite"
LOCK_NAME: Final = ".lock"
_LOCK_SECONDS: Final = 60.0

_ENVIRONMENT: Final = {
    # No usage statistics leave the machine.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # Its log records go the way of ours.
    "MLFLOW_CONFIGURE_LOGGING": "false",
    # A server that is down is told in seconds; the defaults retry for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_ABSENT: Final = "RESOURCE_DOES_NOT_EXIST"
_BEARER: Final = "MLFLOW_TRACKING_TOKEN"


def connect(root: Path, tracking: str, token: Secret | None) -> "MlflowClient":
    """Return a client of the tracking server, or of the SQLite file in `root`, made where needed.

    Raises
    ------
    Failure
        REGISTRY when it cannot be opened; STORE_WRITE when the folder cannot be made.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if token is not None:
        os.environ[_BEARER] = token.reveal()
    if tracking:
        return _client(tracking)
    make_folder(root)
    # Two processes that both make the tables would fail each other.
    with locked(root):
        if not (root / DATABASE).exists():
            _make_database(root)
        return _client(_uri(root / DATABASE))


def _make_database(root: Path) -> None:
    """Make the tables under another name: who is interrupted half-way leaves no half store."""
    unfinished = root / f".{DATABASE}.new"
    for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        left.unlink(missing_ok=True)
    _client(_uri(unfinished))
    unfinished.replace(root / DATABASE)


def _uri(path: Path) -> str:
    return f"sqlite:///{path}"


def _client(uri: str) -> "MlflowClient":
    with warnings.catch_warnings():
        # MLflow's use of other libraries is not the reader's affair.
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        with asking("open the registry", uri):
            return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def asking(what: str, where: str) -> Iterator[None]:
    """Translate what MLflow and its database raise, once.

    Raises
    ------
    Failure
        REGISTRY; `found` starts with the error code, e.g. RESOURCE_DOES_NOT_EXIST.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        raise refused(what, where, f"{error.error_code}: {error.message}") from error
    except SQLAlchemyError as error:
        raise refused(what, where, str(error)) from error


def refused(what: str, where: str, found: str) -> Failure:
    """Return the failure of a request; what is not there is told apart from who does not answer."""
    absent = found.startswith(_ABSENT)
    return Failure(
        f"cannot {what}",
        code=ExitCode.REGISTRY,
        where=where,
        expected="a model, version or alias that is there"
        if absent
        else "an MLflow store that answers (registry.root or registry.tracking)",
        found=_cause(found),
        next_step="tradingd model list"
        if absent
        else "see the folder or server that is named; try again when it answers",
    )


def _cause(found: str) -> str:
    """Return what is behind a chain of exceptions, shortly."""
    line = found.splitlines()[0].removeprefix(f"{_ABSENT}: ") if found else "no answer"
    _, told, cause = line.partition("Caused by ")
    return (cause.rstrip(")") if told else line)[:300]


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the registry's folder; who comes second waits.

    Raises
    ------
    Failure
        STORE_LOCKED when nobody lets go for a minute; STORE_WRITE as of `make_folder`.
    """
    make_folder(root)
    lock = FileLock(root / LOCK_NAME, timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise Failure(
            "another process holds the model registry",
            code=ExitCode.STORE_LOCKED,
            where=str(root),
            expected=f"the lock within {_LOCK_SECONDS:.0f} s",
            found="a held lock",
            next_step="wait until it ends, then try again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def make_folder(root: Path) -> None:
    """Make the registry's folder.

    Raises
    ------
    Failure
        STORE_WRITE.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            "the model registry cannot be written",
            code=ExitCode.STORE_WRITE,
            where=error.filename or str(root),
            expected="a writable folder",
            found=error.strerror or str(error),
            next_step="fix permissions, or state another registry.root",
        ) from error
