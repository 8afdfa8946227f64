"""Publish what a capture left that died: readable parts are united, unreadable ones set aside.

A folder belongs to a living process as long as that holds its lock, so two recorders of one root
leave each other alone.
"""

import logging
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tradingd.kits.failure import Failure
from tradingd.level2 import layout
from tradingd.recorder import folder as folders
from tradingd.recorder import statistics
from tradingd.recorder.capture import PublishedFile, by_bit
from tradingd.recorder.claim import claim
from tradingd.recorder.folder import CaptureFacts
from tradingd.recorder.settings import SessionFacts
from tradingd.recorder.statistics import CaptureStats, Effort

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"\d{4}-\d\d-\d\d_(\d{6})")


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at the start."""

    captures: tuple[CaptureStats, ...] = ()
    damaged: tuple[Path, ...] = ()
    """Parts that cannot be read, where they are now."""
    busy: int = 0
    """Folders of recorders that live."""
    left: dict[str, str] = {}
    """Folders that could not be published, and why."""


def recover(root: Path, *, now: int) -> Recovered:
    """Publish every capture below `root` whose process is dead.

    Parameters
    ----------
    root : Path
        The level-2 folder.
    now : int
        Wall time, UTC ns, for the statistics.
    """
    published: dict[SessionFacts, list[CaptureStats]] = defaultdict(list)
    damaged: list[Path] = []
    left: dict[str, str] = {}
    busy = 0
    for folder in _folders(root):
        if folder.suffix == folders.DONE:
            # Nothing in it counts any more; its lock may be gone already.
            shutil.rmtree(folder, ignore_errors=True)
            continue
        unnamed = folder.name.startswith(folders.MAKING)
        held = claim(folder, make=unnamed)
        if held is None:
            busy += folder.exists()
            continue
        try:
            if unnamed:
                shutil.rmtree(folder)
                continue
            facts, stats = _recovered(root, folder, damaged)
            if facts is not None and stats is not None:
                published[facts.session].append(stats)
        except (OSError, Failure, pa.ArrowException) as error:
            log.warning("capture %s could not be published: %s", folder, error)
            left[str(folder)] = str(error)
        finally:
            held.release()
    for session, captures in published.items():
        stats_document = statistics.session_stats(
            session, captures, Effort(), ended=now, ended_by="recovered"
        )
        statistics.write(root, stats_document)
    everything = tuple(one for captures in published.values() for one in captures)
    return Recovered(captures=everything, damaged=tuple(damaged), busy=busy, left=left)


def _folders(root: Path) -> Iterator[Path]:
    for folder in sorted(root.glob(f"*/{layout.PARTS_FOLDER}/*")):
        if folder.is_dir() and folder.suffix != folders.DAMAGED:
            yield folder


def _recovered(
    root: Path, folder: Path, damaged: list[Path]
) -> tuple[CaptureFacts | None, CaptureStats | None]:
    facts, tag = _facts(folder), _NAME.fullmatch(folder.name)
    if facts is None or tag is None:
        damaged.append(_aside(folder))
        return None, None
    for part in folders.parts_of(folder):
        if not _readable(part.path):
            damaged.append(_set_aside(folder, part.path))
    files = folders.publish_folder(root, folder, facts, tag[1], None, {"recovered": "true"})
    return facts, _stats(root, facts, files)


def _facts(folder: Path) -> CaptureFacts | None:
    try:
        return msgspec.json.decode((folder / folders.FACTS).read_bytes(), type=CaptureFacts)
    except (OSError, msgspec.DecodeError):
        return None


def _readable(part: Path) -> bool:
    try:
        pq.read_table(part)
    except (OSError, pa.ArrowException):
        return False
    return True


def _set_aside(folder: Path, part: Path) -> Path:
    aside = folder.with_name(folder.name + folders.DAMAGED)
    aside.mkdir(exist_ok=True)
    log.warning("part %s cannot be read; it is kept in %s", part.name, aside)
    return part.rename(aside / f"{part.name}{folders.DAMAGED}")


def _aside(folder: Path) -> Path:
    log.warning("capture %s does not say what it is; it is kept aside", folder)
    return folder.rename(folder.with_name(folder.name + folders.DAMAGED))


def _stats(root: Path, facts: CaptureFacts, files: list[tuple[Path, str, int]]) -> CaptureStats:
    """Count again from the published file: the counters died with the process."""
    described = tuple(
        PublishedFile(
            path=str(path.relative_to(root)),
            contract=contract,
            rows=rows,
            bytes=path.stat().st_size,
        )
        for path, contract, rows in files
    )
    rows = next((one.rows for one in described if one.contract == "l2-snapshots"), 0)
    first, last, events, quality = _measured(files) if rows else (None, None, 0, {})
    return CaptureStats(
        symbol=facts.symbol,
        day=facts.day,
        began=facts.began,
        ended=last,
        queue_seconds=round(facts.queued, 3),
        rows=rows,
        events=events,
        messages=next((one.rows for one in described if one.contract == "l2-messages"), 0),
        dropped=0,
        gaps={},
        quality=quality,
        first_ts=first,
        last_ts=last,
        files=described,
    )


def _measured(
    files: list[tuple[Path, str, int]],
) -> tuple[int | None, int | None, int, dict[str, int]]:
    path = next(path for path, contract, _ in files if contract == "l2-snapshots")
    table = pq.read_table(path, columns=["ts", "events", "quality"])
    span = pc.min_max(table["ts"].cast(pa.int64())).as_py()
    counts = {one["values"]: one["counts"] for one in pc.value_counts(table["quality"]).to_pylist()}
    return (
        span["min"],
        span["max"],
        int(pc.sum(table["events"]).as_py() or 0),
        by_bit(Counter(counts)),
    )
