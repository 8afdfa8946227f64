"""What the recorder tells a person, in words."""

from typing import Final

from tradingd.domain.alerts import Alert, Severity
from tradingd.kits.failure import Failure

FEED: Final = "recorder.feed"
DROPPED: Final = "recorder.dropped"
WRITER: Final = "recorder.writer"
DISK: Final = "recorder.disk"


def feed_lost(label: str, detail: str, *, for_good: bool = False) -> Alert:
    """Say that the depth feed lost its connection."""
    return Alert(
        key=FEED,
        severity=Severity.WARN,
        title=f"depth feed {label} {'ended with an error' if for_good else 'lost its connection'}",
        body=detail,
        next_step="see the log" if for_good else "it reconnects by itself; snapshots are marked",
    )


def feed_back(label: str) -> Alert:
    """Say that it is back."""
    return Alert(
        key=FEED, severity=Severity.INFO, title=f"depth feed {label} is back", resolved=True
    )


def records_dropped(label: str, count: int, detail: str) -> Alert:
    """Say that the feed handed records over faster than they were taken."""
    return Alert(
        key=DROPPED,
        severity=Severity.WARN,
        title=f"depth feed {label} dropped {count or 'some'} records",
        body=detail,
        next_step="record fewer symbols or a coarser grid; the snapshots after it are marked",
    )


def writer_behind(kind: str, limit: int) -> Alert:
    """Say that memory is full since the disk does not keep up."""
    return Alert(
        key=WRITER,
        severity=Severity.WARN,
        title=f"the recorder drops {kind}: the disk is too slow",
        body=f"{limit:,} {kind} wait for it, which is the limit (record.buffer_rows)",
        next_step="look at the disk; what is lost is counted and marked",
    )


def writer_back(dropped: int) -> Alert:
    """Say that the disk keeps up again."""
    return Alert(
        key=WRITER,
        severity=Severity.INFO,
        title="the recorder keeps up again",
        body=f"{dropped:,} were dropped in all",
        resolved=True,
    )


def disk_refuses(error: BaseException, path: str) -> Alert:
    """Say that the disk is full, or cannot be written."""
    reason = error.line() if isinstance(error, Failure) else str(error)
    return Alert(
        key=DISK,
        severity=Severity.PAGE,
        title="the recorder cannot write",
        body=f"{reason} (below {path})",
        next_step="free space; snapshots wait in memory up to record.buffer_rows",
    )


def disk_takes() -> Alert:
    """Say that it can be written again."""
    return Alert(key=DISK, severity=Severity.INFO, title="the recorder writes again", resolved=True)


def refused(symbol: str, reason: str) -> Alert:
    """Say that a symbol got no stream."""
    return Alert(
        key=f"recorder.refused.{symbol}",
        severity=Severity.WARN,
        title=f"{symbol} is not recorded",
        body=reason,
        next_step="the next in line has its place; ask again for this one later",
    )


def bad_book(symbol: str, what: str) -> Alert:
    """Say that something has been wrong with a book for a while."""
    return Alert(
        key=f"recorder.book.{symbol}",
        severity=Severity.WARN,
        title=f"the book of {symbol} is {what}",
        body="snapshots go on and are marked",
        next_step="compare with another source; release the symbol and ask for it again",
    )


def good_book(symbol: str) -> Alert:
    """Say that it is as it should be again."""
    return Alert(
        key=f"recorder.book.{symbol}",
        severity=Severity.INFO,
        title=f"the book of {symbol} is in order again",
        resolved=True,
    )


def unfit(symbol: str, failure: Failure) -> Alert:
    """Say that the columns cannot hold a book."""
    return Alert(
        key=f"recorder.unfit.{symbol}",
        severity=Severity.WARN,
        title=f"books of {symbol} cannot be stored",
        body=failure.line(),
        next_step="the message log has the records",
    )


def lost_at_stop(rows: int, error: str) -> Alert:
    """Say that the disk did not take the rest."""
    return Alert(
        key=DISK,
        severity=Severity.PAGE,
        title=f"{rows:,} snapshots were lost at the stop",
        body=error,
        next_step="free space; the next start publishes what was written",
    )


def left_behind(symbol: str, error: BaseException) -> Alert:
    """Say that a capture could not be published."""
    return Alert(
        key=f"recorder.publish.{symbol}",
        severity=Severity.WARN,
        title=f"the capture of {symbol} is not published yet",
        body=str(error),
        next_step="its parts are whole; the next start publishes them",
    )


def not_written(symbol: str, count: int, error: BaseException) -> Alert:
    """Say that something other than the disk kept data from being written."""
    return Alert(
        key=f"recorder.write.{symbol}",
        severity=Severity.WARN,
        title=f"{count:,} records of {symbol} could not be written",
        body=repr(error),
        next_step="they are counted as dropped; see the log",
    )
