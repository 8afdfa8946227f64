"""Import a module that a configuration names, the user's own."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest


def import_own(name: str, path: str, where: str) -> ModuleType:
    """Return a module from Python's path or the current working directory.

    Parameters
    ----------
    name : str
        Of the module.
    path : str
        ``package.module:Class`` as the configuration has it, for refusals.
    where : str
        Its key.

    Raises
    ------
    Failure
        CONFIG: no such module, or an exception inside it.
    """
    here = str(Path.cwd())
    # At the end, so that a file in the working directory never shadows an installed package; it
    # stays there because the module may import its own neighbours later.
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise _no_module(error.name, here, where) from error
        raise _broken(name, path, where, error) from error
    except Exception as error:
        raise _broken(name, path, where, error) from error


def _no_module(name: str, here: str, where: str) -> Failure:
    close = nearest(name, [one.stem for one in Path(here).glob("*.py")])
    return Failure(
        f"there is no module {name!r}",
        code=ExitCode.CONFIG,
        where=where,
        expected=f"a module in {here} or on Python's path (PYTHONPATH)",
        found="none",
        next_step=f"did you mean {close}?" if close else "",
    )


def _broken(name: str, path: str, where: str, error: Exception) -> Failure:
    return Failure(
        f"importing {name} for {path} failed",
        code=ExitCode.CONFIG,
        where=where,
        expected="a module that imports without an error",
        found=f"{type(error).__name__}: {error}",
        next_step=f"python -c 'import {name}' shows the traceback",
    )
