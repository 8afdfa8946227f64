"""What a quality check says."""

from enum import StrEnum

import msgspec

from tradingd.domain.market import DataKind, Resolution


class Severity(StrEnum):
    """How sure it is that something is wrong."""

    ERROR = "error"
    """Cannot be real; `strict` refuses it."""
    WARNING = "warning"
    """Hardly real, or a hole; look at it before trusting a result that touches it."""
    INFO = "info"
    """Real, but worth knowing (bars outside regular hours, locked quotes)."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One defect: `ts` is UTC nanoseconds, `detail` what was seen there."""

    symbol: str
    kind: DataKind
    resolution: Resolution | None
    ts: int
    rule: str
    severity: Severity
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every rule's count, and the findings themselves up to a limit per rule and symbol."""

    rows: int
    series: int
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    errors: int

    @property
    def total(self) -> int:
        """Number of findings, those beyond the limit included."""
        return sum(self.counts.values())
