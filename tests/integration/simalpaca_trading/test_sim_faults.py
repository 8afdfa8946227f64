"""Requests that go wrong on demand."""

import time
import urllib.error
from datetime import UTC, datetime

import pytest


@pytest.fixture
def symbol(exchange):
    """A symbol of the test's own, at 100 dollars."""
    name = exchange.symbol()
    exchange.bar(name, "100")
    return name


def orders(exchange, symbol):
    return exchange.get(f"/v2/orders?status=all&symbols={symbol}")


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ("drop_request", 0),
        ("drop_response", 1),
        ("disconnect_before", 0),
        ("disconnect_after", 1),
    ],
)
def test_a_connection_breaks_before_or_after_the_work(exchange, symbol, fault, done):
    exchange.misbehave(script={"submit": [{"fault": fault}]})
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        exchange.order(symbol, "buy", 1)
    assert len(orders(exchange, symbol)) == done


@pytest.mark.parametrize(
    ("fault", "status", "done"),
    [
        ("status_429", 429, 0),
        ("status_500", 500, 0),
        ("status_502", 502, 0),
        ("status_503", 503, 0),
        ("status_504", 504, 0),
        ("504_done", 504, 1),
        ("reject", 403, 0),
    ],
)
def test_statuses_are_answered_with_or_without_the_work(exchange, symbol, fault, status, done):
    exchange.misbehave(script={"submit": [fault]})
    assert exchange.order(symbol, "buy", 1)[0] == status
    assert len(orders(exchange, symbol)) == done


def test_chance_hits_by_operation(exchange, symbol):
    exchange.misbehave(seed=1, probabilities={"status_503": 1.0}, ops=["submit"])
    assert exchange.order(symbol, "buy", 1)[0] == 503
    assert exchange.ask("GET", "/v2/account")[0] == 200
    exchange.misbehave(script={"question": ["status_500"]})
    assert exchange.ask("GET", "/v2/account")[0] == 500


def test_an_answer_comes_late_or_after_silence_never(exchange, symbol):
    exchange.misbehave(script={"submit": [{"fault": "late_response", "seconds": 0.3}]})
    before = time.monotonic()
    assert exchange.order(symbol, "buy", 1)[0] == 200
    assert time.monotonic() - before >= 0.3
    exchange.misbehave(hang=True, script={"submit": [{"fault": "drop_response", "seconds": 0.3}]})
    before = time.monotonic()
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        exchange.order(symbol, "buy", 1)
    assert time.monotonic() - before >= 0.3
    assert len(orders(exchange, symbol)) == 2


def test_an_accepted_order_is_rejected_by_the_exchange(exchange, symbol):
    exchange.misbehave(script={"submit": ["reject_later"]})
    with exchange.listen() as ear:
        made = exchange.submit(symbol, "buy", 1)
        (told,) = ear.hear(1)
    assert made["status"] == "accepted"
    assert (told["event"], told["order"]["id"]) == ("rejected", made["id"])
    now = exchange.look(made)
    assert (now["status"], bool(now["failed_at"])) == ("rejected", True)


def test_a_cancel_is_pending_and_the_order_may_fill_meanwhile(exchange, symbol):
    exchange.misbehave(script={"cancel": [{"fault": "pending", "seconds": 0.2}] * 2})
    first = exchange.submit(symbol, "buy", 1, "limit", limit_price="95")
    second = exchange.submit(symbol, "buy", 1, "limit", limit_price="90")
    with exchange.listen() as ear:
        for order in (first, second):
            assert exchange.ask("DELETE", f"/v2/orders/{order['id']}")[0] == 204
        assert exchange.look(second)["status"] == "pending_cancel"
        assert exchange.ask("PATCH", f"/v2/orders/{second['id']}", {"qty": "2"})[0] == 422
        exchange.bar(symbol, "94")
        events = [(one["event"], one["order"]["id"]) for one in ear.hear(4)]
    assert events == [
        ("pending_cancel", first["id"]),
        ("pending_cancel", second["id"]),
        ("fill", first["id"]),
        ("canceled", second["id"]),
    ]


def test_the_clock_can_be_wrong(exchange):
    exchange.misbehave(clock_skew_seconds=90)
    _, clock, headers = exchange.ask("GET", "/v2/clock")
    told = datetime.fromisoformat(clock["timestamp"]).timestamp()
    assert told == exchange.ts / 1e9 + 90
    date = datetime.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert date.timestamp() - time.time() == pytest.approx(90, abs=5)


@pytest.mark.parametrize(
    "plan",
    [
        {"unknown": 1},
        {"stream": {"drop": 2}},
        {"stream": {"unknown": 1}},
        {"stream": 1},
        {"probabilities": {"status_418": 1}},
        {"clock_skew_seconds": "much"},
        {"script": {"submit": ["unknown"]}},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_and_the_old_one_stays(exchange, plan):
    exchange.misbehave(script={"question": ["status_500"]})
    with pytest.raises(AssertionError, match="bad_request"):
        exchange.misbehave(**plan)
    assert exchange.ask("GET", "/v2/account")[0] == 500
