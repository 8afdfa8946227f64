"""An API key pair that never shows its secret."""

from collections.abc import Callable
from typing import Final

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure

_SHOWN: Final = 2


class Keys:
    """A key id and its secret.

    Not a struct on purpose: nothing encodes, compares or prints it by accident.

    Parameters
    ----------
    key_id, secret : str
        As Alpaca shows them when a key is made.
    """

    __slots__ = ("key_id", "secret")

    def __init__(self, key_id: str, secret: str) -> None:
        self.key_id = key_id
        self.secret = secret

    def __repr__(self) -> str:
        """Return the kind of the key only: its first two letters tell paper from live."""
        return f"Keys({self.key_id[:_SHOWN]}***)"

    def headers(self) -> dict[str, str]:
        """Return the headers that log a request in."""
        return {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret}


def resolved(secret: Callable[[str], Secret], key_id: str, secret_key: str) -> Keys:
    """Return the key pair that two references of a configuration name.

    Parameters
    ----------
    secret : Callable
        Resolves a reference, e.g. `tradingd.config.secrets.resolve`.

    Raises
    ------
    Failure
        CONFIG, naming the reference and never the value.
    """
    return Keys(secret(key_id).reveal(), secret(secret_key).reveal())


def demand_form(keys: Keys, group: str) -> None:
    """Refuse what cannot be sent as a header, before a library does, which would quote it.

    Parameters
    ----------
    keys : Keys
    group : str
        Of the configuration that names them, e.g. ``broker``.

    Raises
    ------
    Failure
        CONFIG, naming the key of the configuration and never what it stands for.
    """
    for name, text in (("key_id", keys.key_id), ("secret_key", keys.secret)):
        if not text:
            raise _no_key(f"{group}.{name}", "nothing")
        if not text.isascii() or not text.isprintable() or " " in text:
            raise _no_key(
                f"{group}.{name}", "white space, a line end or another character that no key has"
            )


def _no_key(where: str, found: str) -> Failure:
    return Failure(
        f"{where} is no key",
        code=ExitCode.CONFIG,
        where=where,
        expected="the key as Alpaca shows it when it is made",
        found=found,
        next_step="see the credential or variable that key_id and secret_key name",
    )
