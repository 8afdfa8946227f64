"""A live session opens nothing unless a person allowed it, for this account and configuration."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tradingd.gate.arming import Arming
from tradingd.kits.failure import ExitCode, Failure

MINUTE = 60 * 10**9


class Desk:
    """An arming with a clock and a disk of its own."""

    def __init__(self, *, live: bool = True, account: str = "LIVE-1", config: str = "c1") -> None:
        self.now = 1_000 * MINUTE
        self.disk: list[str] = []
        self.slow: Callable[[], Awaitable[None]] | None = None
        self.arming = Arming(
            live=live,
            account=account,
            config_hash=config,
            longest_minutes=600,
            wall=lambda: self.now,
            save=self._save,
        )

    def _save(self, text: str) -> Awaitable[None]:
        # Queued at once, as the journal does; on disk when awaited.
        self.disk.append(text)
        return asyncio.ensure_future(self._written()) if _looping() else _Nothing()

    async def _written(self) -> None:
        if self.slow is not None:
            await self.slow()

    def arm(self, account: str = "LIVE-1", minutes: int = 60) -> None:
        async def do() -> None:
            await self.arming.arm(account=account, minutes=minutes, author="anna", reason="open")

        asyncio.run(do())


class _Nothing:
    def __await__(self):  # type: ignore[no-untyped-def]
        yield from ()


def _looping() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_paper_needs_no_arming_and_cannot_be_armed() -> None:
    desk = Desk(live=False)
    assert desk.arming.refusal() is None
    assert not desk.arming.armed
    with pytest.raises(Failure, match="only a live instance") as caught:
        desk.arm()
    assert caught.value.code is ExitCode.NOT_ARMED
    assert desk.disk == []


def test_a_live_session_starts_unarmed() -> None:
    desk = Desk()
    assert "NOT ARMED" in (desk.arming.refusal() or "")
    assert desk.arming.expires == 0


def test_it_is_armed_until_the_expiry_and_not_a_nanosecond_longer() -> None:
    desk = Desk()
    desk.arm(minutes=60)
    assert desk.arming.refusal() is None
    desk.now += 60 * MINUTE - 1
    assert desk.arming.armed
    desk.now += 1
    assert not desk.arming.armed
    assert "over" in (desk.arming.refusal() or "")


def test_a_clock_that_is_set_back_ends_it() -> None:
    desk = Desk()
    desk.arm()
    desk.now -= 1
    assert "clock" in (desk.arming.refusal() or "")


@pytest.mark.parametrize(
    ("account", "minutes", "word"),
    [("LIVE-2", 60, "account"), ("", 60, "account"), ("LIVE-1", 601, "600"), ("LIVE-1", 0, "1 to")],
)
def test_another_account_or_too_long_is_refused_and_nothing_is_written(
    account: str, minutes: int, word: str
) -> None:
    desk = Desk()
    with pytest.raises(Failure) as caught:
        desk.arm(account, minutes)
    assert caught.value.code is ExitCode.NOT_ARMED
    assert word in caught.value.line()
    assert desk.disk == []
    assert not desk.arming.armed


def test_it_takes_effect_only_once_it_is_on_disk() -> None:
    desk = Desk()
    seen: list[bool] = []

    async def look() -> None:
        await asyncio.sleep(0)
        seen.append(desk.arming.armed)

    desk.slow = look
    desk.arm()
    assert seen == [False]
    assert desk.arming.armed


def test_a_disk_that_fails_arms_nothing() -> None:
    desk = Desk()

    async def fail() -> None:
        raise OSError("the disk is full")

    desk.slow = fail
    with pytest.raises(OSError, match="full"):
        desk.arm()
    assert not desk.arming.armed


def test_a_disarm_while_it_is_being_written_wins_here_and_on_disk() -> None:
    desk = Desk()

    async def disarm() -> None:
        desk.slow = None
        desk.arming.disarm("somebody changed their mind")

    desk.slow = disarm
    with pytest.raises(Failure, match="disarmed while"):
        desk.arm()
    assert not desk.arming.armed
    assert desk.disk[-1] == ""


def test_a_reload_while_it_is_being_written_wins() -> None:
    desk = Desk()

    async def reload() -> None:
        desk.slow = None
        desk.arming.config_changed("c2")

    desk.slow = reload
    with pytest.raises(Failure, match="disarmed while"):
        desk.arm()
    assert not desk.arming.armed


def test_disarm_is_immediate_and_kept() -> None:
    desk = Desk()
    desk.arm()
    desk.arming.disarm("lunch")
    assert "lunch" in (desk.arming.refusal() or "")
    assert desk.disk[-1] == ""


def test_another_configuration_disarms_and_the_same_one_does_not() -> None:
    desk = Desk()
    desk.arm()
    assert desk.arming.config_changed("c1") is False
    assert desk.arming.armed
    assert desk.arming.config_changed("c2") is True
    assert "configuration" in (desk.arming.refusal() or "")
    assert desk.disk[-1] == ""
    assert desk.arming.config_changed("c1") is False
    assert not desk.arming.armed, "the old configuration does not bring the old token back"


def test_a_restart_goes_on_armed_for_what_is_left() -> None:
    before, after = Desk(), Desk()
    before.arm(minutes=60)
    after.now += 30 * MINUTE
    after.arming.restore(before.disk[-1])
    assert after.arming.armed
    assert after.arming.expires == before.arming.expires


@pytest.mark.parametrize(
    ("after", "later", "word"),
    [
        (Desk(account="LIVE-2"), 0, "account"),
        (Desk(config="c2"), 0, "configuration"),
        (Desk(), 60, "over"),
        (Desk(), -1, "clock"),
    ],
    ids=["account", "configuration", "expired", "clock"],
)
def test_a_restart_with_something_else_is_unarmed_for_good(
    after: Desk, later: int, word: str
) -> None:
    before = Desk()
    before.arm(minutes=60)
    after.now += later * MINUTE
    after.arming.restore(before.disk[-1])
    assert not after.arming.armed
    assert word in (after.arming.refusal() or "")
    assert after.disk[-1] == ""


@pytest.mark.parametrize("saved", ["", "{}", "no json", '{"account":"LIVE-1"}'])
def test_what_cannot_be_read_is_not_armed(saved: str) -> None:
    desk = Desk()
    desk.arming.restore(saved)
    assert not desk.arming.armed


def test_paper_takes_no_token_from_disk() -> None:
    before, after = Desk(), Desk(live=False)
    before.arm()
    after.arming.restore(before.disk[-1])
    assert not after.arming.armed


def test_an_end_by_time_is_told_once() -> None:
    desk = Desk()
    desk.arm(minutes=1)
    assert desk.arming.ended() == ""
    desk.now += MINUTE
    assert "over" in desk.arming.ended()
    assert desk.arming.ended() == ""
    assert "over" in (desk.arming.refusal() or "")
