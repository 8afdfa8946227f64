"""Where configuration files are: the packaged tree and the site overlay that wins over it."""

import os
import stat
import sys
from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure


def packaged_tree() -> Path:
    """Return the packaged `conf/`: the checkout's own, else the one the wheel installed."""
    checkout = Path(__file__).resolve().parents[2] / "conf"
    if (checkout / "config.yaml").is_file():
        return checkout
    return Path(sys.prefix) / "share" / "tradingd" / "conf"


def find_overlay(stated: Path | None) -> Path | None:
    """Return the site overlay folder in force, absolute, or None where a site has none.

    Parameters
    ----------
    stated : Path, optional
        A folder a person named; else ``$TRADINGD_CONF``, ``/etc/tradingd`` and
        ``$XDG_CONFIG_HOME/tradingd`` are tried and the first that exists is used.

    Raises
    ------
    Failure
        ``CONFIG`` when a folder was named, as argument or in ``$TRADINGD_CONF``, and is none; or
        when a folder is there and cannot be read: what a site stated must not be passed over.
    """
    if stated is not None:
        return _existing(stated, "--overlay")
    named = os.environ.get("TRADINGD_CONF")
    if named:
        return _existing(Path(named), "TRADINGD_CONF")
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    usual = (Path("/etc/tradingd"), Path(base) / "tradingd")
    return next((_readable(folder.resolve()) for folder in usual if _is_there(folder)), None)


def _existing(folder: Path, named_by: str) -> Path:
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Failure(
            "the site overlay is not a folder",
            code=ExitCode.CONFIG,
            where=named_by,
            expected="a folder of YAML files laid out like conf/",
            found=str(folder),
        )
    return _readable(folder.resolve())


def _is_there(folder: Path) -> bool:
    """Whether there is such a folder; one that cannot be looked at is no absent one."""
    try:
        return stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(folder, error) from error


def _readable(overlay: Path) -> Path:
    """Return the overlay, or refuse it when one of its folders or files cannot be found by name.

    Hydra and `pathlib` take what they cannot look at for absent, and the packaged limits would
    apply. Folders that are no group may stay closed: a site keeps its secrets there.
    """
    _look_at(overlay)
    groups = (one.name for one in packaged_tree().iterdir() if one.is_dir())
    for folder in (overlay / name for name in groups):
        if os.path.lexists(folder):
            _look_at(folder)
    return overlay


def _look_at(folder: Path) -> None:
    """List a folder and reach every file of it that may hold a configuration."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".yaml"):
                    entry.stat()
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: OSError) -> Failure:
    return Failure(
        "a folder of the site overlay cannot be read",
        code=ExitCode.CONFIG,
        where=str(error.filename or folder),
        expected="folders this user may list and enter",
        found=error.strerror or str(error),
        next_step="give this user read and search permission, or take the folder away",
    )


def trees(overlay: Path | None) -> tuple[Path, ...]:
    """Return the folders in the order they are searched: overlay first, packaged tree last."""
    return (*((overlay,) if overlay else ()), packaged_tree())


def find_file(option: str, folders: tuple[Path, ...]) -> Path | None:
    """Return the file an option such as ``strategy/ema_cross`` is read from."""
    paths = (folder / f"{option}.yaml" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def options(group: str, folders: tuple[Path, ...]) -> list[str]:
    """Return the names a group offers over all folders, sorted."""
    return sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})
