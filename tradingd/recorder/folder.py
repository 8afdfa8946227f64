"""The folder of a running capture: parts that are valid by themselves, and how they are published.

Everything here blocks and runs in the writer's thread. Parts are ``rows-FIRST-LAST.parquet``; every
32 are united into one, so that a long day does not end in thousands of small files. A part whose
range lies within another's is what a sudden death left of such a union, and does not count.
"""

import datetime as dt
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from tradingd.domain.market import NANOSECONDS
from tradingd.kits import atomicfile
from tradingd.level2 import layout
from tradingd.level2.facts import snapshot_facts
from tradingd.level2.writer import SnapshotWriter, compact
from tradingd.recorder import messages
from tradingd.recorder.claim import Claim, claim
from tradingd.recorder.settings import SessionFacts

FACTS: Final = "capture.json"
LOG: Final = "messages.jsonl"
MAKING: Final = ".making-"
DONE: Final = ".done"
DAMAGED: Final = ".damaged"

_UNION: Final = 32
_LARGEST: Final = _UNION * _UNION
_PART: Final = re.compile(r"rows-(\d{6})-(\d{6})\.parquet")


class CaptureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder says of its capture; `began` is data time, UTC ns."""

    session: SessionFacts
    symbol: str
    day: dt.date
    began: int
    queued: float = 0.0


class Part(msgspec.Struct, frozen=True):
    """A part by the flushes it holds."""

    first: int
    last: int
    path: Path


class CaptureFolder:
    """Files of one capture; nothing is on the disk before the first write.

    Parameters
    ----------
    root : Path
        The level-2 folder.
    session : SessionFacts
    symbol : str
    day : date
    began : int
        Data time, UTC ns: names the files.
    """

    def __init__(
        self,
        root: Path,
        session: SessionFacts,
        *,
        symbol: str,
        day: dt.date,
        began: int,
        queued: float = 0.0,
    ) -> None:
        self._root = root
        self.facts = CaptureFacts(
            session=session, symbol=symbol, day=day, began=began, queued=queued
        )
        self.path: Path | None = None
        self.tag = ""
        self._claim: Claim | None = None
        self._part = 0
        self._log_bytes = 0

    def write_rows(self, batch: pa.RecordBatch) -> None:
        """Write one part, durably."""
        folder = self._claimed()
        number = self._part + 1
        path = folder / f"rows-{number:06}-{number:06}.parquet"
        writer = SnapshotWriter(path, batch.schema, file_facts(self.facts))
        try:
            writer.write(batch)
            writer.commit()
        except BaseException:
            writer.abort()
            raise
        self._part = number

    def unite(self) -> None:
        """Unite the parts that have become many; may fail without harm."""
        if self.path is None:
            return
        for size in (_UNION, _LARGEST):
            if self._part and self._part % size == 0:
                first = self._part - size + 1
                inner = [one for one in parts_of(self.path) if one.first >= first]
                whole = self.path / f"rows-{first:06}-{self._part:06}.parquet"
                if len(inner) > 1:
                    compact([one.path for one in inner], whole, file_facts(self.facts))
                    for one in inner:
                        one.path.unlink()

    def write_messages(self, lines: bytes) -> None:
        """Append whole lines to the log, durably; after a failure the log is as it was."""
        path = self._claimed() / LOG
        with path.open("ab", buffering=0) as log:
            try:
                view = memoryview(lines)
                while view:
                    view = view[log.write(view) :]
                os.fsync(log.fileno())
            except OSError:
                log.truncate(self._log_bytes)
                raise
        self._log_bytes += len(lines)

    def publish(self, ended: int | None) -> list[tuple[Path, str, int]]:
        """Write the published files and remove the parts; return path, contract and rows of each.

        Raises
        ------
        OSError, Failure
            It could not be written: the parts are untouched, for the next start.
        """
        if self.path is None:
            return []
        try:
            return publish_folder(self._root, self.path, self.facts, self.tag, ended)
        finally:
            self.release()

    def release(self) -> None:
        """Let go of the folder; what is left in it is for the next start."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def _claimed(self) -> Path:
        """Return the folder; made on the first call, locked before it gets its name."""
        if self.path is not None:
            return self.path
        base = self._root / self.facts.symbol / layout.PARTS_FOLDER
        base.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=MAKING, dir=base))
        held = claim(making, make=True)
        if held is None:
            raise OSError(f"{making} is somebody else's")
        try:
            atomicfile.write_bytes(making / FACTS, msgspec.json.encode(self.facts))
            self.path, self.tag = self._named(making)
        except BaseException:
            held.release()
            raise
        self._claim = held
        atomicfile.fsync_folder(base)
        return self.path

    def _named(self, making: Path) -> tuple[Path, str]:
        """Give the folder the first free name at or after the time the capture began."""
        facts = self.facts
        for second in range(86_400):
            tag = layout.clock_tag(facts.began + second * NANOSECONDS)
            folder = layout.parts(self._root, facts.symbol, facts.day, tag)
            if self._taken(tag) or folder.exists():
                continue
            try:
                making.rename(folder)
            except OSError:
                if folder.exists():
                    continue
                raise
            if not self._taken(tag):
                return folder, tag
            # Another process has published that name since we looked.
            folder.rename(making)
        raise OSError(f"no free name for a capture of {facts.symbol} on {facts.day}")

    def _taken(self, tag: str) -> bool:
        symbol, day = self.facts.symbol, self.facts.day
        return (
            layout.snapshots(self._root, symbol, day, tag).exists()
            or layout.messages(self._root, symbol, day, tag).exists()
        )


