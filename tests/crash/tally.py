"""Counts what a run has met: faults that fired, as the broker's log has them, and what followed."""

import contextlib
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Final

_FAULT: Final = re.compile(r"simalpaca fault (\S+) (\S+)$", re.MULTILINE)
_SERVES: Final = re.compile(r"pid \d+ serves account")
_STEPS: Final = ("unknown", "lost", "recovered", "replace_unknown", "rejected")


def met(folder: Path) -> Counter[str]:
    """Return how often each fault fired in a run, and how often outcomes were open."""
    return of(folder / "broker.log", folder / "journal.sqlite")


def of(log: Path, journal: Path) -> Counter[str]:
    """Return the same of a broker's log and a journal."""
    found: Counter[str] = Counter()
    text = log.read_text(errors="replace") if log.exists() else ""
    found.update(f"fault {what} {fault}" for what, fault in _FAULT.findall(text))
    found["broker restarts"] += max(0, len(_SERVES.findall(text)) - 1)
    found["broker runs"] += 1
    found.update(_journaled(journal))
    return found


def _journaled(journal: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    if not journal.exists():
        return found
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        steps = database.execute("SELECT step, count(*) FROM order_events GROUP BY step")
        found.update({f"order {step}": int(count) for step, count in steps if step in _STEPS})
        for table in ("orders", "fills", "runs"):
            count = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            found[f"journal {table}"] += int(count)
    return found


def text(found: Counter[str]) -> str:
    """Return the counts as lines, by what they are of."""
    groups: dict[str, list[str]] = {}
    for key, count in sorted(found.items()):
        group, _, name = key.partition(" ")
        groups.setdefault(group, []).append(f"{name.replace(' ', '.')}={count}")
    return "\n".join(f"{group.upper()} {' '.join(names)}" for group, names in groups.items())
