"""Features that look as if they knew the future, and whether the search can be believed."""

from html import escape

from tradingd.kits.plotpage.fragments import not_told, section, table
from tradingd.learning.report import TrainingReport


def sections(report: TrainingReport) -> str:
    """Return the canary's fate and the suspects."""
    note = (
        "Every feature is asked, alone and out of fold, what it says of what came after. A column "
        "that half knows the future is planted among them: if it is not found, silence is no proof."
    )
    return section("Leaks", note, _canary(report) + _suspects(report))


def _canary(report: TrainingReport) -> str:
    if not report.canary:
        return not_told("the canary: no search for leaks was made")
    tone, word = ("up", "noticed") if report.canary_noticed else ("down", "NOT noticed")
    told = escape(report.canary[0].upper() + report.canary[1:])
    return f'<p class="canary"><b class="{tone}">Canary {word}.</b> {told}.</p>'


def _suspects(report: TrainingReport) -> str:
    if report.leaks:
        rows = [(one.feature, f"{one.skill:.3f}", one.why) for one in report.leaks]
        return table(
            f"{len(rows)} suspected", ("Feature", "Rank correlation", "Why"), rows, prose=True
        )
    if not report.canary_noticed:
        return not_told("whether any feature leaks: the search did not find what was planted")
    return (
        f"<p>None of {len(report.data.features)} features looks as if it knew the future. A weak "
        "leak may stay below the bound.</p>"
    )
