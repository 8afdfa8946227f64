"""Whether a task's files are there already, and are the ones that were asked for."""

import datetime as dt
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path

import msgspec

from tradingd.backfill.job import Job
from tradingd.domain.market import NANOSECONDS
from tradingd.level2.facts import read_facts
from tradingd.session.calendar import NEW_YORK


class Kind(Enum):
    """What is at a path."""

    ABSENT = auto()
    SAME = auto()
    """Readable, and sampled as asked."""
    OTHER = auto()
    """Readable, but sampled in another way."""
    DAMAGED = auto()


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is now; `why` tells what is wrong with it."""

    kind: Kind
    rows: int = 0
    why: str = ""


def snapshots_of(job: Job) -> Present:
    """Look at a task's snapshots."""
    return _look(job.snapshots, job.snapshot_facts())


def trades_of(job: Job) -> Present | None:
    """Look at a task's trades; None when they are not asked for."""
    return _look(job.trades, job.trade_facts()) if job.trades else None


def _look(path: Path, wanted: Mapping[str, str]) -> Present:
    """Read a file's footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return Present(kind=Kind.ABSENT)
    try:
        with pq.ParquetFile(path) as file:
            rows, found = file.metadata.num_rows, read_facts(file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        return Present(kind=Kind.DAMAGED, why=f"the file that is there cannot be read ({reason})")
    differing = [
        f"{name} {_shown(name, found.get(name, 'unknown'))}, not {_shown(name, value)}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if differing:
        return Present(kind=Kind.OTHER, rows=rows, why=f"the file there has {'; '.join(differing)}")
    return Present(kind=Kind.SAME, rows=rows)


def _shown(name: str, text: str) -> str:
    """Return a fact for a person: times by New York's clock."""
    if name not in ("window_start", "window_end") or not text.isdecimal():
        return text
    moment = dt.datetime.fromtimestamp(int(text) / NANOSECONDS, tz=NEW_YORK)
    return f"{moment:%H:%M:%S}"
