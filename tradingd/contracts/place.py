"""Where contracts are: the checkout's own folder, or the one the wheel installed."""

import sys
from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure


def packaged_contracts() -> Path:
    """Return the packaged `contracts/`: the checkout's own, else the one the wheel installed."""
    checkout = Path(__file__).resolve().parents[2] / "contracts"
    if (checkout / "schemas").is_dir():
        return checkout
    return Path(sys.prefix) / "share" / "tradingd" / "contracts"


def contracts_folder(stated: Path | None) -> Path:
    """Return the folder in force, absolute: the one that was stated, else the packaged one.

    Raises
    ------
    Failure
        CONTRACT when there is no such folder.
    """
    folder = stated.expanduser() if stated is not None else packaged_contracts()
    if not folder.is_dir():
        raise Failure(
            "there is no folder of contracts",
            code=ExitCode.CONTRACT,
            where=str(folder),
            expected="a folder of JSON Schemas and rules",
            found="a file" if folder.exists() else "nothing",
            next_step="git submodule update --init" if stated is not None else "",
        )
    return folder.resolve()
