"""The ring of events and its readers."""

import asyncio
from itertools import pairwise

from tradingd.control.answers import Event
from tradingd.control.events import MISSED, EventHub


async def take(hub: EventHub, after: int, count: int) -> list[Event]:
    events = hub.subscribe(after)
    async with asyncio.timeout(30):
        return [await anext(events) for _ in range(count)]


def filled(count: int, *, capacity: int = 8, first: int = 1) -> EventHub:
    hub = EventHub(capacity=capacity, first=first)
    for number in range(count):
        hub.publish("fill", str(number), wall=number + 1)
    return hub


def test_a_reader_resumes_after_a_number_or_with_the_latest() -> None:
    hub = filled(6)
    assert [one.seq for one in asyncio.run(take(hub, 4, 2))] == [5, 6]
    assert [one.seq for one in asyncio.run(take(hub, -2, 2))] == [5, 6]
    assert [one.seq for one in asyncio.run(take(hub, 0, 6))] == [1, 2, 3, 4, 5, 6]
    assert asyncio.run(take(hub, -100, 1))[0].seq == 1


def test_who_was_overtaken_is_told_how_many_were_missed_and_goes_on() -> None:
    hub = filled(20)
    gap, *rest = asyncio.run(take(hub, 2, 9))
    assert (gap.kind, gap.fields["missed"], gap.seq) == (MISSED, "10", 12)
    assert [one.seq for one in rest] == list(range(13, 21))


def test_who_asks_for_all_that_is_kept_missed_nothing() -> None:
    assert all(one.kind == "fill" for one in asyncio.run(take(filled(20), 0, 8)))


def test_a_reader_from_before_a_restart_is_told_so() -> None:
    hub = filled(3, first=1_000)
    told, *rest = asyncio.run(take(hub, 17, 4))
    assert told.kind == MISSED
    assert "started again" in told.text
    assert [one.seq for one in rest] == [1_000, 1_001, 1_002]


def test_a_publisher_never_waits_for_a_reader_that_holds_an_event() -> None:
    async def main() -> list[Event]:
        hub = filled(1)
        events = hub.subscribe(0)
        got = [await anext(events)]
        for number in range(100):
            hub.publish("fill", str(number), wall=number)
        got += [await anext(events) for _ in range(9)]
        return got

    got = asyncio.run(main())
    assert got[1].kind == MISSED
    assert int(got[1].fields["missed"]) == 92
    assert all(later.seq > one.seq for one, later in pairwise(got))


def test_a_waiting_reader_wakes_for_a_new_event() -> None:
    async def main() -> Event:
        hub = filled(2)
        waiting = asyncio.ensure_future(anext(hub.subscribe(2)))
        await asyncio.sleep(0)
        hub.publish("state", "HALTED", wall=9)
        async with asyncio.timeout(30):
            return await waiting

    assert asyncio.run(main()).text == "HALTED"
