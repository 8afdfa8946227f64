import pytest

from tradingd.kits.backoff import jittered


@pytest.mark.parametrize(
    ("attempt", "longest"), [(0, 0.5), (1, 1.0), (3, 4.0), (4, 5.0), (10_000, 5.0)]
)
def test_a_wait_doubles_up_to_its_bound_and_is_never_less_than_half(attempt: int, longest: float):
    waits = [jittered(attempt, first=0.5, longest=5.0, chance=lambda c=c: c) for c in (0.0, 0.999)]

    assert waits[0] == longest / 2
    assert longest * 0.99 < waits[1] <= longest


def test_waits_of_two_clients_differ():
    assert len({jittered(3, first=1.0, longest=60.0) for _ in range(10)}) > 1
