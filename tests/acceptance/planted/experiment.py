"""One training on a made-up market, judged by the gates as any other."""

from pathlib import Path
from typing import NamedTuple

from tests.acceptance.planted.market import write_market
from tradingd.app.modelling.train import train
from tradingd.config.load import load

FEATURES = {
    "return_1": {"kind": "log_return", "bars": 1},
    "return_5": {"kind": "log_return", "bars": 5},
    "return_21": {"kind": "log_return", "bars": 21},
    "rank_5": {"kind": "rank", "of": "return_5"},
    "rsi_14": {"kind": "rsi", "bars": 14},
    "volume_ratio_20": {"kind": "volume_ratio", "bars": 20},
}


class Answer(NamedTuple):
    """What the gates said."""

    seed: int
    placebo: bool
    passed: bool
    refused: tuple[str, ...]
    sharpe: float | None
    deflated: float | None
    pbo: float | None

    def line(self) -> str:
        """Return it as one line."""
        kind = "shuffled" if self.placebo else "planted "
        words = "accepted" if self.passed else "refused by " + "; ".join(self.refused)
        return (
            f"seed {self.seed:3d} {kind} Sharpe {_shown(self.sharpe)} "
            f"DSR {_shown(self.deflated)} PBO {_shown(self.pbo)} {words}"
        )


def experiment(home: Path, *, seed: int, strength: float, placebo: bool) -> Answer:
    """Train on the market of a seed, which both kinds share, and ask the gates."""
    root = home / "history"
    if not root.exists():
        write_market(root, seed=seed, strength=strength)
    loaded = load(
        [
            "mode=backtest",
            f"mode.results={home / 'runs'}",
            f"store.root={root}",
            f"registry.root={home / ('placebo' if placebo else 'planted')}",
            "strategy=model_signal",
            "features=own",
            f"seed={seed}",
            "broker=alpaca",
            "training.name=planted",
            f"training.placebo={str(placebo).lower()}",
            "training.tuning.trials=6",
            "training.learner.trees=60",
            "training.learner.min_rows=100",
            "training.walk_forward={train: 252, validation: 63, test: 63}",
            "training.label={kind: forward_return, bars: 5, relative: true}",
            "training.workers=1",
            f"features.declared={_yaml(FEATURES)}",
        ]
    )
    report = train(loaded).report
    refused = tuple(one.clause for one in report.clauses if not one.passed)
    return Answer(
        seed=seed,
        placebo=placebo,
        passed=report.passed,
        refused=refused,
        sharpe=report.judged["sharpe"].value,
        deflated=report.overfitting.deflated_sharpe,
        pbo=report.overfitting.pbo,
    )


def _yaml(declared: dict[str, dict[str, object]]) -> str:
    parts = (
        f"{name}: {{{', '.join(f'{key}: {value}' for key, value in one.items())}}}"
        for name, one in declared.items()
    )
    return "{" + ", ".join(parts) + "}"


def _shown(value: float | None) -> str:
    return "   -" if value is None else f"{value:5.2f}"
