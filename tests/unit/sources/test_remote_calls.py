import pytest

from tradingd.sources.remote.calls import FIRST_WAIT, LONGEST_WAIT, Calls
from tradingd.sources.remote.trouble import Kind, Trouble, of_status


class Wall:
    """Monotonic seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def calls(wall: Wall, *, per_minute: int = 1_000, tries: int = 5, chance: float = 0.0) -> Calls:
    return Calls(
        per_minute=per_minute,
        tries=tries,
        clock=wall.clock,
        sleep=wall.sleep,
        chance=lambda: chance,
    )


class Failing:
    """Raises its troubles one after another, then answers."""

    def __init__(self, *troubles: Trouble) -> None:
        self.troubles = list(troubles)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return "answer"


def down(**fields: float) -> Trouble:
    return Trouble(Kind.DOWN, "no", **fields)  # type: ignore[arg-type]


def test_waits_double_up_to_the_longest_and_never_sink_below_half() -> None:
    wall, call = Wall(), Failing(*[down() for _ in range(11)])
    assert calls(wall, tries=12).run(call) == "answer"
    assert wall.slept == [min(LONGEST_WAIT, FIRST_WAIT * 2**step) / 2 for step in range(11)]


def test_the_spread_reaches_the_whole_wait() -> None:
    wall = Wall()
    calls(wall, chance=1.0).run(Failing(down()))
    assert wall.slept == [FIRST_WAIT]


def test_a_vendor_that_says_how_long_is_believed_within_reason() -> None:
    wall = Wall()
    calls(wall).run(Failing(down(wait=20.0), down(wait=86_400.0)))
    assert wall.slept == [20.0, 300.0]


def test_what_another_try_cannot_help_is_raised_at_once() -> None:
    wall, call = Wall(), Failing(Trouble(Kind.KEY, "no"))
    with pytest.raises(Trouble, match="key"):
        calls(wall).run(call)
    assert (call.asked, wall.slept) == (1, [])


def test_the_last_trouble_is_raised_after_the_tries() -> None:
    call = Failing(down(), down(), Trouble(Kind.BUSY, "the last"))
    with pytest.raises(Trouble, match="the last"):
        calls(Wall(), tries=3).run(call)
    assert call.asked == 3


def test_no_sixty_seconds_hold_more_requests_than_allowed() -> None:
    wall, asked = Wall(), []
    door = calls(wall, per_minute=3)
    for _ in range(10):
        door.run(lambda: asked.append(wall.now))
    assert asked == [0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 120.0, 120.0, 120.0, 180.0]


def test_tries_count_as_requests() -> None:
    wall, call = Wall(), Failing(down(), down())
    calls(wall, per_minute=2).run(call)
    assert wall.now >= 60.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Kind.REFUSED),
        (400, Kind.REFUSED),
        (401, Kind.KEY),
        (403, Kind.KEY),
        (404, Kind.UNKNOWN),
        (408, Kind.DOWN),
        (422, Kind.REFUSED),
        (429, Kind.BUSY),
        (500, Kind.DOWN),
        (504, Kind.DOWN),
    ],
)
def test_every_status_has_a_meaning(status: int, kind: Kind) -> None:
    trouble = of_status(status, "text", "7")
    assert trouble is not None
    assert (trouble.kind, trouble.again) == (kind, kind in (Kind.DOWN, Kind.BUSY))
    assert trouble.wait == (7.0 if trouble.again else 0.0)


def test_success_is_no_trouble() -> None:
    assert of_status(200, "") is None


@pytest.mark.parametrize("text", ["Wed, 21 Oct 2026 07:28:00 GMT", "", None, "-5"])
def test_a_retry_after_that_is_no_number_of_seconds_counts_as_unsaid(text: str | None) -> None:
    trouble = of_status(429, "", text)
    assert trouble is not None
    assert trouble.wait == 0.0
