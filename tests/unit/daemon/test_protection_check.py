"""A position without its stop is no quiet matter."""

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.checks.protection import ProtectionCheck
from tradingd.domain.health import Grade


class _World:
    def __init__(self) -> None:
        self.now = 100.0
        self.unprotected: list[str] = []
        self.strays: list[str] = []
        self.check = ProtectionCheck(
            lambda: self.unprotected,
            lambda: self.strays,
            lambda: SupervisionConfig(command_seconds=5),
            lambda: self.now,
        )


def test_a_missing_stop_fails_once_an_answer_is_overdue_and_not_before() -> None:
    world = _World()
    assert world.check.look().grade is Grade.OK
    world.unprotected = ["SPY"]
    world.check.look()
    world.now += 5.0
    assert world.check.look().grade is Grade.OK
    world.now += 0.1
    found = world.check.look()
    assert found.grade is Grade.FAILED
    assert "SPY without its stop" in found.value


def test_a_stop_that_came_back_starts_a_new_count() -> None:
    world = _World()
    world.unprotected = ["SPY"]
    world.check.look()
    world.now += 4
    world.unprotected = []
    assert world.check.look().grade is Grade.OK
    world.unprotected = ["SPY"]
    world.check.look()
    world.now += 4
    assert world.check.look().grade is Grade.OK


def test_shares_that_nobody_meant_to_hold_fail_as_well() -> None:
    world = _World()
    world.strays = ["IBM"]
    world.check.look()
    world.now += 6
    found = world.check.look()
    assert found.grade is Grade.FAILED
    assert "IBM held by accident" in found.value
