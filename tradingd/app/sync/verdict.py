"""Which of several sources' rows are stored, and what is said about them; pure.

The first clean one wins. Failing that, findings that two sources share are taken for facts: a
jump on the day of bad news is a jump at every vendor. What cannot be (severity error) is never
shared away.
"""

from collections.abc import Collection, Sequence

import msgspec
import pyarrow as pa

from tradingd.app.sync.report import Attempt, Outcome
from tradingd.quality.candidate import COVERAGE
from tradingd.quality.report import Finding, Severity
from tradingd.session.calendar import local_date

_SHOWN = 3
"""Findings that a reason names; the rest are counted."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What one source answered: rows with what was found wrong, or why there are none.

    `failed` is empty when it answered, else ``failed``, ``invalid``, ``unknown`` or
    ``unusable``.
    """

    source: str
    rows: pa.Table | None = None
    findings: tuple[Finding, ...] = ()
    failed: str = ""
    why: str = ""

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to store."""
        return self.rows is not None and self.rows.num_rows > 0

    def attempt(self) -> Attempt:
        """Return the report of it."""
        rows = 0 if self.rows is None else self.rows.num_rows
        if self.failed:
            return Attempt(source=self.source, answer=self.failed, why=self.why)
        if not rows:
            return Attempt(source=self.source, answer="empty", why="no bars")
        if not self.findings:
            return Attempt(source=self.source, answer="clean", rows=rows)
        return Attempt(source=self.source, answer="dirty", rows=rows, why=told(self.findings))


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: the offer whose rows are stored, or None, and its name in the provenance."""

    outcome: Outcome
    offer: Offer | None = None
    note: str = ""


def counting(findings: Sequence[Finding], refuse: Collection[str]) -> tuple[Finding, ...]:
    """Return the findings that stand in the way: errors, missing coverage, and what is refused."""
    return tuple(
        one
        for one in findings
        if one.severity is Severity.ERROR or one.rule == COVERAGE or one.rule in refuse
    )


def clean(offer: Offer) -> bool:
    """Tell whether an offer can be stored without another opinion."""
    return offer.has_rows and not offer.findings


def choose(offers: Sequence[Offer], *, take_best: bool) -> Choice:
    """Decide over all answers, in the order of the sources."""
    for one in offers:
        if clean(one):
            note = "; ".join(f"{other.source}: {other.attempt().why}" for other in offers[:-1])
            return Choice(outcome=Outcome.STORED, offer=one, note=note)
    for one in offers:
        if one.has_rows and all(_shared(found, one, offers) for found in one.findings):
            return Choice(outcome=Outcome.CONFIRMED, offer=one, note=told(one.findings))
    storable = [one for one in offers if one.has_rows and not _errors(one)]
    if storable and take_best:
        best = min(storable, key=lambda one: len(one.findings))
        return Choice(outcome=Outcome.FLAGGED, offer=best, note=told(best.findings))
    return Choice(outcome=_nothing(offers))


def _shared(finding: Finding, offer: Offer, offers: Sequence[Offer]) -> bool:
    if finding.severity is Severity.ERROR:
        return False
    return any(
        (other.rule, other.ts) == (finding.rule, finding.ts)
        for another in offers
        if another is not offer and another.has_rows
        for other in another.findings
    )


def _errors(offer: Offer) -> bool:
    return any(one.severity is Severity.ERROR for one in offer.findings)


def _nothing(offers: Sequence[Offer]) -> Outcome:
    """Name the way in which nothing came."""
    kinds = {one.failed or ("dirty" if one.has_rows else "empty") for one in offers}
    if kinds & {"dirty", "invalid"}:
        return Outcome.REFUSED
    if "failed" in kinds or not kinds & {"empty", "unknown"}:
        return Outcome.FAILED
    # Some vendors answer an unknown symbol with nothing, so one that says so is believed.
    return Outcome.UNKNOWN if "unknown" in kinds else Outcome.EMPTY


def told(findings: Sequence[Finding]) -> str:
    """Return findings in one line: rule, day and detail of the first few."""
    # What is not covered is said once: the holes are part of it.
    covered = all(one.rule != COVERAGE for one in findings)
    said = [one for one in findings if covered or one.rule != "missing_session"]
    named = [f"{one.rule} {local_date(one.ts - 1)} ({one.detail})" for one in said[:_SHOWN]]
    more = len(said) - len(named)
    return ", ".join(named) + (f", {more} more" if more else "")
