"""What the process does on its socket: replies, events, faults, and messages that are no good."""

import json
import time

import pytest

from tests.integration.simbroker.sim_kit import OPEN, Wire, wait_for


def there(wire, name):
    return wire.ask("order", client_order_id=name)["orders"]


def test_a_command_is_answered_before_its_events_and_a_bar_after_its_fills(wire):
    wire.bar(1, "100")
    wire.ask("subscribe")
    wire.submit("a", "BUY", 10, "LIMIT", limit="99")
    assert wire.events == []
    wire.bar(2, "99")
    assert [event["event"] for event in wire.events] == ["order", "fill", "order"]


def test_only_subscribers_hear_events_and_all_of_them_do(process, wire):
    with Wire(process.socket) as other, Wire(process.socket) as silent:
        wire.ask("subscribe")
        other.ask("subscribe")
        silent.submit("a", "BUY", 10, "LIMIT", limit="99")
        wire.until_event(1)
        other.until_event(1)
        assert wire.events == other.events
        silent.ask("ping")
        assert silent.events == []


@pytest.mark.parametrize(
    "line",
    [b"", b"nonsense", b"[]", b"5", b'{"id": 1}', b'{"op": 7}', b"\xff\xfe", b'{"op": "submit"}',
     b'{"op":"subscribe","from":"now"}', b'{"op":"misbehave","plan":5}'],
    ids=repr,
)  # fmt: skip
def test_what_is_no_request_is_answered_as_such_and_harms_nobody(wire, line):
    wire.raw(line + b"\n")
    reply = wire.line()
    assert (reply["ok"], reply["code"]) == (False, "bad_request")
    assert wire.ask("ping")["ok"]


def test_a_line_beyond_the_limit_ends_the_connection_and_no_other(process, wire):
    with Wire(process.socket) as rude:
        try:
            rude.raw(b"x" * (17 * 1024 * 1024) + b"\n")
            said = rude.line()
        except (BrokenPipeError, ConnectionResetError):
            said = None
        assert said is None
    assert wire.ask("ping")["ok"]


def test_a_delayed_message_is_processed_even_when_its_sender_has_gone(process, wire):
    wire.ask("misbehave", plan={"script": {"submit": [{"fault": "delay", "seconds": 0.3}]}})
    with Wire(process.socket) as gone:
        gone.send("submit", **gone.order("a", "BUY", 1, "LIMIT", limit="50"))
        wait_for(lambda: wire.ask("ping")["ok"])
    assert there(wire, "a") == []
    wait_for(lambda: there(wire, "a"))


def test_a_delayed_message_is_overtaken_by_later_ones(wire):
    wire.ask("misbehave", plan={"script": {"submit": [{"fault": "delay", "seconds": 0.1}]}})
    first = wire.send("submit", **wire.order("slow", "BUY", 1, "LIMIT", limit="50"))
    assert wire.submit("fast", "BUY", 1, "LIMIT", limit="50")["broker_order_id"].endswith("O1")
    assert wire.reply(first)["broker_order_id"].endswith("O2")


@pytest.mark.parametrize(
    ("fault", "arrives", "survives"),
    [
        ("drop_request", False, True),
        ("drop_response", True, True),
        ("disconnect_before", False, False),
        ("disconnect_after", True, False),
    ],
)
def test_a_message_without_an_answer_has_arrived_or_not(process, wire, fault, arrives, survives):
    wire.ask("misbehave", plan={"script": {"submit": [fault]}})
    with Wire(process.socket) as other:
        lost = other.send("submit", **other.order("a", "BUY", 1, "LIMIT", limit="50"))
        if survives:
            assert other.ask("ping")["ok"], "the next request is answered, this one never"
        else:
            assert other.reply(lost) is None
    assert bool(there(wire, "a")) is arrives


def test_a_late_answer_comes_after_the_order_works(wire):
    wire.ask("misbehave", plan={"script": {"submit": [{"fault": "late_response", "seconds": 0.2}]}})
    begun = time.monotonic()
    late = wire.send("submit", **wire.order("a", "BUY", 1, "LIMIT", limit="50"))
    assert there(wire, "a")[0]["status"] == "WORKING"
    assert wire.reply(late)["outcome"] == "accepted"
    assert time.monotonic() - begun >= 0.2


def test_nobody_can_connect_for_a_while_after_a_disconnect(process, wire):
    plan = {"script": {"cancel": [{"fault": "disconnect_before", "refuse": 0.3}]}}
    wire.ask("misbehave", plan=plan)
    with Wire(process.socket) as other:
        other.reply(other.send("cancel", client_order_id="x"))
    assert not process.answers()
    assert wire.ask("ping")["ok"], "connections that are there stay"
    wait_for(process.answers)


def test_disconnect_now_breaks_every_connection_after_its_reply(process, wire):
    assert wire.ask("misbehave", plan={"disconnect_now": True, "refuse_seconds": 0.2})["ok"]
    assert wire.line() is None
    wait_for(process.answers)


def test_events_are_repeated_reordered_and_lost_but_can_be_had_in_order(wire):
    odds = {"duplicate": 0.3, "reorder": 0.4, "lose": 0.2}
    wire.ask("misbehave", plan={"seed": 5, "probabilities": odds})
    wire.ask("subscribe")
    for number in range(40):
        wire.submit(f"a{number}", "BUY", 1, "LIMIT", limit="50")
    wire.ask("reset_faults")
    wire.submit("last", "BUY", 1, "LIMIT", limit="50")
    wire.until_event(41)
    heard = [event["seq"] for event in wire.events]
    assert len(set(heard)) < 41, "some are lost"
    assert len(set(heard)) < len(heard), "some come twice"
    assert heard != sorted(heard), "some come early"
    wire.events.clear()
    wire.ask("subscribe", **{"from": 1})
    assert [event["seq"] for event in wire.events][-41:] == list(range(1, 42))


def test_an_event_held_back_is_sent_though_nothing_follows(wire):
    wire.ask("misbehave", plan={"probabilities": {"reorder": 1.0}})
    wire.ask("subscribe")
    wire.submit("a", "BUY", 1, "LIMIT", limit="50")
    wire.until_event(1)


def test_the_same_plan_and_messages_meet_the_same_faults(make_process):
    seen = []
    process = make_process()
    for _ in range(2):
        with Wire(process.socket) as wire:
            odds = {"reject": 0.3, "drop_response": 0.3, "partial": 0.3}
            wire.ask("misbehave", plan={"seed": 11, "probabilities": odds})
            sent = [wire.send("submit", **wire.order("x", "BUY", 9, "LIMIT", limit="50"))
                    for _ in range(30)]  # fmt: skip
            end = wire.send("ping")
            outcomes = {}
            while (body := wire.line())["id"] != end:
                outcomes[sent.index(body["id"])] = body["outcome"]
            seen.append(outcomes)
    assert seen[0] == seen[1]
    assert 5 < len(seen[0]) < 30


def test_a_batch_of_many_symbols_is_taken_quickly(wire):
    bars = [[f"S{n}", "100", "101", "99", "100.5", 1000] for n in range(500)]
    wire.ask("market", ts=OPEN, bars=bars)
    begun = time.monotonic()
    for minute in range(1, 11):
        wire.ask("market", ts=OPEN + minute, bars=bars)
    assert (time.monotonic() - begun) / 10 < 0.1


def test_replies_are_json_with_decimal_text(wire):
    wire.bar(1, "100")
    wire.submit("a")
    reply = wire.ask("fills", since=0)
    assert json.loads(json.dumps(reply))["fills"][0]["price"] == "100.01"
