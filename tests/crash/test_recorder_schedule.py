"""A recorder that is killed at random moments loses no more than its last flush interval."""

import pytest

from tests.crash.recorder_schedule import run


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_killed_recorder_leaves_what_it_wrote_and_the_next_publishes_it_once(seed):
    assert run(seed).faults == []


@pytest.mark.long
def test_fifty_kill_schedules():
    assert {seed: faults for seed in range(100, 150) if (faults := run(seed).faults)} == {}
