"""Work on one task: lock, fetch with tries, write. Runs in a worker thread."""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from filelock import Timeout

from tradingd.backfill.job import Job, Outcome
from tradingd.backfill.locks import held
from tradingd.backfill.present import Kind, snapshots_of, trades_of
from tradingd.backfill.produce import Files, Written, produce
from tradingd.backfill.provider import BookProvider, Retry
from tradingd.backfill.records import Status
from tradingd.kits.atomicfile import TEMPORARY_SUFFIX
from tradingd.kits.backoff import jittered
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.refused import refused

ASKED_AT_MOST: Final = 60.0
"""Seconds that a vendor's own wish to wait is followed at most."""

_ANOTHER: Final = "use --force to write it anew"


class Stopped(BaseException):
    """The run ends; not an error, so nothing on the way may take it for one."""


class Attempts:
    """How tasks are worked on; shared by the workers of a run.

    Parameters
    ----------
    provider : BookProvider
    folder : pathlib.Path
        For downloads, on the disk of the output; the run removes it.
    locks : pathlib.Path
        Folder of lock files, shared by all runs.
    stop : threading.Event
        Set: begin nothing, end soon.
    force : bool
        Write anew what is there.
    clock : Callable
        Monotonic seconds.
    """

    def __init__(
        self,
        provider: BookProvider,
        *,
        folder: Path,
        locks: Path,
        stop: threading.Event,
        force: bool,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._provider = provider
        self._folder = folder
        self._locks = locks
        self._stop = stop
        self._force = force
        self._clock = clock

    def work(self, job: Job) -> Outcome:
        """Do a task.

        Raises
        ------
        Stopped
            The run ended before the task did; nothing is left of it.
        """
        began, before = self._clock(), _signature(job.snapshots)
        lock = self._locks / f"{job.snapshots.stem}.{job.task.symbol}.lock"
        try:
            with held(lock, cancelled=self._stop.is_set):
                # Whoever held the lock meanwhile may have done it all.
                fresh = _signature(job.snapshots) != before
                outcome = present_outcome(job, force=self._force and not fresh)
                outcome = outcome or self._fetch(job)
        except Timeout:
            raise Stopped from None
        return _timed(outcome, self._clock() - began)

    def _fetch(self, job: Job) -> Outcome:
        _remove_leftovers(job)
        for attempt in range(job.config.tries):
            try:
                return self._fetch_once(job, attempt)
            except Retry as trouble:
                last = trouble
            if attempt + 1 < job.config.tries:
                self._wait(job, attempt, last.wait)
        return Outcome(status=Status.ERROR, tries=job.config.tries, reason=last.reason)

    def _fetch_once(self, job: Job, attempt: int) -> Outcome:
        self._check()
        folder = self._folder / f"{job.index}-{attempt}"
        folder.mkdir(parents=True)
        try:
            day, symbol = job.task.day, job.vendor_symbol
            dbn = self._provider.fetch_l2(day, symbol, job.window, folder)
            self._check()
            return _outcome(self._produce(dbn, job, folder), attempt + 1)
        except Failure as failure:
            fatal = failure if failure.code is ExitCode.STORE_WRITE else None
            return _error(failure, attempt + 1, fatal)
        except OSError as error:
            refusal = refused(error)
            if refusal is None:
                raise
            return _error(refusal, attempt + 1, refusal)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _produce(self, dbn: Path, job: Job, folder: Path) -> Written:
        trades = trades_of(job)
        files = Files(
            snapshots=self._force or snapshots_of(job).kind is not Kind.SAME,
            trades=trades is not None and (self._force or trades.kind is not Kind.SAME),
        )
        try:
            return produce(dbn, job, files, self._check)
        except Failure as failure:
            if failure.code is ExitCode.DAMAGED_ARCHIVE and dbn.is_relative_to(folder):
                # It arrived so; what the vendor has may be whole.
                raise Retry(failure.line()) from failure
            raise

    def _wait(self, job: Job, attempt: int, asked: float | None) -> None:
        config = job.config
        longest = config.backoff_max_ms / 1_000
        wait = jittered(attempt, first=config.backoff_initial_ms / 1_000, longest=longest)
        self._stop.wait(max(wait, min(asked or 0.0, ASKED_AT_MOST)))

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped


def present_outcome(job: Job, *, force: bool) -> Outcome | None:
    """Return how a task ends by what is there already; None: it must be fetched."""
    if force:
        return None
    snapshots, trades = snapshots_of(job), trades_of(job)
    for one in (snapshots, trades):
        if one is not None and one.kind in (Kind.OTHER, Kind.DAMAGED):
            return Outcome(status=Status.ERROR, reason=f"{one.why}; {_ANOTHER}")
    if snapshots.kind is Kind.ABSENT or (trades is not None and trades.kind is Kind.ABSENT):
        return None
    return Outcome(status=Status.SKIP, rows=snapshots.rows, trades=trades.rows if trades else None)


def _outcome(written: Written, tries: int) -> Outcome:
    if not written.rows:
        return Outcome(status=Status.EMPTY, tries=tries, reason=written.note)
    return Outcome(
        status=Status.WRITE,
        rows=written.rows,
        trades=written.trades,
        bytes=written.bytes,
        tries=tries,
        reason=written.note,
    )


def _signature(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        stat = path.stat()
        return stat.st_ino, stat.st_mtime_ns
    return None


def _remove_leftovers(job: Job) -> None:
    """Remove half-written files of killed runs; whoever has the lock is the only writer."""
    for path in (job.snapshots, job.trades):
        if path is not None:
            for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY_SUFFIX}"):
                leftover.unlink(missing_ok=True)


def _error(failure: Failure, tries: int, fatal: Failure | None) -> Outcome:
    return Outcome(status=Status.ERROR, tries=tries, reason=failure.line(), fatal=fatal)


def _timed(outcome: Outcome, seconds: float) -> Outcome:
    return msgspec.structs.replace(outcome, seconds=round(seconds, 3))
