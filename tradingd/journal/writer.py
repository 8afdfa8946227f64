"""The one writer of a journal: a thread that turns whatever is queued into one transaction.

The event loop only appends to a queue. The thread commits everything that waits, together, and
tells the loop once per batch; so the cost per record falls as the load grows. With
``synchronous=NORMAL`` a commit survives the death of the process, not a power cut.
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from tradingd.domain.journal import Record
from tradingd.journal.commit import write_records
from tradingd.journal.faults import explained
from tradingd.journal.genesis import begin_audit
from tradingd.journal.head import HeadFile
from tradingd.journal.opening import open_writer
from tradingd.kits.failure import ExitCode, Failure

BATCH: Final = 1_000
"""Writes a transaction takes at most, so that the first of them does not wait for the last."""

_TURN: Final = 32
"""Futures settled in one turn of the loop; each may wake somebody who then sends an order."""

BUSY_SECONDS: Final = 30.0
"""How long the thread waits for another program's lock; the loop runs on meanwhile."""


class _Write:
    """One queued `write`: its records, and who waits for it on which loop."""

    __slots__ = ("at", "future", "loop", "records")

    def __init__(
        self,
        records: tuple[Record, ...],
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[None],
        at: float,
    ) -> None:
        self.records = records
        self.loop = loop
        self.future = future
        self.at = at


class SqliteJournal:
    """A `tradingd.domain.journal.Journal` in one SQLite file; inert until `start`.

    Parameters
    ----------
    path : Path
        The file, usually ``journal.sqlite`` in the instance's state folder.
    busy_timeout : float
        Seconds the thread waits for another program's lock before the journal has failed.
    page_limit : int, optional
        Pages of 4 KiB that the file may grow to; None leaves the limit to the disk.
    clock : callable
        Seconds of a monotonic clock, for `oldest_pending` and `hold`.
    wall : callable
        Time of day in UTC ns, for the first row of the audit.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout: float = BUSY_SECONDS,
        page_limit: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.path = path
        self._busy_timeout = busy_timeout
        self._page_limit = page_limit
        self._clock = clock
        self._wall = wall
        self._queue: deque[_Write] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._closing = False
        self._failure: BaseException | None = None
        self._held_until = 0.0
        self._head_file = HeadFile(path)

    def start(self) -> None:
        """Open the file (made or migrated where needed) and start the thread. Blocks.

        Raises
        ------
        Failure
            JOURNAL for a damaged, foreign, newer or locked file, or a folder without permission.
        """
        if self._thread is not None:
            raise RuntimeError("the journal was started before")
        connection = open_writer(self.path, busy_timeout=self._busy_timeout)
        try:
            if self._page_limit is not None:
                connection.execute(f"PRAGMA max_page_count = {self._page_limit}")
            begin_audit(connection, self.path, self._head_file, self._wall)
        except (sqlite3.Error, OSError) as error:
            connection.close()
            raise explained(error, self.path, "written") from error
        self._thread = threading.Thread(
            target=self._run, args=(connection,), name="journal", daemon=True
        )
        self._thread.start()

    def close(self, timeout: float = 10.0) -> None:
        """Commit what waits, end the thread, close the file. Blocks; a second call does nothing.

        Raises
        ------
        Failure
            JOURNAL when the writer has failed or does not end within `timeout` seconds.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is None:
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            waiting = len(self._queue)
            raise Failure(
                "the journal did not close in time",
                code=ExitCode.JOURNAL,
                where=str(self.path),
                expected=f"every write committed within {timeout:g} s",
                found=f"{waiting} writes wait",
                next_step="see what holds the file locked (lsof FILE)",
            )
        if self._failure is not None:
            raise self._failure

    def write(self, *records: Record) -> Awaitable[None]:
        """Queue records as one transaction; the awaitable ends when it is committed.

        Call it on a running event loop. Costs a few microseconds, whether awaited or not. Without
        records it is a barrier: awaited, everything queued before it is committed.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._changed:
            refused = self._refusal()
            if refused is None:
                self._queue.append(_Write(records, loop, future, self._clock()))
                self._changed.notify()
        if refused is not None:
            _settle((future,), refused)
        return future

    @property
    def oldest_pending(self) -> float:
        """Seconds that the oldest uncommitted write has been waiting; 0.0 when there is none."""
        try:
            return self._clock() - self._queue[0].at
        except IndexError:
            return 0.0

    @property
    def pending(self) -> int:
        """Writes that are not committed yet."""
        return len(self._queue)

    @property
    def failure(self) -> BaseException | None:
        """The error that stopped the writer, None while it works."""
        return self._failure

    def hold(self, seconds: float) -> None:
        """Stop committing for a while (a drill); writes queue up and are committed afterwards."""
        with self._changed:
            self._held_until = self._clock() + seconds

    # -- the thread ----------------------------------------------------------------------------

    def _run(self, connection: sqlite3.Connection) -> None:
        try:
            while batch := self._next():
                self._commit(connection, batch)
                with self._changed:
                    for _ in batch:
                        self._queue.popleft()
                _tell(batch, None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may be sent after it
            self._fail(explained(error, self.path, "written"), error)
        finally:
            self._shut(connection)

    def _next(self) -> list[_Write]:
        """Wait for writes, and for the end of a hold; return none when it is time to end."""
        with self._changed:
            while not self._closing:
                held = self._held_until - self._clock()
                if self._queue and held <= 0:
                    break
                self._changed.wait(held if held > 0 else None)
            return list(islice(self._queue, BATCH))

    def _commit(self, connection: sqlite3.Connection, batch: Sequence[_Write]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            records = (record for write in batch for record in write.records)
            head = write_records(connection, records, self.path)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if head is not None:
            self._head_file.write(head)

    def _fail(self, failure: Failure, cause: BaseException) -> None:
        if failure is not cause:
            failure.__cause__ = cause
        with self._changed:
            self._failure = failure
            left = list(self._queue)
            self._queue.clear()
        _tell(left, failure)

    def _shut(self, connection: sqlite3.Connection) -> None:
        try:
            self._head_file.close()
            connection.execute("PRAGMA busy_timeout = 0")
            connection.close()
        except (sqlite3.Error, OSError) as error:
            self._failure = self._failure or explained(error, self.path, "closed")

    def _refusal(self) -> BaseException | None:
        if self._failure is not None:
            return self._failure
        if self._closing or self._thread is None:
            return Failure(
                "the journal is not open",
                code=ExitCode.JOURNAL,
                where=str(self.path),
                next_step="nothing is written before start or after close",
            )
        return None


def _tell(batch: Sequence[_Write], failure: BaseException | None) -> None:
    """Settle the futures on their loops, one call for each loop."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for write in batch:
        loops.setdefault(write.loop, []).append(write.future)
    for loop, futures in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, futures, failure)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and the rows are safe.
            continue


def _settle(futures: Sequence[asyncio.Future[None]], failure: BaseException | None) -> None:
    """Settle some now and the others turn by turn: whoever waited for them wants the loop, too."""
    for future in futures[:_TURN]:
        if future.done():
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)
            # Read once, so that a write that nobody awaits does not warn; `failure` stays.
            future.exception()
    if len(futures) > _TURN:
        futures[0].get_loop().call_soon(_settle, futures[_TURN:], failure)
