"""Which source brought which rows: read from the manifest's commits, never stored twice.

A later fill covers an earlier one where they overlap. Commits that say nothing of their own
(stores written before fills were kept) count by the spans of their files.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tradingd.domain.market import DataKind, Resolution
from tradingd.history import manifest
from tradingd.history.layout import Series
from tradingd.history.manifest import Commit, FileRecord, Fill
from tradingd.history.rowgroups import RowGroups

_DAY_NS: Final = Resolution.DAY.nanoseconds

JOINED_GAP: Final = 4 * _DAY_NS
"""Neighbouring fills of one write are one up to this gap: a long weekend."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A run of stored rows of one series that one source vouches for; times are UTC."""

    symbol: str
    table: str
    resolution: Resolution | None
    first: str
    last: str
    rows: int
    source: str
    at: str
    verdict: str
    note: str


def joined(fills: Iterable[Fill]) -> list[Fill]:
    """Unite neighbouring fills of one series, so that a thousand day files are not a thousand."""
    united: list[Fill] = []
    for one in sorted(fills, key=lambda fill: (*_series(fill), fill.first_ts)):
        before = united[-1] if united else None
        if before is not None and _continues(before, one):
            united[-1] = msgspec.structs.replace(
                before, last_ts=max(before.last_ts, one.last_ts), rows=before.rows + one.rows
            )
        else:
            united.append(one)
    return united


def _continues(before: Fill, one: Fill) -> bool:
    alike = _series(before) == _series(one) and before.verdict == one.verdict
    return alike and one.first_ts - before.last_ts <= JOINED_GAP


def _series(fill: Fill) -> tuple[str, str, str]:
    return fill.table, fill.symbol, fill.resolution or ""


def in_force(root: Path) -> list[Fill]:
    """Return the fills in force of all series, each with its source and time."""
    painted: dict[tuple[str, str, str], list[Fill]] = {}
    for commit in manifest.commits(root):
        if commit.source.startswith("restore "):
            painted.clear()
        for fill in _of(commit):
            place = _series(fill)
            painted[place] = paint(painted.get(place, []), fill)
    return [fill for place in sorted(painted) for fill in painted[place]]


def _of(commit: Commit) -> list[Fill]:
    if commit.fills:
        return [
            msgspec.structs.replace(one, source=one.source or commit.source, at=one.at or commit.at)
            for one in commit.fills
        ]
    if commit.source == "compact":
        return []
    return [_of_file(one, commit.at) for one in commit.add if one.symbol]


def _of_file(record: FileRecord, at: str) -> Fill:
    return Fill(
        table=record.table,
        symbol=record.symbol,
        resolution=record.resolution,
        first_ts=record.first_ts,
        last_ts=record.last_ts,
        rows=record.rows,
        source=record.source,
        at=at,
    )


def paint(fills: Sequence[Fill], new: Fill) -> list[Fill]:
    """Lay a fill over others: what it covers is its own; the rest of them stays, in time order."""
    rest: list[Fill] = []
    for one in fills:
        if one.first_ts < new.first_ts:
            end = min(one.last_ts, new.first_ts - 1)
            rest.append(msgspec.structs.replace(one, last_ts=end))
        if one.last_ts > new.last_ts:
            start = max(one.first_ts, new.last_ts + 1)
            rest.append(msgspec.structs.replace(one, first_ts=start))
    return sorted([*rest, new], key=lambda fill: fill.first_ts)


def origins(root: Path, symbol: str) -> list[Origin]:
    """Return where a symbol's stored rows came from, by series, then time (reads only times).

    Raises
    ------
    Failure
        DAMAGED_PARQUET or UNREADABLE_INPUT.
    """
    contents = manifest.load(root)
    known = [one for one in in_force(root) if one.symbol == symbol]
    found: list[Origin] = []
    for kind in DataKind:
        for series in contents.series(kind):
            if series.symbol == symbol:
                records = contents.of_series(series)
                stamps = np.concatenate([*RowGroups(root, records).stamps()])
                found += _origins(
                    series, np.sort(stamps), [one for one in known if _is(one, series)]
                )
    return found


def _is(fill: Fill, series: Series) -> bool:
    return fill.table == series.kind and fill.resolution == series.resolution


def _origins(
    series: Series, stamps: np.ndarray[tuple[int], np.dtype[np.int64]], fills: Sequence[Fill]
) -> list[Origin]:
    """Cut each fill to the rows that are there, so that its ends are rows and not seams."""
    found = []
    for one in fills:
        low = int(np.searchsorted(stamps, one.first_ts, side="left"))
        high = int(np.searchsorted(stamps, one.last_ts, side="right"))
        if high > low:
            found.append(
                Origin(
                    symbol=series.symbol,
                    table=str(series.kind),
                    resolution=series.resolution,
                    first=_moment(int(stamps[low])),
                    last=_moment(int(stamps[high - 1])),
                    rows=high - low,
                    source=one.source,
                    at=one.at,
                    verdict=one.verdict,
                    note=one.note,
                )
            )
    return found


def _moment(ts: int) -> str:
    return f"{np.datetime64(ts, 'ns').astype('datetime64[s]')}Z"
