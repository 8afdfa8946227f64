"""The outcome table: every status, error and phase of the connection has its outcome."""

import pytest

from tradingd.brokers.alpaca.outcomes import NOT_TAKEN, of_cancel, of_replace, of_submit
from tradingd.brokers.alpaca.replies import (
    Answered,
    Garbled,
    Lost,
    NoAnswer,
    NothingSent,
    Refused,
    Reply,
)
from tradingd.domain.broker import Accepted, Outcome, Rejected, Unknown

NAME = "paper-abc1234-000001"
ORDER = {"id": "o-1", "client_order_id": NAME, "status": "new"}

LIMITED = "429 of Alpaca's own"

SEEN: list[tuple[str, Reply, type[Outcome]]] = [
    ("accepted", Answered(ORDER), Accepted),
    ("rejected in the order", Answered({**ORDER, "status": "rejected"}), Rejected),
    ("no id", Answered({"client_order_id": NAME}), Unknown),
    ("a list", Answered([ORDER]), Unknown),
    ("text", Answered("ok"), Unknown),
    ("buying power", Refused(status=403, code=40310000, message="insufficient"), Rejected),
    ("forbidden", Refused(status=403, message="forbidden."), Rejected),
    ("parameters", Refused(status=422, code=42210000, message="invalid limit_price"), Rejected),
    ("malformed", Refused(status=400, code=40010000, message="format"), Rejected),
    (
        "duplicate",
        Refused(status=422, code=40010001, message="client_order_id must be unique"),
        Unknown,
    ),
    ("duplicate, 403", Refused(status=403, message="Client_Order_ID must be UNIQUE"), Unknown),
    ("429 by its headers", Refused(status=429, message="", limited=True), Rejected),
    ("429 by its code", Refused(status=429, code=42910000, message="slow"), Rejected),
    ("429 by its text", Refused(status=429, message="too many requests."), Rejected),
    ("429 of somebody else", Refused(status=429, message="<html>busy</html>"), Unknown),
    ("no status", Refused(status=0), Unknown),
    ("refused", NothingSent("no connection"), Rejected),
    ("reset", Lost("reset"), Unknown),
    ("timeout", NoAnswer("2 s"), Unknown),
    ("garbled", Garbled("no JSON"), Unknown),
]


@pytest.mark.parametrize(("reply", "outcome"), [row[1:] for row in SEEN], ids=[r[0] for r in SEEN])
def test_what_is_seen_of_an_order_has_its_outcome(reply: Reply, outcome: type[Outcome]) -> None:
    assert isinstance(of_submit(reply, NAME), outcome)


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_has_an_outcome_and_doubt_is_never_a_rejection(status: int) -> None:
    found = of_submit(Refused(status=status, message="anything"), NAME)
    assert isinstance(found, Rejected if status in NOT_TAKEN else Unknown)


def test_no_server_error_and_no_conflict_counts_as_a_rejection() -> None:
    assert not NOT_TAKEN & {408, 409, 425, 429, 499, *range(500, 600)}


def test_a_rejection_tells_alpacas_message_and_code() -> None:
    found = of_submit(Refused(status=403, code=40310000, message="insufficient qty"), NAME)
    assert found == Rejected("insufficient qty (40310000), HTTP 403")


def test_an_answer_about_another_order_proves_nothing() -> None:
    assert isinstance(of_submit(Answered({**ORDER, "client_order_id": "x"}), NAME), Unknown)


def test_a_change_is_accepted_with_the_id_of_the_new_order() -> None:
    assert of_replace(Answered({"id": "o-2", "replaces": "o-1"})) == Accepted("o-2")
    assert isinstance(of_replace(Answered(None)), Unknown)
    assert isinstance(of_replace(Refused(status=422, message="cannot be replaced")), Rejected)


def test_a_cancel_is_accepted_by_an_empty_answer() -> None:
    assert of_cancel(Answered(None), "o-1") == Accepted("o-1")
    assert isinstance(of_cancel(Answered([]), "o-1"), Unknown)
    assert isinstance(of_cancel(Refused(status=404, message="order not found"), "o-1"), Rejected)
    assert isinstance(of_cancel(Refused(status=500), "o-1"), Unknown)
