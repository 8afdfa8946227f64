"""Checksums over schemas and rules: an edit that nobody meant, or announced, is refused.

`SHA256SUMS` has the form of coreutils, so ``sha256sum -c SHA256SUMS`` checks it too. It guards
against accidents and silent edits, not against who can rewrite the checksums as well: that is
what the signature of the repository's commits is for.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import file_hash

FILE_NAME: Final = "SHA256SUMS"


def read_seal(root: Path) -> dict[str, str] | None:
    """Return path -> SHA-256 as the folder states them; None: the folder has no checksums.

    Raises
    ------
    Failure
        CONTRACT when the file is not of that form.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return None
    stated: dict[str, str] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        digest, mark, name = line.decode("utf-8", "replace").partition("  ")
        place = PurePosixPath(name)
        sound = len(digest) == 64 and not set(digest) - set("0123456789abcdef")
        if not (mark and sound and name) or place.is_absolute() or ".." in place.parts:
            raise Failure(
                "a line of the checksums is not understood",
                code=ExitCode.CONTRACT,
                where=f"{path}:{number}",
                expected="64 hexadecimal digits, two spaces, a path within the folder",
                found=line[:120].decode("utf-8", "replace"),
            )
        stated[name] = digest
    return stated


def check_seal(root: Path, stated: Mapping[str, str], files: Iterable[str]) -> None:
    """Refuse a folder whose files are not those that were sealed.

    Raises
    ------
    Failure
        CONTRACT for the first file that was edited, added or taken away.
    """
    present = set(files)
    for name in sorted(present | set(stated)):
        path = root / name
        if name not in stated:
            raise _broken(root, path, "a line in SHA256SUMS", "none: the file was added")
        if not path.is_file():
            raise _broken(root, path, f"SHA-256 {stated[name]}", "no such file")
        if (found := file_hash(path)) != stated[name]:
            raise _broken(root, path, f"SHA-256 {stated[name]}", found)


def write_seal(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Write the checksums of these files, and return them."""
    sums = {name: file_hash(root / name) for name in sorted(set(files))}
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    write_bytes(root / FILE_NAME, text.encode())
    return sums


def _broken(root: Path, path: Path, expected: str, found: str) -> Failure:
    return Failure(
        "a contract is not the one that was sealed",
        code=ExitCode.CONTRACT,
        where=str(path),
        expected=expected,
        found=found,
        next_step="undo the edit (git diff); if it is meant: "
        f"tradingd contracts seal --contracts {root}",
    )
