"""What a backfill says it did: a line per task, a summary per run; both are contracts."""

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final, Literal

import msgspec

from tradingd.domain.market import NANOSECONDS

_SHOWN: Final = Decimal("0.0001")
_CENTS: Final = Decimal("0.01")

MANIFEST: Final = "backfill_l2_manifest.jsonl"
SUMMARY: Final = "backfill_l2_summary.json"


class Status(StrEnum):
    """How a task ended."""

    WRITE = "WRITE"
    """The file was written."""
    SKIP = "SKIP"
    """It was there already."""
    EMPTY = "EMPTY"
    """There are no rows: none from the vendor, or no session on that day. No file."""
    ERROR = "ERROR"
    """It failed, after all tries."""
    UNAVAIL = "UNAVAIL"
    """Nobody could be asked: no key, no package, or the window has not ended yet."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the manifest, ``contracts/schemas/backfill-manifest.v1.schema.json``."""

    contract: Literal["backfill-manifest"]
    schema_version: Literal["1.0.0"]
    at: str
    run: str
    index: int
    symbol: str
    day: dt.date
    status: Status
    rows: int
    path: str
    provider: str
    vendor_symbol: str = ""
    window_start: int | None = None
    window_end: int | None = None
    trades: int | None = None
    trades_path: str = ""
    bytes: int | None = None
    tries: int | None = None
    seconds: float | None = None
    reason: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task in the summary."""

    symbol: str
    day: dt.date
    reason: str = ""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The run, ``contracts/schemas/backfill-summary.v1.schema.json``."""

    contract: Literal["backfill-summary"]
    schema_version: Literal["1.0.0"]
    run: str
    began: str
    ended: str
    provider: str
    counts: dict[Status, int]
    total: int
    not_started: int
    concurrency: int
    duration: float
    rows: int
    trades: int
    bytes: int
    force: bool
    strict: bool
    estimate_usd: str | None
    spending_limit_usd: str | None
    zero_row_tasks: tuple[Named, ...]
    failed_tasks: tuple[Named, ...]
    manifest: str = MANIFEST

    @property
    def failed(self) -> bool:
        """Whether `strict` calls this a failure: ERROR and UNAVAIL, not EMPTY."""
        return bool(self.counts[Status.ERROR] or self.counts[Status.UNAVAIL])

    def line(self) -> dict[str, object]:
        """Return what the one SUMMARY line of the run says."""
        told = {str(one): self.counts[one] for one in _ALWAYS}
        if self.counts[Status.UNAVAIL]:
            told[Status.UNAVAIL] = self.counts[Status.UNAVAIL]
        return {
            **told,
            "total": self.total,
            "concurrency": self.concurrency,
            "duration": f"{self.duration:.3f}s",
        }


_ALWAYS: Final = (Status.WRITE, Status.SKIP, Status.EMPTY, Status.ERROR)


def counted(lines: Iterable[Line]) -> dict[Status, int]:
    """Return how many lines have which status."""
    found = [one.status for one in lines]
    return {status: found.count(status) for status in Status}


def dollars(amount: Decimal | None) -> str | None:
    """Return an amount in the summary's form, never with an exponent."""
    return None if amount is None else f"{amount:f}"


def usd(amount: Decimal) -> str:
    """Return an amount for a person, rounded up to a hundredth of a cent: ``0.2942 USD``."""
    shown = amount.quantize(_SHOWN, ROUND_CEILING)
    cents = shown.quantize(_CENTS)
    return f"{cents if cents == shown else shown:f} USD"


def iso(ts: int) -> str:
    """Return a UTC ns time in the manifest's form."""
    moment = dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts % NANOSECONDS // 1_000_000:03d}Z"
