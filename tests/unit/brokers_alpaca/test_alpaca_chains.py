"""Whose an order is, and what a changed order is in all."""

import itertools

import msgspec
import pytest

from tradingd.brokers.alpaca import chain, names
from tradingd.brokers.alpaca.parsing import Link
from tradingd.brokers.alpaca.registry import Registry
from tradingd.domain.broker_reports import BrokerStatus
from tradingd.domain.orders import OrderType, Side

ROOT = "paper-abc1234-000001"
UUID = "904837e3-3b76-47ec-b432-04{:010d}"


def link(number: int, **fields: object) -> Link:
    return msgspec.structs.replace(
        Link(
            id=f"o{number}",
            client_order_id=ROOT if not number else f"{ROOT}~{number}",
            symbol="AAPL",
            side=Side.SELL,
            quantity=100,
            filled=0,
            type=OrderType.LIMIT,
            status="new",
            limit=100,
            submitted=number,
            updated=number,
        ),
        **fields,
    )


def body(order_id: str, **fields: object) -> dict[str, object]:
    return {
        "id": order_id,
        "client_order_id": ROOT,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "100",
        "filled_qty": "0",
        "type": "limit",
        "order_class": "",
        "status": "new",
        "submitted_at": "2026-03-02T15:00:00Z",
        **fields,
    }


def test_names_follow_from_ids_alone() -> None:
    assert names.root(f"{ROOT}~12") == ROOT
    assert names.number(f"{ROOT}~12") == 12
    assert names.number(ROOT) == 0
    assert names.root("a/sl~3") == "a/sl"
    assert names.sent_name("a/sl") == "a"
    assert names.sent_name(ROOT) == ROOT
    assert names.link(ROOT, 2) == f"{ROOT}~2"
    assert names.made_by_alpaca(UUID.format(1))
    assert names.made_by_alpaca("")
    assert not names.made_by_alpaca(ROOT)


def test_a_chain_adds_up_what_filled_and_is_what_its_newest_link_is() -> None:
    links = [
        link(0, status="replaced", filled=30, replaced_by="o1"),
        link(1, status="replaced", filled=20, quantity=70, replaces="o0", replaced_by="o2"),
        link(2, status="partially_filled", filled=5, quantity=40, replaces="o1", limit=105),
    ]
    for mixed in itertools.permutations(links):
        found = chain.order(ROOT, chain.in_order(mixed))
        assert (found.quantity, found.filled) == (90, 55)
        assert (found.broker_order_id, found.limit) == ("o2", 105)
        assert found.status is BrokerStatus.WORKING


@pytest.mark.parametrize(
    ("links", "status", "quantity", "filled"),
    [
        ([link(0)], BrokerStatus.WORKING, 100, 0),
        ([link(0, status="brand_new_status")], BrokerStatus.WORKING, 100, 0),
        ([link(0, status="filled", filled=100)], BrokerStatus.FILLED, 100, 100),
        # Filled before the change came: the change is refused, the order is what it was.
        (
            [link(0, status="filled", filled=100), link(1, status="rejected")],
            BrokerStatus.FILLED,
            100,
            100,
        ),
        ([link(0), link(1, status="rejected")], BrokerStatus.WORKING, 100, 0),
        ([link(0, status="rejected")], BrokerStatus.REJECTED, 100, 0),
        # Replaced, and by what is not known yet: nothing is over.
        ([link(0, status="replaced", filled=10)], BrokerStatus.WORKING, 100, 10),
        (
            [link(0, status="replaced", filled=10), link(1, status="rejected")],
            BrokerStatus.CANCELED,
            100,
            10,
        ),
        (
            [link(0, status="pending_replace", filled=10), link(1, status="pending_new")],
            BrokerStatus.WORKING,
            110,
            10,
        ),
    ],
)
def test_a_chain_in_every_state(
    links: list[Link], status: BrokerStatus, quantity: int, filled: int
) -> None:
    found = chain.order(ROOT, chain.in_order(links))
    assert (found.status, found.quantity, found.filled) == (status, quantity, filled)


