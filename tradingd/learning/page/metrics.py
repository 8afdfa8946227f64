"""How each metric is called, counted and read, and why one may be missing."""

import math
from typing import Final, Literal

import msgspec

from tradingd.kits.plotpage.words import number
from tradingd.learning.report import TrainingReport

SAME: Final = 0.1
ANOTHER: Final = 0.25
"""Population stability: below the first the same, above the second another (Siddiqi 2006)."""

type Better = Literal["more", "less", ""]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """How a metric is shown; `nothing` is its value where there is no skill at all."""

    name: str
    digits: int = 3
    unit: str = ""
    nothing: float | None = None
    better: Better = ""

    def show(self, value: float | None) -> str:
        """Return a value for a person, a dash where it is undefined."""
        known = finite(value)
        return number(known, self.digits, self.unit) if known is not None else "-"


METRICS: Final = {
    "sharpe": Metric(name="Sharpe ratio, a year", digits=2, nothing=0.0, better="more"),
    "net_return_percent": Metric(name="Net return", digits=2, unit="%", nothing=0.0, better="more"),
    "annual_volatility_percent": Metric(name="Volatility, a year", digits=2, unit="%"),
    "max_drawdown_percent": Metric(name="Largest drawdown", digits=2, unit="%", better="less"),
    "win_rate": Metric(name="Share of round trips that won", better="more"),
    "trades": Metric(name="Round trips", digits=0),
    "days": Metric(name="Sessions", digits=0),
    "turnover": Metric(name="Turnover", digits=2),
    "fees_usd": Metric(name="Fees", digits=2, unit=" $"),
    "slippage_usd": Metric(name="Slippage", digits=2, unit=" $"),
    "denied": Metric(name="Orders the risk gate denied", digits=0),
    "exposure_percent": Metric(name="Time in the market", digits=1, unit="%"),
    "auc": Metric(name="AUC", nothing=0.5, better="more"),
    "rank_ic": Metric(name="Rank correlation with the gain", nothing=0.0, better="more"),
    "long_short_sharpe": Metric(
        name="Sharpe of long/short by score, no costs", digits=2, nothing=0.0, better="more"
    ),
    "log_loss": Metric(name="Log loss", digits=4, better="less"),
    "brier": Metric(name="Brier score", digits=4, better="less"),
    "brier_skill": Metric(name="Brier skill over the base rate", nothing=0.0, better="more"),
    "calibration_error": Metric(name="Calibration error", better="less"),
    "r2": Metric(name="R² against the forecast 0", digits=4, nothing=0.0, better="more"),
    "rmse": Metric(name="Root mean squared error", digits=5, better="less"),
    "pbo": Metric(name="Probability of backtest overfitting", better="less"),
    "pbo_loss": Metric(name="Share of halvings that lost", better="less"),
    "deflated_sharpe": Metric(name="Deflated Sharpe ratio", better="more"),
    "probabilistic_sharpe": Metric(name="Probabilistic Sharpe ratio", better="more"),
    "drift_psi": Metric(name="Drift, mean PSI by gain", better="less"),
    "canary_noticed": Metric(name="Canary noticed", digits=0),
    "leak_suspects": Metric(name="Features suspected of leaks", digits=0),
}


def metric(name: str) -> Metric:
    """Return how to show a metric; one that is not known here goes by its own name."""
    return METRICS.get(name) or Metric(name=name, digits=4)


def finite(value: float | None) -> float | None:
    """Return a number, or None for whatever is none."""
    return value if value is not None and math.isfinite(value) else None


def never_traded(report: TrainingReport) -> bool:
    """Return whether the judge made no round trip at all."""
    trades = report.judged.get("trades")
    return trades is not None and trades.value == 0


_OF_SHARPE: Final = ("sharpe", "probabilistic_sharpe", "deflated_sharpe", "minimum_track_record")
_NAMED: Final = {
    "pbo": ("PBO",),
    "pbo_loss": ("PBO",),
    "deflated_sharpe": ("deflated Sharpe", "Sharpe ratios"),
    "probabilistic_sharpe": ("Sharpe ratios",),
    "sharpe": ("Sharpe ratios",),
    "minimum_track_record": ("Sharpe ratios",),
    "expected_maximum_sharpe": ("deflated Sharpe",),
}
_ELSE: Final = {
    "minimum_track_record": "the Sharpe ratio is not above 0, so no record would be long enough",
    "stability": "needs four trials at least whose scores and parameters differ",
    "win_rate": "no round trip was closed",
    "auc": "no row was predicted, or all were of one class",
    "rank_ic": "no moment has enough predicted rows",
    "drift_psi": "no feature has a drift",
    "calibration_error": "the model states no probability",
    "latency_p99_us": "it was not measured",
}


def why_missing(report: TrainingReport, name: str) -> str:
    """Return why a metric is undefined, as far as the report tells."""
    if never_traded(report) and name == "win_rate":
        return "the judge never traded"
    if never_traded(report) and name in _OF_SHARPE:
        return "the judge never traded, so its returns do not vary"
    for start in _NAMED.get(name, ()):
        for reason in report.overfitting.why:
            if reason.startswith(start):
                return reason.partition(": ")[2] or reason
    return _ELSE.get(name, "the report does not say why")
