"""Guarded tasks: faults are reported once, a stop is bounded and names who does not end."""

import asyncio

from tradingd.kits.tasks import Fault, TaskEnded, Tasks


async def forever() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    await asyncio.sleep(0)


async def breaks() -> None:
    raise ZeroDivisionError("broken")


async def settled(tasks: Tasks, count: int) -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(tasks.faults) == count


def test_an_eternal_task_that_ends_is_a_fault() -> None:
    async def scene() -> list[Fault]:
        heard: list[Fault] = []
        tasks = Tasks(heard.append)
        tasks.spawn("reader", ends())
        await settled(tasks, 1)
        return heard

    (fault,) = asyncio.run(scene())
    assert fault.task == "reader"
    assert isinstance(fault.error, TaskEnded)


def test_an_eternal_task_that_somebody_cancels_is_a_fault() -> None:
    async def scene() -> list[Fault]:
        heard: list[Fault] = []
        tasks = Tasks(heard.append)
        tasks.spawn("reader", forever()).cancel()
        await settled(tasks, 1)
        return heard

    (fault,) = asyncio.run(scene())
    assert isinstance(fault.error, TaskEnded)


def test_only_the_first_fault_is_reported_and_all_are_kept() -> None:
    async def scene() -> tuple[list[Fault], list[Fault]]:
        heard: list[Fault] = []
        tasks = Tasks(heard.append)
        tasks.spawn("first", breaks())
        await settled(tasks, 1)
        tasks.spawn("second", ends())
        await settled(tasks, 2)
        return heard, tasks.faults

    heard, kept = asyncio.run(scene())
    assert [fault.task for fault in heard] == ["first"]
    assert isinstance(heard[0].error, ZeroDivisionError)
    assert [fault.task for fault in kept] == ["first", "second"]


def test_a_passing_task_may_end_but_not_raise() -> None:
    async def scene() -> list[Fault]:
        tasks = Tasks()
        await tasks.spawn("once", ends(), eternal=False)
        await asyncio.sleep(0)
        assert tasks.faults == []
        tasks.spawn("bad", breaks(), eternal=False)
        await settled(tasks, 1)
        return tasks.faults

    assert [fault.task for fault in asyncio.run(scene())] == ["bad"]


def test_serving_ends_with_the_first_fault_and_stops_the_others() -> None:
    async def scene() -> None:
        tasks = Tasks()
        other = tasks.spawn("other", forever())
        tasks.spawn("bad", breaks())
        stopped = await asyncio.wait_for(tasks.serve(asyncio.Event(), grace=1), 30)
        assert other.cancelled()
        assert stopped.survivors == ()
        assert tasks.names == ()

    asyncio.run(scene())


def test_serving_ends_when_it_is_asked_to() -> None:
    async def scene() -> None:
        tasks, stop = Tasks(), asyncio.Event()
        tasks.spawn("other", forever())
        stop.set()
        stopped = await asyncio.wait_for(tasks.serve(stop, grace=1), 30)
        assert stopped == type(stopped)(survivors=(), errors=())
        assert tasks.faults == []

    asyncio.run(scene())


def test_a_task_that_does_not_end_is_named_and_not_waited_for() -> None:
    async def scene() -> tuple[str, ...]:
        release = asyncio.Event()

        async def stubborn() -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        tasks = Tasks()
        stuck = tasks.spawn("stubborn", stubborn())
        tasks.spawn("good", forever())
        await asyncio.sleep(0)
        stopped = await asyncio.wait_for(tasks.stop(grace=0.05), 30)
        release.set()
        await stuck
        return stopped.survivors

    assert asyncio.run(scene()) == ("stubborn",)


def test_an_error_while_stopping_is_kept_and_is_no_new_fault_to_report() -> None:
    async def scene() -> None:
        heard: list[Fault] = []

        async def breaks_at_the_end() -> None:
            try:
                await forever()
            finally:
                raise ValueError("at the end")

        tasks = Tasks(heard.append)
        tasks.spawn("bad end", breaks_at_the_end())
        await asyncio.sleep(0)
        stopped = await tasks.stop(grace=1)
        assert [error.task for error in stopped.errors] == ["bad end"]
        assert heard == []

    asyncio.run(scene())


def test_a_stop_from_inside_a_task_does_not_cancel_that_task() -> None:
    async def scene() -> str:
        tasks = Tasks()
        tasks.spawn("other", forever())

        async def stopper() -> str:
            await tasks.stop(grace=1)
            return "finished"

        return await asyncio.wait_for(tasks.spawn("stopper", stopper(), eternal=False), 30)

    assert asyncio.run(scene()) == "finished"
