"""What the recorder hands to its writer: snapshots, messages, and the end of a capture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from tradingd.domain.depth import DepthEvent
from tradingd.level2.snapshots import SnapshotRows
from tradingd.recorder.capture import Capture, PublishedFile
from tradingd.recorder.messages import encoded


class RowsJob:
    """Write buffered snapshots as one part."""

    lasting: Final = True

    def __init__(self, capture: Capture, rows: SnapshotRows, count: int) -> None:
        self.capture = capture
        self.count = count
        self._rows = rows
        self._batch: pa.RecordBatch | None = None

    def run(self) -> None:
        """Write; the same rows again after a failure."""
        if self._batch is None:
            self._batch = self._rows.take()
        self.capture.folder.write_rows(self._batch)


class UniteJob:
    """Unite small parts now and then."""

    lasting: Final = False

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    def run(self) -> None:
        """Unite where it is time."""
        self.capture.folder.unite()


class MessagesJob:
    """Append records to the message log."""

    lasting: Final = True

    def __init__(self, capture: Capture, events: Sequence[DepthEvent]) -> None:
        self.capture = capture
        self.count = len(events)
        self._events: Sequence[DepthEvent] = events
        self._lines: bytes | None = None

    def run(self) -> None:
        """Write; the same lines again after a failure."""
        if self._lines is None:
            self._lines = encoded(self._events)
            # A record may hold on to the vendor's whole chunk.
            self._events = ()
        self.capture.folder.write_messages(self._lines)


class PublishJob:
    """Close a capture: published files, no parts."""

    lasting: Final = False

    def __init__(self, root: Path, capture: Capture) -> None:
        self._root = root
        self.capture = capture

    def run(self) -> None:
        """Publish; what fails is left for the next start."""
        found = self.capture.folder.publish(self.capture.ended)
        self.capture.files = tuple(
            PublishedFile(
                path=str(path.relative_to(self._root)),
                contract=contract,
                rows=rows,
                bytes=path.stat().st_size,
            )
            for path, contract, rows in found
        )
        self.capture.published = True


class Task:
    """Anything else that blocks: clean-up, statistics."""

    lasting: Final = False

    def __init__(self, work: Callable[[], None]) -> None:
        self.run = work
