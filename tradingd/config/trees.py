"""Where configuration files are: the packaged tree and the site overlay that wins over it."""

import os
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
        ``CONFIG`` when a folder was named, as argument or in ``$TRADINGD_CONF``, and is none.
    """
    if stated is not None:
        return _existing(stated, "--overlay")
    named = os.environ.get("TRADINGD_CONF")
    if named:
        return _existing(Path(named), "TRADINGD_CONF")
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    usual = (Path("/etc/tradingd"), Path(base) / "tradingd")
    return next((folder.resolve() for folder in usual if folder.is_dir()), None)


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
    return folder.resolve()


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
