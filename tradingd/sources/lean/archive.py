"""Read the CSV out of a LEAN zip, and say plainly when it is damaged."""

import zipfile
import zlib
from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure


def read_csv_member(path: Path, label: str) -> bytes:
    """Return the bytes of the one CSV in a zip; its checksum is verified.

    Raises
    ------
    Failure
        DAMAGED_ARCHIVE: not a zip, a wrong checksum, no CSV or several; UNREADABLE_INPUT when
        the file cannot be opened.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(_csv_name(archive, label))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(label, str(error)) from error
    except OSError as error:
        raise Failure(
            "cannot read a data file",
            code=ExitCode.UNREADABLE_INPUT,
            where=label,
            found=error.strerror or str(error),
        ) from error
    if not content.strip():
        raise _damaged(label, "the CSV inside is empty")
    return content


def _csv_name(archive: zipfile.ZipFile, label: str) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(names) != 1:
        raise _damaged(label, f"{len(names)} CSV files inside")
    return names[0]


def _damaged(label: str, found: str) -> Failure:
    return Failure(
        "damaged archive",
        code=ExitCode.DAMAGED_ARCHIVE,
        where=label,
        expected="a zip with one CSV",
        found=found,
        next_step="download the file again, or move it away",
    )
