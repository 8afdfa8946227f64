"""Free questions: spaced, repeated, stopped."""

import threading
import time

import pytest

from tradingd.backfill.provider import Retry
from tradingd.backfill.providers.asking import Asking


def asking(*, per_second: float = 10_000, tries: int = 3, first_wait: float = 0.0) -> Asking:
    return Asking(per_second=per_second, tries=tries, first_wait=first_wait, longest_wait=60.0)


def test_a_question_is_repeated_until_it_is_answered() -> None:
    answers = iter([Retry("busy"), Retry("down"), 7])

    def question() -> int:
        found = next(answers)
        if isinstance(found, Retry):
            raise found
        return found

    assert asking().run(question) == 7


def test_the_last_try_tells_why() -> None:
    asked: list[int] = []

    def question() -> int:
        asked.append(1)
        raise Retry(f"try {len(asked)}")

    with pytest.raises(Retry, match="try 3"):
        asking().run(question)


def test_questions_of_all_threads_keep_their_distance() -> None:
    times: list[float] = []
    door = asking(per_second=50)
    threads = [
        threading.Thread(target=door.run, args=(lambda: times.append(time.monotonic()),))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    assert times[-1] - times[0] >= 5 * 0.02 - 0.005


def test_stopping_ends_a_long_wait_at_once() -> None:
    door = asking(first_wait=60.0)
    waiting = threading.Event()
    ended: list[str] = []

    def question() -> None:
        waiting.set()
        raise Retry("down", 60.0)

    def run() -> None:
        try:
            door.run(question)
        except Retry as retry:
            ended.append(retry.reason)

    thread = threading.Thread(target=run)
    thread.start()
    assert waiting.wait(5)
    door.stop()
    thread.join(5)
    assert ended == ["down"]


def test_answers_come_in_the_order_of_the_questions() -> None:
    def question(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0.0)
        return number * number

    assert asking().each(question, range(20), at_once=4) == [one * one for one in range(20)]
    assert asking().each(question, [], at_once=4) == []


def test_the_first_refusal_ends_the_asking_without_the_others() -> None:
    hanging = threading.Event()
    asked: list[int] = []

    def question(number: int) -> int:
        asked.append(number)
        if number == 0:
            hanging.wait(20)
        if number == 1:
            raise ValueError("wrong key")
        time.sleep(0.01)
        return number

    try:
        with pytest.raises(ValueError, match="wrong key"):
            asking().each(question, range(1_000), at_once=2)
    finally:
        hanging.set()
    assert len(asked) < 10
