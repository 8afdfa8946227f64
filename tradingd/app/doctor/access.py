"""Ports and credentials: what a running daemon will need."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from tradingd.app.doctor.check import Check
from tradingd.config.environment import Environment
from tradingd.config.keys import secret_names
from tradingd.config.secrets import resolve
from tradingd.kits.failure import Failure

PORTS: Final = {9101: "metrics", 4001: "IB Gateway live", 4002: "IB Gateway paper"}


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


def credentials(found: Mapping[str, str], environment: Environment, *, needed: bool) -> Check:
    """Say which references lead to a secret, by label; a value is looked up and dropped.

    Parameters
    ----------
    found : mapping
        Key path -> reference.
    environment : Environment
        Variables in force, `.env` included.
    needed : bool
        Whether this mode cannot do without; a backtest can.
    """
    if not found:
        return Check(name="credentials", status="ok", detail="this configuration needs none")
    problems = [
        f"{key}: {problem}"
        for key, reference in found.items()
        if (problem := unresolvable(reference, environment))
    ]
    if not problems:
        return Check(
            name="credentials",
            status="ok",
            detail="resolvable: " + ", ".join(found),
            critical=needed,
        )
    return Check(
        name="credentials",
        status="fail" if needed else "warn",
        detail="; ".join(problems),
        next_step="export the variable, or create the file (mode 600)",
        critical=needed,
    )


def unresolvable(reference: str, environment: Environment) -> str | None:
    """Return why a reference leads nowhere, by the daemon's own rules; None when it does not."""
    try:
        resolve(reference, environment=environment)
    except Failure as failure:
        return failure.what
    return None


def secret_path(reference: str, environment: Mapping[str, str]) -> Path | None:
    """Return the file a `file:` or `credential:` reference names; None for other kinds."""
    kind, _, name = reference.partition(":")
    if kind == "file":
        return Path(name).expanduser()
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / name if kind == "credential" and folder else None
