"""What Databento's error answers mean, and that no text of them shows a key."""

from decimal import Decimal

import pytest

from tradingd.vendors.databento.ledger import Ledger, OverLimit, dollars
from tradingd.vendors.databento.trouble import Kind, Trouble, masked, of_status

KEY = "db-0123456789ABCDEFGHJKLMNPQRSTU"


@pytest.mark.parametrize(
    ("status", "text", "kind", "again"),
    [
        (429, "slow down", Kind.BUSY, True),
        (500, "", Kind.DOWN, True),
        (502, "", Kind.DOWN, True),
        (503, "", Kind.DOWN, True),
        (504, "", Kind.DOWN, True),
        (408, "", Kind.DOWN, True),
        (401, "auth_authentication_failed", Kind.KEY, False),
        (402, "account_insufficient_funds", Kind.KEY, False),
        (403, "license_not_found_unauthorized", Kind.LICENCE, False),
        (422, "None of the symbols could be resolved", Kind.UNKNOWN, False),
        (422, "symbology_invalid_request: Could not resolve", Kind.UNKNOWN, False),
        (422, "data_end_after_available_end", Kind.REFUSED, False),
        (400, "", Kind.REFUSED, False),
        (404, "", Kind.REFUSED, False),
    ],
)
def test_an_error_status_tells_what_helps_and_was_never_charged(
    status: int, text: str, kind: Kind, again: bool
) -> None:
    found = of_status(status, text)
    assert (found.kind, found.again, found.lost) == (kind, again, False)


@pytest.mark.parametrize(
    ("text", "wait"),
    [("3", 3.0), ("0.5", 0.5), ("-2", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", None), (None, None)],
)
def test_retry_after_is_read_in_seconds_or_counts_as_unsaid(
    text: str | None, wait: float | None
) -> None:
    assert of_status(429, "", text).wait == wait


def test_no_text_of_trouble_shows_a_key() -> None:
    trouble = Trouble(Kind.KEY, f"bad key {KEY}\nreally")
    assert trouble.detail == "bad key db-*** really"
    assert KEY not in f"{trouble} {trouble!r} {trouble.args}"
    assert masked("another form of secret", "secret") == "another form of ***"


def test_a_ledger_counts_before_and_gives_back_what_was_not_charged() -> None:
    ledger = Ledger(Decimal("1.00"))
    ledger.spend(Decimal("0.6"))
    with pytest.raises(OverLimit) as caught:
        ledger.spend(Decimal("0.5"))
    assert (caught.value.amount, caught.value.left) == (Decimal("0.5"), Decimal("0.4"))
    assert ledger.spent == Decimal("0.6")
    ledger.refund(Decimal("0.6"))
    ledger.spend(Decimal(1))
    assert ledger.left == 0


def test_without_a_limit_only_what_is_free_passes() -> None:
    ledger = Ledger(Decimal(0))
    ledger.spend(Decimal(0))
    with pytest.raises(OverLimit):
        ledger.spend(Decimal("0.0000000001"))


@pytest.mark.parametrize(
    ("amount", "text"), [("0.250", "0.25 USD"), ("100", "100 USD"), ("0", "0 USD")]
)
def test_amounts_are_written_plainly(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text
