"""An API key pair that never shows its secret."""

from typing import Final

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
