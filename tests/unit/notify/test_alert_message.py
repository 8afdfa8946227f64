import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.domain.alerts import Severity
from tradingd.notify.message import Message, compose, cut, cut_title, of_instance

NOW = 1_700_000_000_000_000_000


def message(body: str, next_step: str = "look", created: int = NOW) -> Message:
    return Message(
        id="1", key="k", severity=Severity.PAGE, title="t", body=body, next_step=next_step,
        routes=("env:A",), created=created, durable=True,
    )  # fmt: skip


def test_a_short_text_is_not_cut() -> None:
    assert cut("abc", 3) == "abc"


@given(st.text(min_size=1, max_size=400), st.integers(1, 300))
def test_a_cut_text_fits_and_a_cut_shows(text: str, most: int) -> None:
    result = cut(text, most)
    assert len(result) <= most
    assert result == text or "cut" in result or result.endswith("…")


@given(st.text(max_size=3_000), st.text(max_size=300), st.integers(50, 2_000))
def test_a_body_fits_and_ends_with_the_next_step(body: str, step: str, longest: int) -> None:
    composed = compose(message(body, step), longest=longest, now=NOW)
    assert len(composed) <= longest
    if step.strip() and len(step) + 10 < longest // 2:
        assert composed.endswith(f"Next: {step}".strip())


def test_a_message_that_waited_says_from_when_it_is() -> None:
    late = compose(message("gone"), longest=2_000, now=NOW + 600 * 10**9)
    assert late.startswith("Delayed: this is from 2023-11-14 22:13:20 UTC.\n")
    assert "Delayed" not in compose(message("gone"), longest=2_000, now=NOW + 10**9)


@pytest.mark.parametrize(
    ("text", "most", "shown"), [("a\nb\tc", 10, "a b c"), ("abcdef", 4, "abc…"), ("", 4, "")]
)
def test_a_title_is_one_line_that_fits(text: str, most: int, shown: str) -> None:
    assert cut_title(text, most) == shown


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tradingctl health", "tradingctl -i desk health"),
        (
            "tradingctl health; tradingctl resume when it is gone",
            "tradingctl -i desk health; tradingctl -i desk resume when it is gone",
        ),
        ("tradingctl health --instance desk", "tradingctl health --instance desk"),
        ("free some space", "free some space"),
    ],
)
def test_a_command_in_a_message_asks_the_instance_it_is_about(text: str, named: str) -> None:
    assert of_instance(text, "desk") == named
