"""The page of a report: everything is there or says why not, and nothing in it is markup."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import plotly.offline
import pytest
from scipy.stats import binomtest

from tests.unit.microstructure.random_books import ListSource, random_books
from tradingd.kits.plotpage.words import percent
from tradingd.microstructure import page
from tradingd.microstructure.page.document import page as html
from tradingd.microstructure.page.pieces import local_time
from tradingd.microstructure.page.queue import interval
from tradingd.microstructure.page.volume import MOST_BARS, grouped
from tradingd.microstructure.profile import PriceVolume
from tradingd.microstructure.report import DepthReport, analyse

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)> & co'
OF_TRADES = {"resilience", "costs", "effective", "profile", "volume", "vpin"}
OF_BOOKS = {
    "prices",
    "scatter-1",
    "scatter-10",
    "levels",
    "ahead",
    "season",
    "spread",
    "spreads",
    "depth",
    "depths",
    "queue",
    "microprice",
}


class Page(HTMLParser):
    """Collects elements, the text of scripts, and the text a person reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.scripts[0])["figures"]
        return found

    @property
    def places(self) -> set[str | None]:
        return {attrs.get("id") for _, attrs in self.tags if "plot" in (attrs.get("class") or "")}


def report(rows: int = 900, *, trades: bool = True, tidy: bool = True) -> DepthReport:
    book, among = random_books(7, rows, tidy=tidy)
    return analyse(ListSource(book, among if trades else None), horizons_s=(1, 10))


@pytest.fixture(scope="module")
def whole() -> DepthReport:
    return report()


def test_every_measure_has_its_plot_and_every_plot_its_place(whole: DepthReport) -> None:
    shown = Page(html(whole))
    assert set(shown.figures) == OF_BOOKS | OF_TRADES
    assert set(shown.figures) <= shown.places
    assert "Kyle's lambda" in shown.words


def test_without_trades_every_measure_of_trades_says_why() -> None:
    shown = Page(html(report(trades=False)))
    assert set(shown.figures) == OF_BOOKS
    for title in (
        "The book after trades",
        "What trades cost",
        "Kyle's lambda",
        "Effective spread by half hour",
        "Volume profile",
        "Volume by half hour",
        "VPIN",
    ):
        assert f"{title}Not told: the source has no trades." in shown.words, title
    assert "the source has none" in shown.words


@pytest.mark.parametrize(("rows", "boxes"), [(1, 14), (2, 3), (25, 0)])
def test_a_file_of_few_states_has_a_page_with_reasons(rows: int, boxes: int) -> None:
    shown = Page(html(report(rows)))
    assert shown.words.count("Not told:") >= boxes
    assert "20 are the least" in shown.words
    assert "None" not in shown.words
    assert "nan" not in re.sub("[a-z]nan|nan[a-z]", "", shown.words)


def test_a_book_that_was_never_usable_has_a_page() -> None:
    book, _ = random_books(1, 50)
    crossed = msgspec.structs.replace(book, ask_px=book.bid_px, bid_px=book.ask_px)
    empty = analyse(ListSource(crossed, None), horizons_s=(1,))
    shown = Page(html(empty))
    assert "crossed: bid above ask" in shown.words
    assert f"{empty.counts.crossed:,}" in shown.words


def test_what_a_file_says_of_itself_is_never_markup(whole: DepthReport) -> None:
    source = msgspec.structs.replace(
        whole.source, label=EVIL, symbol=EVIL, day=EVIL, facts={EVIL: EVIL, "deep": [EVIL]}
    )
    told = msgspec.structs.replace(
        whole,
        source=source,
        definitions=dict.fromkeys(whole.definitions, EVIL),
        kyle=msgspec.structs.replace(whole.kyle, horizons=(), reason=EVIL),
        vpin=msgspec.structs.replace(
            whole.vpin, bulk=msgspec.structs.replace(whole.vpin.bulk, reason=EVIL)
        ),
        cost=msgspec.structs.replace(
            whole.cost,
            by_half_hour=tuple(
                msgspec.structs.replace(one, half_hour=EVIL) for one in whole.cost.by_half_hour
            ),
        ),
    )
    text = html(told)
    shown, clean = Page(text), Page(html(whole))
    assert len(shown.scripts) == len(clean.scripts) == 3  # the data, plotly, ours
    assert [tag for tag, _ in shown.tags if tag in ("img", "script")] == ["script"] * 3
    assert not [attrs for _, attrs in shown.tags if "onerror" in attrs]
    assert "<script>alert" not in text
    assert EVIL in shown.words
    # plotly reads tags in the names of categories, so those are escaped once more
    [hour] = {x for trace in shown.figures["effective"]["data"] for x in trace["x"]}
    assert "<" not in hour


