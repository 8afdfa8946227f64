"""Ports and credentials: what a running daemon will need."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from tradingd.app.doctor.check import Check
from tradingd.config.keys import secret_names

PORTS: Final = {9101: "metrics", 4001: "IB Gateway live", 4002: "IB Gateway paper"}

_REFERENCE: Final = re.compile(r"^(?P<kind>env|credential|file):(?P<name>.+)$")


def ports() -> Check:
    """List which of our usual ports somebody listens on; nothing is connected to."""
    try:
        listening = {
            one.laddr.port
            for one in psutil.net_connections(kind="tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr
        }
    except (psutil.AccessDenied, OSError) as error:
        return Check(name="ports", status="unknown", detail=f"cannot be listed here: {error}")
    return describe_ports(listening)


def describe_ports(listening: set[int]) -> Check:
    """Say of each port whether it is taken."""
    words = [
        f"{port} ({use}) {'listening' if port in listening else 'free'}"
        for port, use in PORTS.items()
    ]
    return Check(name="ports", status="ok", detail=", ".join(words))


def references(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield (key, reference) of every secret a configuration names."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from references(value, (*path, key))
        elif key in secret_names() and isinstance(value, str):
            yield ".".join((*path, key)), value


def credentials(
    found: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    needed: bool,
) -> Check:
    """Say which references lead to a secret, by label; values are never read into a message.

    Parameters
    ----------
    found : mapping
        Key path -> reference.
    environment : mapping
        Variables in force, `.env` included.
    needed : bool
        Whether this mode cannot do without; a backtest can.
    """
    if not found:
        return Check(name="credentials", status="ok", detail="this configuration needs none")
    missing = [
        f"{key} ({reference})"
        for key, reference in found.items()
        if not resolvable(reference, environment)
    ]
    if not missing:
        return Check(
            name="credentials",
            status="ok",
            detail="resolvable: " + ", ".join(found),
            critical=needed,
        )
    return Check(
        name="credentials",
        status="fail" if needed else "warn",
        detail="nothing behind " + ", ".join(missing),
        next_step="export the variable, or create the file (mode 600)",
        critical=needed,
    )


def resolvable(reference: str, environment: Mapping[str, str]) -> bool:
    """Whether a reference leads to something; the secret itself is not read."""
    match = _REFERENCE.match(reference)
    if match is None:
        return False
    if match["kind"] == "env":
        return bool(environment.get(match["name"]))
    file = secret_path(reference, environment)
    return file is not None and file.is_file() and file.stat().st_size > 0


def secret_path(reference: str, environment: Mapping[str, str]) -> Path | None:
    """Return the file a `file:` or `credential:` reference names; None for other kinds."""
    kind, _, name = reference.partition(":")
    if kind == "file":
        return Path(name).expanduser()
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / name if kind == "credential" and folder else None
