"""Name the valid word that a mistyped one was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """Return the valid name closest to `word`, or None when nothing is close."""
    found = get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return found[0] if found else None
