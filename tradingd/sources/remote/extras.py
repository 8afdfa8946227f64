"""Vendors' clients are optional: import one where it is needed, or say how to get it."""

import importlib
from typing import Any

from tradingd.kits.failure import ExitCode, Failure


def imported(module: str, *, extra: str) -> Any:
    """Import a vendor's client.

    Raises
    ------
    Failure
        ``INSTALL`` naming the extra when the package is not there.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is missing inside the client is the same to the user: reinstall it.
        raise Failure(
            f"source {extra} needs a package that is not installed",
            code=ExitCode.INSTALL,
            where="source.kind",
            expected=f"package {module.partition('.')[0]}",
            found=f"no module {error.name}",
            next_step=f"pip install 'tradingd[{extra}]'",
        ) from error
