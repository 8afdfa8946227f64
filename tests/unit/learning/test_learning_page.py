"""The page of a training: the verdict first, everything there or why not, nothing in it markup."""

import datetime as dt
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import plotly.offline
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.learning.made_report import (
    made_clause,
    made_clauses,
    made_fold,
    made_report,
    undefined_report,
)
from tradingd.learning import page
from tradingd.learning.page.clauses import change, title
from tradingd.learning.page.document import page as html
from tradingd.learning.page.folds import gaps
from tradingd.learning.page.intervals import against_nothing, whisker
from tradingd.learning.page.luck import histogram
from tradingd.learning.page.metrics import METRICS
from tradingd.learning.page.returns import drawdowns
from tradingd.learning.report import Curve, Interval, TrainingReport

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)> & co'
FIGURES = {
    "equity",
    "logits",
    "standing",
    "trials",
    "folds",
    "fold-scores",
    "calibration",
    "gains",
    "shap",
    "drift",
    "regimes",
}
ORDER = (
    "Refused by",
    "Out-of-sample equity",
    "The judge's backtest",
    "What the predictions are worth",
    "Is it luck?",
    "Choosing the best trial",
    "The Sharpe ratio against",
    "Everything that was tried",
    "Folds on a time line",
    "Score in each fold",
    "Folds in numbers",
    "Calibration",
    "Do its numbers mean",
    "What it gains from",
    "What moves its predictions",
    "Drift",
    "Every feature",
    "Leaks",
    "Where it earns",
    "What it learned from",
    "What was left out",
    "Notes",
    "Repeat it",
)


