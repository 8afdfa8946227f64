import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.results.result_rows import (
    bars,
    denial,
    equity,
    fill,
    manifest,
    order,
    position,
    record,
)
from tradingd.domain.money import nanos
from tradingd.results.finish import finish

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)> & co'


class Page(HTMLParser):
    """Collects elements and the text of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def page(root: Path, *rows: Any, **changes: Any) -> tuple[Page, str]:
    folder = record(root, *rows)
    finish(folder, manifest=manifest(**changes), timing={}, prices=bars)
    text = folder.file("tearsheet.html").read_text()
    parsed = Page()
    parsed.feed(text)
    return parsed, text


def days(count: int) -> list[Any]:
    return [
        equity(f"2014-{1 + day // 28:02d}-{1 + day % 28:02d}", f"{100_000 + 50 * (day % 5)}")
        for day in range(count)
    ]


def test_a_full_run_has_every_plot_and_table(tmp_path: Path) -> None:
    parsed, text = page(
        tmp_path,
        order(),
        fill(),
        fill(side="SELL", purpose="EXIT"),
        position(),
        denial(),
        *days(130),
    )
    ids = {attrs["id"] for _, attrs in parsed.tags if "id" in attrs}
    assert {"equity", "rolling", "exposure", "trades", "distribution", "costs"} <= ids
    figures = msgspec.json.decode(parsed.scripts[0])
    assert set(figures["figures"]) == {"equity", "rolling", "exposure", "distribution", "costs"}
    assert [trace["name"] for trace in figures["trades"]["SPY"]["data"]] == [
        "Price",
        "Long entry",
        "Sell to exit",
    ]
    for words in ("Monthly returns", "Best and worst", "too much SPY", "ibkr_fixed", "c0ffee"):
        assert words in text


def test_a_run_in_which_nothing_happened_still_has_a_page(tmp_path: Path) -> None:
    _, text = page(tmp_path)
    assert text.count("Nothing to show") >= 5


def test_what_a_strategy_or_a_person_wrote_is_never_markup(tmp_path: Path) -> None:
    parsed, text = page(
        tmp_path,
        fill(reason=EVIL, symbol="A<B"),
        position(entry_reason=EVIL, exit_reason=EVIL, symbol="A<B", side=EVIL),
        denial(explanation=EVIL, limit=EVIL),
        *days(3),
        risk_profile=EVIL,
        strategy=EVIL,
        fees=EVIL,
        symbols=(EVIL,),
        packages={EVIL: EVIL},
    )
    assert len(parsed.scripts) == 3  # the data, plotly, ours
    assert not [tag for tag, _ in parsed.tags if tag == "img"]
    assert not [attrs for _, attrs in parsed.tags if "onerror" in attrs]
    assert "<script>alert" not in text
    # plotly reads tags inside hover texts, so those are escaped once more
    figures = msgspec.json.decode(parsed.scripts[0])
    hover = figures["trades"]["A<B"]["data"][1]["text"][0]
    assert "<script" not in hover
    assert "&lt;script&gt;" in hover


def test_the_policy_allows_our_scripts_only_and_no_request(tmp_path: Path) -> None:
    parsed, _ = page(tmp_path, *days(3))
    metas = [attrs for tag, attrs in parsed.tags if tag == "meta"]
    policy = next(attrs["content"] for attrs in metas if "http-equiv" in attrs)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert len(re.findall("'sha256-", policy)) == 2
    script_rule = policy.partition("script-src")[2]
    assert "unsafe" not in script_rule
    loads = [attrs for _, attrs in parsed.tags if "src" in attrs or "href" in attrs]
    assert loads == []


def test_the_page_stays_small_for_a_long_run(tmp_path: Path) -> None:
    symbols = [f"S{index}" for index in range(30)]
    fills = [fill(symbol=symbol, reason="r" * 60) for symbol in symbols for _ in range(700)]
    folder = record(tmp_path, *fills, *days(300))
    finish(folder, manifest=manifest(), timing={}, prices=lambda symbol: bars(symbol, 6_000))
    assert folder.file("tearsheet.html").stat().st_size < 8_000_000


def test_no_trip_is_listed_among_both_the_best_and_the_worst(tmp_path: Path) -> None:
    won, lost = position(entry_reason="won-it"), position(entry_reason="lost-it", realised=-1)
    _, text = page(tmp_path, won, lost, *days(3))
    best, _, worst = text.partition("<caption>Worst")
    assert (best.count("won-it"), best.count("lost-it")) == (1, 0)
    assert (worst.count("won-it"), worst.count("lost-it")) == (0, 1)


@pytest.mark.parametrize("resolution", ["1d", "1m"])
def test_intraday_prices_hide_the_night_and_daily_prices_do_not(
    tmp_path: Path, resolution: str
) -> None:
    parsed, _ = page(tmp_path, fill(price=nanos("200")), *days(3), resolution=resolution)
    figure = msgspec.json.decode(parsed.scripts[0])["trades"]["SPY"]
    patterns = [gap.get("pattern") for gap in figure["layout"]["xaxis"]["rangebreaks"]]
    assert ("hour" in patterns) == (resolution == "1m")


def test_a_run_of_few_sessions_is_drawn_sample_by_sample(tmp_path: Path) -> None:
    samples = [equity("2014-01-02", f"{100_000 - minute}", f"15:{minute:02d}") for minute in (0, 5)]
    parsed, text = page(tmp_path, order(), fill(), *samples)
    figures = msgspec.json.decode(parsed.scripts[0])["figures"]
    (line,) = [one for one in figures["equity"]["data"] if one["name"] == "Equity"]
    assert line["x"] == ["2014-01-02 10:00:00", "2014-01-02 10:05:00"]
    assert line["y"] == [100_000, 99_995]
    assert len(figures["exposure"]["data"][0]["x"]) == 2
    assert "Every sample against the starting cash" in text


def test_a_longer_run_is_drawn_session_by_session(tmp_path: Path) -> None:
    parsed, text = page(tmp_path, order(), fill(), *days(5))
    figures = msgspec.json.decode(parsed.scripts[0])["figures"]
    (line,) = [one for one in figures["equity"]["data"] if one["name"] == "Equity"]
    assert line["x"][0] == "2014-01-01"
    assert "Last sample of each session" in text
