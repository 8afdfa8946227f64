from decimal import Decimal

import pyarrow as pa
import pytest

from tradingd.app.sync.report import Outcome
from tradingd.app.sync.verdict import Offer, choose, counting
from tradingd.domain.market import DataKind, Resolution
from tradingd.history.schema import BARS
from tradingd.quality.report import Finding, Severity

ROWS = pa.table(
    {
        "ts_event": [1_704_229_200_000_000_000],
        "ts_init": [1_704_229_200_000_000_000],
        **{name: [Decimal(1)] for name in ("open", "high", "low", "close")},
        "volume": [1],
    }
).cast(BARS)
WARNING, ERROR, INFO = Severity.WARNING, Severity.ERROR, Severity.INFO


def finding(rule: str, ts: int = 10**18, severity: Severity = WARNING) -> Finding:
    return Finding(
        symbol="SPY",
        kind=DataKind.BARS,
        resolution=Resolution.DAY,
        ts=ts,
        rule=rule,
        severity=severity,
        detail="",
    )


def offer(source: str, *findings: Finding) -> Offer:
    return Offer(source=source, rows=ROWS, findings=findings)


def empty(source: str) -> Offer:
    return Offer(source=source, rows=ROWS.slice(0, 0))


def failed(source: str, word: str = "failed") -> Offer:
    return Offer(source=source, failed=word, why="down")


def chosen(*offers: Offer, take_best: bool = False) -> tuple[Outcome, str]:
    choice = choose(offers, take_best=take_best)
    return choice.outcome, choice.offer.source if choice.offer else ""


def test_the_first_clean_offer_wins() -> None:
    assert chosen(offer("a", finding("outlier")), offer("b")) == (Outcome.STORED, "b")
    assert chosen(offer("a")) == (Outcome.STORED, "a")


def test_what_two_sources_share_is_a_fact() -> None:
    same = (offer("a", finding("outlier")), offer("b", finding("outlier")))
    assert chosen(*same) == (Outcome.CONFIRMED, "a")


def test_another_rule_or_another_time_confirms_nothing() -> None:
    other_time = offer("b", finding("outlier", ts=2 * 10**18))
    assert chosen(offer("a", finding("outlier")), other_time) == (Outcome.REFUSED, "")
    other_rule = offer("b", finding("stale"))
    assert chosen(offer("a", finding("outlier")), other_rule) == (Outcome.REFUSED, "")


def test_one_source_cannot_confirm_itself() -> None:
    assert chosen(offer("a", finding("outlier")), empty("b")) == (Outcome.REFUSED, "")


def test_an_error_is_never_shared_away_nor_taken_as_the_best() -> None:
    bad = finding("duplicate", severity=ERROR)
    both = (offer("a", bad), offer("b", bad))
    assert chosen(*both, take_best=True) == (Outcome.REFUSED, "")


def test_the_best_has_the_fewest_findings_and_the_earlier_source_wins_a_tie() -> None:
    two = offer("a", finding("outlier", 1), finding("stale", 2))
    one, other = offer("b", finding("outlier", 3)), offer("c", finding("outlier", 4))
    assert chosen(two, one, other, take_best=True) == (Outcome.FLAGGED, "b")


@pytest.mark.parametrize(
    ("offers", "outcome"),
    [
        ((failed("a"), failed("b")), Outcome.FAILED),
        ((failed("a"), empty("b")), Outcome.FAILED),
        ((failed("a"), failed("b", "unusable")), Outcome.FAILED),
        ((empty("a"), empty("b")), Outcome.EMPTY),
        ((empty("a"), failed("b", "unknown")), Outcome.UNKNOWN),
        ((empty("a"), failed("b", "unusable")), Outcome.EMPTY),
        ((failed("a", "unknown"), failed("b", "unknown")), Outcome.UNKNOWN),
        ((failed("a"), offer("b", finding("stale"))), Outcome.REFUSED),
        ((failed("a", "invalid"), empty("b")), Outcome.REFUSED),
    ],
)
def test_nothing_stored_has_a_reason(offers: tuple[Offer, ...], outcome: Outcome) -> None:
    assert chosen(*offers) == (outcome, "")


def test_only_errors_coverage_and_what_is_refused_count() -> None:
    found = [
        finding("outlier"),
        finding("zero_volume"),
        finding("coverage"),
        finding("duplicate", severity=ERROR),
        finding("extended_hours", severity=INFO),
    ]
    rules = [one.rule for one in counting(found, ("outlier",))]
    assert rules == ["outlier", "coverage", "duplicate"]
