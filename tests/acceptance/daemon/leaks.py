"""Looks for a secret, in whatever form, in everything under a folder."""

import base64
import gzip
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path


def forms(secret: str) -> Iterator[bytes]:
    """Yield the ways in which a secret could be written."""
    raw = secret.encode()
    yield raw
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote(secret).encode()
    yield json.dumps(secret)[1:-1].encode()
    yield raw.hex().encode()
    for shift in range(3):
        # What base64 makes of it in the middle of something else, the ragged ends apart.
        coded = base64.b64encode(b"x" * shift + raw + b"x" * 3)
        yield coded[4 if shift else 0 : -8]


def leaks(folder: Path, secret: str) -> list[tuple[str, bytes]]:
    """Return the files that say a secret, and how; compressed ones are opened."""
    return [
        (str(one.relative_to(folder)), form)
        for one in folder.rglob("*")
        if one.is_file()
        for form in forms(secret)
        if form in one.read_bytes() or (one.suffix == ".gz" and form in gzip.open(one).read())
    ]
