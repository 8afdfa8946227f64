"""Times of day: typed short or long, shown one way, never taken from a number."""

from pathlib import Path

import pytest

from tradingd.config.load import decode, load
from tradingd.kits.failure import ExitCode, Failure


@pytest.mark.parametrize("text", ["9:30", "09:30", "09:30:00", " 09:30 ", "9:30:00"])
@pytest.mark.parametrize("group", ["backfill", "scan"])
def test_a_time_of_day_is_read_short_or_long_and_shown_one_way(group: str, text: str) -> None:
    tree = load().tree
    tree[group]["window_start"] = text
    shown = {
        "backfill": lambda: decode(tree).backfill.window_start,
        "scan": lambda: decode(tree).scan.window_start,
    }[group]()
    assert shown.isoformat() == "09:30:00"


def test_the_command_line_and_a_quoted_line_of_yaml_mean_the_same(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "backfill: {window_end: '11:30'}\nscan: {window_start: 07:00}"
    )
    by_file = load(overlay=tmp_path).tree
    by_word = load(["backfill.window_end=11:30", "scan.window_start=7:00"]).tree
    assert by_file == by_word
    assert by_file["backfill"]["window_end"] == "11:30:00"


@pytest.mark.parametrize("text", ["11:00", "9:30", "11:00:00", "660"])
def test_a_time_that_yaml_made_a_number_is_refused_with_the_reason(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text(f"backfill:\n  window_end: {text}\n")
    with pytest.raises(Failure) as refused:
        load(overlay=tmp_path)
    assert refused.value.code is ExitCode.CONFIG
    assert "site.yaml:2" in refused.value.where
    assert "quote it: window_end: '11:00'" in refused.value.next_step


@pytest.mark.parametrize("text", ["24:00", "9:5", "09:60", "0930", "09:30Z", "930", "9 30"])
def test_what_is_no_time_of_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(Failure) as refused:
        load([f"backfill.window_start='{text}'"])
    assert refused.value.expected == "a time of day (HH:MM or HH:MM:SS)"
    assert refused.value.found.startswith((f'"{text}"', text))


def test_text_that_looks_like_a_time_stays_what_it_is() -> None:
    assert load(["backfill.sheet='9:30'"]).tree["backfill"]["sheet"] == "9:30"
