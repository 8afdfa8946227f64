"""What was captured: every file of books below the level-2 folder, and what runs or died."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tradingd.level2.facts import read_facts
from tradingd.level2.layout import PARTS_FOLDER
from tradingd.recorder.capture import by_bit

_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\d)_snapshots_(\w+)\.parquet")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One file of snapshots; times are UTC ns, `quality` counts rows by what was wrong."""

    symbol: str
    day: dt.date
    source: str
    tag: str
    levels: int
    interval_ms: int
    rows: int
    first_ts: int | None
    last_ts: int | None
    quality: dict[str, int]
    messages: bool
    recovered: bool
    bytes: int
    problem: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything below a folder; `unfinished` captures run, or are published at the next start."""

    root: str
    files: tuple[Held, ...]
    unfinished: tuple[str, ...]
    damaged: tuple[str, ...]


def listing(root: Path, symbols: Sequence[str] = ()) -> Listing:
    """Read what every file says of itself, and its column of qualities."""
    files = [
        _held(path, match)
        for path in sorted(root.glob("*/*_snapshots_*.parquet"))
        if (match := _NAME.fullmatch(path.name)) and (not symbols or path.parent.name in symbols)
    ]
    folders = sorted(root.glob(f"*/{PARTS_FOLDER}/*"))
    names = [str(one.relative_to(root)) for one in folders if one.is_dir()]
    return Listing(
        root=str(root),
        files=tuple(files),
        unfinished=tuple(one for one in names if not one.endswith(".damaged")),
        damaged=tuple(one for one in names if one.endswith(".damaged")),
    )


def _held(path: Path, match: re.Match[str]) -> Held:
    day, tag = dt.date.fromisoformat(match[1]), match[2]
    told: dict[str, Any] = {
        "symbol": path.parent.name,
        "day": day,
        "tag": tag,
        "bytes": path.stat().st_size,
    }
    log = path.with_name(path.name.replace("_snapshots_", "_messages_")).with_suffix(".json")
    try:
        table = pq.read_table(path, columns=["ts", "quality"])
    except (OSError, pa.ArrowException, KeyError) as error:
        return Held(
            **told, source="", levels=0, interval_ms=0, rows=0, first_ts=None, last_ts=None,
            quality={}, messages=log.exists(), recovered=False, problem=str(error),
        )  # fmt: skip
    facts = read_facts(table.schema)
    span = pc.min_max(table["ts"].cast(pa.int64())).as_py()
    counts = {one["values"]: one["counts"] for one in pc.value_counts(table["quality"]).to_pylist()}
    return Held(
        **told,
        source=facts.get("source", ""),
        levels=int(facts.get("levels", 0)),
        interval_ms=int(facts.get("interval_ms", 0)),
        rows=table.num_rows,
        first_ts=span["min"],
        last_ts=span["max"],
        quality=by_bit(Counter(counts)),
        messages=log.exists(),
        recovered=facts.get("recovered") == "true",
    )
