"""Name the valid word that a mistyped one was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """Return the valid name closest to `word`, whatever its case, or None when nothing is close."""
    names = {name.casefold(): name for name in valid}
    found = get_close_matches(word.casefold(), list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None