class Page(HTMLParser):
    """Collects elements, titles, the text of scripts, and the text a person reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.titles: list[str] = []
        self.words = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")
        if tag == "h2":
            self.titles.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words += data
        if self._inside == "h2":
            self.titles[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.scripts[0])["figures"]
        return found

    @property
    def places(self) -> set[str | None]:
        return {attrs.get("id") for _, attrs in self.tags if "plot" in (attrs.get("class") or "")}


@pytest.fixture(scope="module")
def whole() -> Page:
    return Page(html(made_report()))


def test_sections_are_in_the_order_a_sceptic_asks(whole: Page) -> None:
    assert len(whole.titles) == len(ORDER)
    for found, expected in zip(whole.titles, ORDER, strict=True):
        assert found.startswith(expected)


def test_every_plot_has_its_place(whole: Page) -> None:
    assert set(whole.figures) == FIGURES
    assert whole.places == FIGURES


def test_a_refused_model_says_so_first_with_what_would_have_to_change(whole: Page) -> None:
    # Two alternatives are one reason: either of them is enough.
    assert whole.titles[0] == "Refused by 3 clauses"
    refused, held = whole.words.index("Refused byFound"), whole.words.index("HoldsFound")
    assert refused < held < whole.words.index("Out-of-sample equity")
    between = whole.words[refused:held]
    assert "Sharpe ratio, a year" in between
    assert "It has to rise by 0.2 and be above 1." in between
    assert "It has to fall by 0.25 and be at most 0.05. An alternative" in between
    assert "metrics.win_rate is missing" in between
    assert "Net return" not in between
    assert "Net return" in whole.words[held:]


def test_an_accepted_model_keeps_its_warnings() -> None:
    held = tuple(msgspec.structs.replace(one, passed=True, either=0) for one in made_clauses())
    shown = Page(html(made_report(passed=True, clauses=held)))
    assert shown.titles[0] == f"Accepted: all {len(held)} clauses hold"
    assert "Refused" not in shown.words
    assert "contains 0: it may earn nothing" in shown.words
    assert "look as if they knew the future: feature_5" in shown.words


def test_without_any_clause_a_model_is_refused() -> None:
    shown = Page(html(made_report(clauses=())))
    assert shown.titles[0] == "Refused"
    assert "no gate was asked" in shown.words


@pytest.mark.parametrize(
    ("clause", "value", "words"),
    [
        ("metrics.sharpe > 1", 0.25, "It has to rise by 0.75 and be above 1."),
        ("metrics.max_drawdown_percent < 10", 12.5, "It has to fall by 2.5% and be below 10."),
        ("metrics.net_return_percent > 0", 0.0, "It has to rise: it stands exactly on its bound."),
        ("metrics.trades > 100", 7, "It has to rise by 93 and be above 100."),
        ("metrics.canary_noticed == 1", 0, "It has to hold: metrics.canary_noticed == 1."),
        ("nothing known", 0, "It has to hold: nothing known."),
    ],
)
def test_what_would_have_to_change_is_a_distance_where_there_is_one(
    clause: str, value: float, words: str
) -> None:
    assert change(made_clause(clause, value, passed=False), made_report()) == words


def test_a_clause_against_the_champion_names_the_champions_value() -> None:
    one = made_clause("metrics.sharpe > champion.sharpe", 0.5, passed=False)
    one = msgspec.structs.replace(one, values={"metrics.sharpe": 0.5, "champion.sharpe": 1.5})
    shown = Page(html(made_report(clauses=(one,))))
    assert "above champion.sharpe, 1.5" in shown.words
    assert change(one, made_report()).startswith("It has to rise by 1 and")
    losing = {"metrics.sharpe": -0.5, "champion.sharpe": 0.0}
    assert "rise by 0.5" in change(msgspec.structs.replace(one, values=losing), made_report())
    assert "champion" in title(made_clause("missing(champion)", None, passed=True))


def test_a_report_with_everything_undefined_says_why_in_each_place() -> None:
    shown = Page(html(undefined_report()))
    assert shown.figures == {}
    for reason in (
        "no gate was asked",
        "the judge's backtest has no day",
        "the judge never traded",
        "no row was predicted out of sample",
        "needs two trials at least",
        "the report has no trial",
        "the walk-forward made no step",
        "the model states no probability",
        "no prediction has an interval",
        "importance: the model's trees have no split",
        "no feature's drift was measured",
        "no search for leaks was made",
        "did not notice its canary",
        "no session was judged",
        "it was not measured",
        "this training was not started by one",
    ):
        assert reason in shown.words, reason
    assert "None" not in shown.words
    assert not re.search(r"\bnan\b|\binf\b", shown.words)


def test_what_is_not_known_is_never_a_number() -> None:
    shown = Page(html(undefined_report()))
    [cards] = re.findall(r"Sharpe ratio, a year(.*?)Net return", shown.words.split("Rule")[-1])[:1]
    assert cards.startswith("-the judge never traded")
    some = made_report()
    unknown = msgspec.structs.replace(some.overfitting, expected_maximum_sharpe=None)
    figure = Page(html(msgspec.structs.replace(some, overfitting=unknown))).figures["standing"]
    assert [trace["x"] for trace in figure["data"]][1] == []
    assert [one["text"] for one in figure["layout"]["annotations"]] == ["not told"]
    assert figure["layout"]["shapes"] == []


def test_nothing_in_a_report_is_markup() -> None:
    def hostile(node: Any) -> Any:
        if isinstance(node, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", node):
            return EVIL + node
        if isinstance(node, dict):
            return {key: hostile(one) for key, one in node.items()}
        return [hostile(one) for one in node] if isinstance(node, list) else node

    plain = msgspec.to_builtins(made_report())
    for key in ("scores", "judged", "drift"):
        plain[key] = {EVIL: next(iter(plain[key].values())), **plain[key]}
    plain["data"]["dropped"] = {EVIL: 5}
    plain["trials"][0]["parameters"] = {EVIL: EVIL}
    plain["clauses"][0]["values"] = {EVIL: EVIL}
    text = html(msgspec.convert(hostile(plain), type=TrainingReport))
    shown = Page(text)
    assert [tag for tag, _ in shown.tags if tag in ("img", "script")] == ["script"] * 3
    assert not [attrs for _, attrs in shown.tags if "onerror" in attrs]
    assert "<script>alert" not in text
    assert EVIL in shown.words
    # plotly reads tags in texts, so those are escaped once more; line breaks are ours.
    for name, figure in shown.figures.items():
        assert "<script" not in str(figure), name
        assert "<img" not in str(figure), name


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    text = html(made_report())
    shown = Page(text)
    assert not [attrs for _, attrs in shown.tags if {"src", "href", "action"} & set(attrs)]
    ours = text.replace(plotly.offline.get_plotlyjs(), "")
    assert len(ours) < 300_000
    assert "//" not in re.sub(r"^\s*//.*$", "", ours, flags=re.MULTILINE)


def test_equal_reports_make_equal_bytes_and_replace_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    page.write(made_report(), path)
    first = path.read_bytes()
    again = msgspec.json.decode(msgspec.json.encode(made_report()), type=TrainingReport)
    page.write(again, path)
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_every_plot_has_words_for_those_who_cannot_see_it(whole: Page) -> None:
    labels = [attrs["aria-label"] for tag, attrs in whole.tags if tag == "figure"]
    assert len(labels) == len(FIGURES)
    assert all(label and len(label) > 20 for label in labels)


def test_series_differ_without_colour(whole: Page) -> None:
    for name in ("folds", "drift", "logits"):
        hatches = {trace["marker"]["pattern"]["shape"] for trace in whole.figures[name]["data"]}
        assert len(hatches) == len(whole.figures[name]["data"]), name
    dashes = {trace["line"]["dash"] for trace in whole.figures["equity"]["data"]}
    assert len(dashes) == 3


def test_features_are_coloured_by_how_far_they_drifted(whole: Page) -> None:
    same, moved, another = (trace["x"] for trace in whole.figures["drift"]["data"])
    assert same == ["feature_1", "feature_0"]
    assert moved == ["feature_3", "feature_2"]
    assert another == ["feature_5", "feature_4"]


def test_whiskers_of_gains_reach_from_the_least_to_the_most_of_any_fold(whole: Page) -> None:
    [trace] = whole.figures["gains"]["data"]
    one = made_report().importances[0]
    assert trace["x"][0] + trace["error_x"]["array"][0] == pytest.approx(one.gain_high, abs=1e-4)
    assert trace["x"][0] - trace["error_x"]["arrayminus"][0] == pytest.approx(
        one.gain_low, abs=1e-4
    )


def test_what_luck_alone_gives_is_drawn_through_every_row(whole: Page) -> None:
    layout = whole.figures["standing"]["layout"]
    [level] = layout["shapes"]
    assert level["x0"] == level["x1"] == pytest.approx(0.06 * math.sqrt(252))
    assert (level["yref"], level["y0"], level["y1"]) == ("paper", 0, 1)
    judge = whole.figures["standing"]["data"][0]
    assert judge["x"][0] - judge["error_x"]["arrayminus"][0] == pytest.approx(-0.1)
    assert judge["x"][0] + judge["error_x"]["array"][0] == pytest.approx(1.7)


def test_a_number_that_is_not_finite_is_not_known() -> None:
    luck = msgspec.structs.replace(
        made_report().overfitting, pbo=math.nan, minimum_track_record=math.inf
    )
    shown = Page(html(made_report(overfitting=luck, drift_psi=math.nan)))
    assert not re.search(r"\bnan\b|\binf\b", shown.words)


def test_parameters_of_a_trial_are_shown_at_its_mark(whole: Page) -> None:
    [trace] = whole.figures["trials"]["data"]
    assert trace["customdata"][4] == "trial 4<br>depth: 6"
    assert trace["marker"]["symbol"].index("star") == 4
    assert trace["y"][4] == pytest.approx(0.04 * math.sqrt(252), abs=1e-3)


def test_the_gaps_of_a_fold_are_the_days_nobody_used(whole: Page) -> None:
    fold = made_fold(1)
    day = dt.timedelta(days=1)
    assert gaps(fold) == [
        (fold.train[1] + day, fold.validation[0] - day),
        (fold.validation[1] + day, fold.test[0] - day),
    ]
    unused = whole.figures["folds"]["data"][3]
    assert len(unused["x"]) == 8
    assert unused["x"] == [2 * 86_400_000] * 8
    touching = msgspec.structs.replace(fold, validation=(fold.train[1] + day, fold.validation[1]))
    assert len(gaps(touching)) == 1


def test_a_drawdown_counts_from_the_money_one_began_with() -> None:
    days = tuple(dt.date(2020, 1, one) for one in (1, 2, 3, 4))
    fall = drawdowns(Curve(name="x", days=days, equity=(0.9, 1.2, 0.6, 1.3)))
    assert fall == pytest.approx([-0.1, 0.0, -0.5, 0.0])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-8, 8, allow_nan=False), min_size=1, max_size=20)
    | st.integers(0, 1000).map(lambda seed: [0.0, *np.random.default_rng(seed).normal(size=200)])
)
def test_no_bar_of_the_histogram_lies_on_both_sides_of_zero(logits: list[float]) -> None:
    places, counts, width = histogram(logits)
    assert sum(counts) == len(logits)
    above = sum(round(one, 6) > 0 for one in logits)
    shown = sum(count for place, count in zip(places, counts, strict=True) if place > 0)
    assert shown == above
    if len(places) > 1:
        assert np.diff(places).min() >= width * 0.999


def test_a_whisker_stands_to_scale() -> None:
    drawn = whisker(0.5, 0.25, 1.0, 0.0)
    [left, length] = re.findall(r'<rect class="bar" x="([\d.]+)" y="6" width="([\d.]+)"', drawn)[0]
    assert float(left) == 6
    assert float(length) == pytest.approx((220 - 12) / 2, abs=0.11)
    assert re.findall(r'cx="([\d.]+)"', drawn) == ["110.0"]
    assert "nan" not in whisker(1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "one", "words"),
    [
        ("auc", Interval(value=0.6, low=0.55, high=0.65), "whole interval is better"),
        ("auc", Interval(value=0.4, low=0.35, high=0.45), "whole interval is worse"),
        ("auc", Interval(value=0.5, low=0.45, high=0.55), "within the interval"),
        ("auc", Interval(value=0.5), "no interval is known"),
        ("brier", Interval(value=0.2, low=0.1, high=0.3), "less is better"),
    ],
)
def test_an_interval_is_read_against_no_skill(name: str, one: Interval, words: str) -> None:
    assert words in against_nothing(METRICS[name], one)