def file_facts(facts: CaptureFacts, **more: str) -> dict[str, str]:
    """Return the metadata of a capture's Parquet files."""
    session = facts.session
    return snapshot_facts(
        symbol=facts.symbol,
        day=facts.day,
        levels=session.settings.levels,
        interval_ms=session.settings.interval_ms,
        on_change=session.settings.on_change,
        source=session.source,
        stale_seconds=f"{session.settings.stale_seconds:g}",
        label=session.label,
        began=str(facts.began),
        **more,
    )


def parts_of(folder: Path) -> list[Part]:
    """Return the parts that count, in order."""
    found = [
        Part(int(match[1]), int(match[2]), path)
        for path in folder.glob("rows-*.parquet")
        if (match := _PART.fullmatch(path.name))
    ]
    found.sort(key=lambda one: (one.first, -one.last))
    kept: list[Part] = []
    for one in found:
        if not kept or one.last > kept[-1].last:
            kept.append(one)
    return kept


def publish_folder(
    root: Path,
    folder: Path,
    facts: CaptureFacts,
    tag: str,
    ended: int | None,
    more: Mapping[str, str] = {},
) -> list[tuple[Path, str, int]]:
    """Write the published files of a folder, then remove it.

    The same parts give the same files, so a death before the folder is marked done is mended by
    doing it again; after it, only the removal is left.
    """
    published: list[tuple[Path, str, int]] = []
    parts = parts_of(folder)
    if parts:
        target = layout.snapshots(root, facts.symbol, facts.day, tag)
        stated = file_facts(facts, **more)
        if ended is not None:
            stated["ended"] = str(ended)
        rows = compact([one.path for one in parts], target, stated)
        published.append((target, "l2-snapshots", rows))
    log = folder / LOG
    if log.exists():
        target = layout.messages(root, facts.symbol, facts.day, tag)
        count = messages.publish(log, target, _header(facts, ended))
        published.append((target, "l2-messages", count))
    remove(folder)
    return published


def remove(folder: Path) -> None:
    """Mark a folder as done, which is atomic, then remove it."""
    done = folder.with_name(folder.name + DONE)
    folder.rename(done)
    atomicfile.fsync_folder(done.parent)
    # A recorder that starts meanwhile may be removing it too.
    shutil.rmtree(done, ignore_errors=True)


def _header(facts: CaptureFacts, ended: int | None) -> messages.Header:
    return messages.Header(
        symbol=facts.symbol,
        day=facts.day,
        source=facts.session.source,
        label=facts.session.label,
        began=facts.began,
        ended=ended,
    )