def test_the_page_asks_for_nothing_from_anywhere(whole: DepthReport) -> None:
    text = html(whole)
    shown = Page(text)
    assert not [attrs for _, attrs in shown.tags if {"src", "href", "action"} & set(attrs)]
    [policy] = [attrs["content"] for tag, attrs in shown.tags if attrs.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy.partition("script-src")[2]
    ours = text.replace(plotly.offline.get_plotlyjs(), "")
    assert len(ours) < 1_000_000
    assert "//" not in re.sub(r"^\s*//.*$", "", ours, flags=re.MULTILINE)


def test_equal_reports_make_equal_bytes_and_replace_what_was_there(
    whole: DepthReport, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    page.write(whole, path)
    first = path.read_bytes()
    again = msgspec.json.decode(msgspec.json.encode(whole), type=DepthReport)
    page.write(again, path)
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_series_differ_without_colour(whole: DepthReport) -> None:
    figures = Page(html(whole)).figures
    for name in ("levels", "microprice", "resilience", "effective"):
        styles = {
            (trace["line"]["dash"], trace["marker"]["symbol"]) for trace in figures[name]["data"]
        }
        assert len(styles) == len(figures[name]["data"]), name
    for name in ("costs", "ahead"):
        hatches = {trace["marker"]["pattern"]["shape"] for trace in figures[name]["data"]}
        assert len(hatches) == len(figures[name]["data"]), name


def test_every_plot_has_words_and_every_axis_a_title(whole: DepthReport) -> None:
    shown = Page(html(whole))
    labels = [attrs["aria-label"] for tag, attrs in shown.tags if tag == "figure"]
    assert len(labels) == len(shown.figures)
    assert all(label and len(label) > 10 for label in labels)
    for name, figure in shown.figures.items():
        axes = {key: axis for key, axis in figure["layout"].items() if re.match("[xy]axis", key)}
        titled = {key for key, axis in axes.items() if "title" in axis}
        assert titled == set(axes) or name == "costs", name


def test_the_line_of_a_scatter_is_the_fit(whole: DepthReport) -> None:
    one = whole.impact.horizons[0]
    points, line = Page(html(whole)).figures["scatter-1"]["data"]
    assert line["x"] == [min(one.scatter.x), max(one.scatter.x)]
    assert one.contemporaneous.intercept is not None
    expected = [
        one.contemporaneous.intercept + one.contemporaneous.slopes[0] * x for x in line["x"]
    ]
    assert line["y"] == pytest.approx(expected, abs=1e-5)
    assert len(points["x"]) == len(one.scatter.x)


def test_times_are_new_yorks_in_winter_and_summer() -> None:
    assert local_time(1_743_687_000) == "2025-04-03 09:30:00"
    assert local_time(1_735_914_600) == "2025-01-03 09:30:00"


def test_prices_far_apart_are_put_together_and_no_share_is_lost() -> None:
    rng = np.random.default_rng(1)
    cents = np.unique(rng.integers(100, 5_000, 700))
    volumes = [PriceVolume(price=int(cent) / 100, shares=int(cent)) for cent in cents]
    step, shares = grouped(volumes, 1)
    assert len(shares) <= MOST_BARS + 1
    assert sum(shares.values()) == sum(one.shares for one in volumes)
    assert all(cent % step == 0 for cent in shares)


def test_a_share_of_few_periods_is_never_sure() -> None:
    low, high = interval(0.0, 2)
    assert low == pytest.approx(0, abs=1e-9)
    assert high == pytest.approx(0.6576, abs=1e-3)
    wilson = binomtest(50, 100).proportion_ci(method="wilson")
    assert interval(0.5, 100) == pytest.approx((wilson.low, wilson.high), abs=1e-4)


def test_small_shares_are_not_rounded_to_nothing() -> None:
    assert percent(1, 1_000_000) == "< 0.01 %"
    assert percent(0, 10) == "0 %"
    assert percent(1, 0) == "0 %"
    assert percent(1, 4) == "25.00 %"
