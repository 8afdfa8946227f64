"""JSON as strangers send it: read strictly, bounded in size and depth, never half understood.

What JSON parsers disagree on is refused: duplicate keys, ``NaN``, numbers beyond a float, bytes
that are no UTF-8. Two programs would take two documents out of one file.
"""

import codecs
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from tradingd.kits.failure import ExitCode, Failure

MAX_BYTES: Final = 256 * 1024 * 1024
"""Largest document that is read whole; lines of a `.jsonl` file are bounded one by one."""

MAX_LINE_BYTES: Final = 16 * 1024 * 1024

_MAX_DIGITS: Final = 4_096
"""Of a whole number; Python reads 4,300 at most."""

MAX_DEPTH: Final = 128
"""Deepest nesting; what people write has less than twenty levels."""


def read_document(path: Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the document of a JSON file.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when it is no regular file, too large, or not strict JSON.
    """
    with open_regular(path) as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise _too_large(path, max_bytes)
    return decode(content, where=str(path))


def lines(path: Path, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of every line that is not blank; memory holds one line.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when the file cannot be read or a line is too long.
    """
    with open_regular(path) as stream:
        number = 0
        while line := stream.readline(max_line_bytes + 1):
            number += 1
            if len(line) > max_line_bytes:
                raise _too_large(Path(f"{path}:{number}"), max_line_bytes)
            if line.strip():
                yield number, line.rstrip()


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; a pipe or device would never end.

    Raises
    ------
    Failure
        UNREADABLE_INPUT.
    """
    try:
        # Without O_NONBLOCK the opening of a pipe waits for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(str(path), error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable(str(path), "no regular file")
    return os.fdopen(descriptor, "rb")


def decode(content: bytes, *, where: str) -> Any:
    """Return what strict JSON says.

    Raises
    ------
    Failure
        UNREADABLE_INPUT, naming line and column where the parser knows them.
    """
    if not content.strip():
        raise _unreadable(where, "nothing: it is empty")
    if content.startswith(codecs.BOM_UTF8):
        raise _unreadable(where, "a byte order mark (BOM) before the document; save it without")
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError as error:
        raise _unreadable(where, f"a byte that is no UTF-8 at offset {error.start}") from error
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise _unreadable(where, found) from error
    except RecursionError as error:
        raise _unreadable(where, f"nesting deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise _unreadable(where, str(error)) from error
    if depth_exceeds(document, MAX_DEPTH):
        raise _unreadable(where, f"nesting deeper than {MAX_DEPTH}")
    return document


def depth_exceeds(document: Any, limit: int) -> bool:
    """Whether objects and lists are nested deeper than `limit`; without recursion."""
    level = [document]
    for _ in range(limit + 1):
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} twice in one object")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no JSON number")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a whole number of {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"a number beyond the range of a double: {text[:20]}")
    return value


def _unreadable(where: str, found: str) -> Failure:
    return Failure(
        "a document cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=where,
        expected="a regular file of strict JSON in UTF-8",
        found=found,
    )


def _too_large(path: Path, limit: int) -> Failure:
    return Failure(
        "a document is larger than what is read at once",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=f"at most {limit:,} bytes",
        found="more",
        next_step="split it, or write one document per line into a .jsonl file",
    )
