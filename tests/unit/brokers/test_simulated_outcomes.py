import pytest

from tradingd.brokers.simulated.client import Lost, NoAnswer, NothingSent
from tradingd.brokers.simulated.outcomes import of_reply, of_trouble
from tradingd.domain.broker import Accepted, Rejected, Unknown


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"ok": True, "outcome": "accepted", "broker_order_id": "s-O1"}, Accepted),
        ({"ok": True, "outcome": "rejected", "reason": "no"}, Rejected),
        ({"ok": True, "outcome": "rejected"}, Rejected),
        ({"ok": False, "code": "bad_request", "error": "what?"}, Rejected),
        ({"ok": False, "code": "internal", "error": "oops"}, Unknown),
        ({"ok": False}, Unknown),
        ({"ok": True}, Unknown),
        ({"ok": True, "outcome": "accepted"}, Unknown),
        ({"ok": True, "outcome": "accepted", "broker_order_id": ""}, Unknown),
        ({"ok": True, "outcome": "accepted", "broker_order_id": 7}, Unknown),
        ({"ok": True, "outcome": "perhaps"}, Unknown),
        ({"ok": 1, "outcome": "rejected"}, Unknown),
        ({"ok": "yes", "outcome": "rejected"}, Unknown),
        ({}, Unknown),
    ],
    ids=str,
)
def test_every_reply_has_an_outcome_and_only_proof_rejects(reply, kind):
    assert type(of_reply(reply)) is kind


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (NothingSent("not connected"), Rejected),
        (Lost("the connection broke"), Unknown),
        (NoAnswer("no answer within 1 s"), Unknown),
    ],
    ids=["nothing sent", "lost in flight", "no answer"],
)
def test_only_what_never_left_counts_as_rejected(trouble, kind):
    assert type(of_trouble(trouble)) is kind


def test_a_rejection_carries_the_brokers_reason():
    assert of_reply({"ok": True, "outcome": "rejected", "reason": "closed"}) == Rejected("closed")
    assert of_trouble(NothingSent("x")) == Rejected("not connected, nothing was sent")
