"""Where an instance's broker is reached: what the kill switch knows without any configuration.

The daemon writes it when it starts, before it sends anything; the kill switch reads it while the
daemon is frozen or gone.
"""

from pathlib import Path
from typing import Final

import msgspec

from tradingd.kits import atomicfile
from tradingd.kits.failure import ExitCode, Failure

ENDPOINT: Final = "endpoint.json"

_REFERENCES: Final = ("env:", "credential:", "file:")


class BrokerEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A broker's address and the account there.

    Parameters
    ----------
    kind : str
        Kind of broker, as in the configuration's group: ``simulated``, ...
    account : str
        Account number the daemon connected to; the kill switch refuses another one.
    socket : str
        Unix socket of a broker that has one.
    host, port, client_id
        Address of a broker that is reached over TCP.
    url : str
        Base address of a broker that is reached over HTTP.
    key_id, secret_key : str
        References to what logs in there (``env:``, ``credential:``, ``file:``), as the
        configuration states them. Never the secrets themselves: this file is no place for them.
    mode : str
        ``paper`` or ``live``, so that keys of one are never tried on the other.
    """

    kind: str
    account: str
    socket: str = ""
    host: str = ""
    port: int = 0
    client_id: int = 0
    url: str = ""
    key_id: str = ""
    secret_key: str = ""
    mode: str = ""

    def __post_init__(self) -> None:
        for name in ("key_id", "secret_key"):
            stated = getattr(self, name)
            if stated and not stated.startswith(_REFERENCES):
                # What was found is not repeated: it may be the secret itself.
                raise ValueError(f"{name} must be a reference: env:, credential: or file:")


def write(folder: Path, endpoint: BrokerEndpoint) -> None:
    """Replace the endpoint file of a state folder, atomically and durably."""
    atomicfile.write_bytes(folder / ENDPOINT, msgspec.json.encode(endpoint))


def read(folder: Path) -> BrokerEndpoint:
    """Return the endpoint of a state folder.

    Raises
    ------
    Failure
        ``NOT_FLAT`` when there is none or it cannot be understood: nothing can be proven then.
    """
    path = folder / ENDPOINT
    try:
        return msgspec.json.decode(path.read_bytes(), type=BrokerEndpoint)
    except (OSError, msgspec.DecodeError) as error:
        raise Failure(
            "it is not known where this instance's broker is",
            code=ExitCode.NOT_FLAT,
            where=str(path),
            expected="the file a daemon writes when it starts",
            found=str(error),
            next_step="name the broker with --socket, or flatten with the broker's own tools",
        ) from error
