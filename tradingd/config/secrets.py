"""Resolve references to secrets, late, into values that no print, log or pickle can leak.

A configuration holds references only. Resolve one where the value is handed to a vendor's client,
and not before.
"""

import os
import stat
from pathlib import Path
from typing import Final, NoReturn

from tradingd.config.environment import Environment, read_environment
from tradingd.kits.failure import ExitCode, Failure

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LARGEST: Final = 64 * 1024
"""Bytes; a key or token is far smaller, so a larger file is the wrong file."""


class Secret:
    """A resolved secret; only `reveal` returns the value.

    Parameters
    ----------
    label : str
        The reference it came from, which may be shown.
    value : str
        The secret.
    """

    __slots__ = ("_value", "label")

    def __init__(self, label: str, value: str) -> None:
        self.label = label
        self._value = value

    def reveal(self) -> str:
        """Return the value; call this only where it leaves for the vendor."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.label}, redacted)"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, specification: str) -> str:
        return format(repr(self), specification)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"the secret of {self.label} is not stored or sent; resolve it again")


def resolve(reference: str, *, environment: Environment | None = None) -> Secret:
    """Look up what a reference names.

    Parameters
    ----------
    reference : str
        ``env:NAME`` (environment, `.env`, then systemd's credential of that name),
        ``credential:NAME`` (a file of ``$CREDENTIALS_DIRECTORY``, systemd's LoadCredential=) or
        ``file:PATH`` (mode 0600 or stricter, owned by this user or root).
    environment : Environment, optional
        Variables to look in; None reads the process environment and `.env` now.

    Raises
    ------
    Failure
        ``CONFIG``, naming the reference and never the value.
    """
    kind, _, name = reference.partition(":")
    variables = environment if environment is not None else read_environment()
    match kind:
        case "env" if name:
            value = variables.values.get(name) or _sealed(reference, name, variables)
        case "credential" if name:
            value = _credential(reference, name, variables)
        case "file" if name:
            value = _private_file(reference, Path(name).expanduser())
        case _:
            # What was found is not repeated: it may be the secret itself.
            raise _refused("(hidden)", "is no reference", "env:NAME, credential:NAME or file:PATH")
    if not value:
        raise _refused(reference, "is not set or empty", "a value")
    return Secret(reference, value)


def _sealed(reference: str, name: str, variables: Environment) -> str:
    """Return what systemd handed over under a variable's name; empty where it did not.

    A unit's environment is no place for a secret, so the default references work in one too.
    """
    folder = variables.values.get("CREDENTIALS_DIRECTORY")
    if not folder or "/" in name or not (Path(folder) / name).exists():
        return ""
    return _read(reference, Path(folder) / name, private=False)


def _credential(reference: str, name: str, variables: Environment) -> str:
    folder = variables.values.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise _refused(
            reference,
            "cannot be looked up: $CREDENTIALS_DIRECTORY is not set",
            f"a systemd unit with LoadCredential={name}:PATH",
        )
    if "/" in name or name in (".", ".."):
        raise _refused(reference, "is no name of a credential", "a name without a slash")
    return _read(reference, Path(folder) / name, private=False)


def _private_file(reference: str, path: Path) -> str:
    if not path.is_absolute():
        raise _refused(reference, "is a relative path", "an absolute path, or one from ~")
    return _read(reference, path, private=True)


def _read(reference: str, path: Path, *, private: bool) -> str:
    try:
        # Checked on the open descriptor, so that the file cannot be exchanged in between.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            _demand_regular(reference, os.fstat(descriptor), private=private)
            content = stream.read(_LARGEST + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _refused(reference, f"cannot be read: {reason}", str(path)) from None
    if len(content) > _LARGEST:
        raise _refused(reference, "is too large to be a secret", f"at most {_LARGEST} bytes")
    return text.strip()


def _demand_regular(reference: str, facts: os.stat_result, *, private: bool) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise _refused(reference, "is not a file", "a regular file")
    if not private:
        return
    if facts.st_mode & _OTHERS:
        mode = stat.S_IMODE(facts.st_mode)
        raise _refused(
            reference, f"may be read by others (mode {mode:04o})", "mode 0600: chmod 600 FILE"
        )
    if facts.st_uid not in (os.geteuid(), 0):
        raise _refused(reference, "belongs to another user", "this user or root as owner")


def _refused(reference: str, why: str, expected: str) -> Failure:
    return Failure(
        f"the secret {reference} {why}",
        code=ExitCode.CONFIG,
        where=reference,
        expected=expected,
        next_step="give the secret under that name, or name where it is; conf/README.md, Secrets",
    )
