"""Stable hashes of plain values and files."""

import hashlib
from pathlib import Path

import msgspec

_canonical = msgspec.json.Encoder(order="sorted", decimal_format="string")


def stable_hash(value: object) -> str:
    """Return the SHA-256 hex digest of a value's canonical JSON (sorted keys, exact decimals)."""
    return hashlib.sha256(_canonical.encode(value)).hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