def test_the_number_of_the_next_change_is_never_used_twice() -> None:
    assert chain.next_number([]) == 1
    assert chain.next_number([link(0), link(3, status="rejected")]) == 4
    assert chain.next_number([link(0)], used=7) == 8


def test_readings_in_any_order_end_in_the_last_state() -> None:
    states = [
        link(0, status="pending_new"),
        link(0, status="new", updated=1),
        link(0, status="partially_filled", filled=40, updated=2),
        link(0, status="canceled", filled=40, updated=3),
    ]
    for mixed in itertools.permutations(states):
        known = mixed[0]
        for said in mixed[1:]:
            known = chain.later(known, said)
        assert known == states[-1]


def test_a_change_keeps_the_name_of_the_order_and_so_does_one_by_alpaca() -> None:
    registry = Registry()
    registry.learn(body("o0", status="replaced", replaced_by="o1"))
    registry.learn(body("o1", client_order_id=f"{ROOT}~1", replaces="o0"))
    # A corporate action: Alpaca replaces the order by itself, under an id of its own.
    registry.learn(body("o2", client_order_id=UUID.format(2), replaces="o1", status="new"))
    assert registry.name("o2") == ROOT
    assert [one.id for one in registry.links(ROOT)] == ["o0", "o1", "o2"]
    assert registry.next_link(ROOT) == f"{ROOT}~2"
    registry.taken(f"{ROOT}~5")
    assert registry.next_link(ROOT) == f"{ROOT}~6"


def test_a_change_by_alpaca_waits_for_what_it_replaces() -> None:
    registry = Registry()
    registry.learn(body("o2", client_order_id=UUID.format(2), replaces="o1"))
    assert registry.name("o2") is None
    registry.learn(body("o1"))
    assert registry.name("o2") == ROOT


def test_legs_are_named_by_their_parent() -> None:
    registry = Registry()
    target = body("t", client_order_id=UUID.format(1), order_class="bracket", side="sell")
    stop = {**target, "id": "s", "client_order_id": UUID.format(2), "type": "stop"}
    registry.learn(body("p", order_class="bracket", legs=[target, stop]))
    assert (registry.name("t"), registry.name("s")) == (f"{ROOT}/tp", f"{ROOT}/sl")
    assert registry.order("s").parent_order_id == "p"
    changed = body("s1", client_order_id=f"{ROOT}/sl~1", replaces="s", order_class="bracket")
    registry.learn(changed)
    assert registry.name("s1") == f"{ROOT}/sl"
    assert registry.order("s1").parent_order_id == "p"


def test_a_leg_in_the_stream_is_named_by_its_group() -> None:
    registry = Registry()
    registry.learn(body("p", order_class="oco", group_id="g", group_role="take_profit"))
    leg = body("s", client_order_id=UUID.format(1), order_class="oco", type="stop")
    registry.learn({**leg, "group_id": "g", "group_role": "stop_loss"})
    assert registry.name("s") == f"{ROOT}/sl"


def test_a_leg_without_a_known_parent_must_be_asked_for() -> None:
    registry = Registry()
    registry.learn(body("s", client_order_id=UUID.format(1), order_class="bracket"))
    assert registry.name("s") is None
    registry.settle("s")
    assert registry.name("s") == ""
    assert registry.order("s").client_order_id == ""


def test_an_order_of_others_has_no_name() -> None:
    registry = Registry()
    registry.learn(body("x", client_order_id=UUID.format(9)))
    assert registry.name("x") == ""
    assert registry.order("x").client_order_id == ""


def test_a_link_that_was_replaced_since_it_was_read_is_left_behind() -> None:
    links = [link(0, status="replaced"), link(1, replaces="o0"), link(2, replaces="o1")]
    assert chain.left_behind(links) == {"o1"}
    assert chain.left_behind([link(0), link(1, replaces="o0", status="rejected")]) == set()
    assert chain.left_behind([link(0)]) == set()
