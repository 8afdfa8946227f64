"""The one kind of error a person is meant to read, and the exit code it ends the process with."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes; every refusal has one of its own (documented in README.md)."""

    OK = 0
    BUG = 1
    USAGE = 2
    MANIFEST = 18
    STORE_WRITE = 19
    NO_DATA = 20
    UNKNOWN_SYMBOL = 21
    EMPTY_RANGE = 22
    DAMAGED_PARQUET = 23
    DAMAGED_ARCHIVE = 24
    INVALID_ROW = 25
    QUALITY = 26
    STORE_LOCKED = 27
    SNAPSHOT = 28
    UNREADABLE_INPUT = 29
    STRATEGY_FAILED = 30
    ENGINE_FAILED = 31
    RUN_NOT_FOUND = 32
    TRIALS_FAILED = 33
    LOOK_AHEAD = 34
    SOURCE = 35
    CONTRACT = 36
    SPENDING = 37
    REGISTRY = 38
    DOCTOR = 40
    NO_DAEMON = 50
    REFUSED = 51
    FORBIDDEN = 52
    AUDIT = 53
    NO_SESSION = 54
    SECOND_INSTANCE = 60
    BROKER = 61
    RECONCILE = 62
    FEED = 63
    JOURNAL = 64
    NOT_ARMED = 65
    NOT_FLAT = 66
    UNCLEAN_STOP = 67
    INSTALL = 70
    CONFIG = 78
    INTERRUPTED = 130
    TERMINATED = 143


class Failure(Exception):
    """A refusal that says what, where, expected, found and what to do next.

    Parameters
    ----------
    what : str
        One sentence naming what went wrong.
    code : ExitCode
        Exit code of the process when nothing handles the failure.
    where : str, optional
        File, key path, symbol and time, table row: the place a person must open.
    expected, found : str, optional
        The two sides of the contradiction.
    next_step : str, optional
        The command or edit that resolves it.
    """

    def __init__(
        self,
        what: str,
        *,
        code: ExitCode,
        where: str = "",
        expected: str = "",
        found: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.where = where
        self.expected = expected
        self.found = found
        self.next_step = next_step

    def line(self) -> str:
        """Return the whole failure as one line for a terminal or a log."""
        parts = [self.what.rstrip(".")]
        labelled = (
            ("at", self.where),
            ("expected", self.expected),
            ("found", self.found),
            ("next", self.next_step),
        )
        parts += [f"{label}: {text}" for label, text in labelled if text]
        return " | ".join(part.replace("\n", " ") for part in parts)

    def __str__(self) -> str:
        return self.line()

    # Failures cross process borders in sweeps; the default reduction loses keyword arguments.
    def __reduce__(self) -> tuple[object, ...]:
        return (
            _rebuild,
            (self.what, self.code, self.where, self.expected, self.found, self.next_step),
        )


def _rebuild(
    what: str, code: ExitCode, where: str, expected: str, found: str, next_step: str
) -> Failure:
    return Failure(
        what, code=code, where=where, expected=expected, found=found, next_step=next_step
    )
