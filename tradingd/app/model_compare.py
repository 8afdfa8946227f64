"""Champion and challenger side by side, on what became of the rows that both predicted."""

import datetime as dt
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.modelling.outcomes import label_of, outcomes
from tradingd.app.modelling.pairs import read_pairs
from tradingd.config.paths import registry_root
from tradingd.config.system import SystemConfig
from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import ModelManifest
from tradingd.features.series import Floats, Integers
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.calibrate import Task
from tradingd.learning.dataset import Dataset
from tradingd.learning.report import Interval
from tradingd.learning.scores import differences, measure
from tradingd.registry.published import folder_of
from tradingd.serving.prediction_log import FOLDER
from tradingd.serving.shadow import CHALLENGER, CHAMPION
from tradingd.session.calendar import local_date

SMALLER_IS_BETTER: Final = frozenset({"log_loss", "brier", "calibration_error", "rmse"})


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """One score of both; `difference` is challenger minus champion, on the same resamples."""

    score: str
    champion: Interval
    challenger: Interval
    difference: Interval
    better: str


class ComparisonReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model compare`.

    `rows` were predicted by both and their outcome is known; `left_out` counts the others by the
    reason. `better` of a score is champion, challenger, or empty while the interval of the
    difference holds zero.
    """

    name: str
    instance: str
    champion: str
    challenger: str
    label: str
    rows: int
    sessions: int
    first: dt.date
    last: dt.date
    left_out: dict[str, int]
    scores: tuple[ScoreRow, ...]
    verdict: str
    notes: tuple[str, ...] = ()


def compare_models(config: SystemConfig, name: str, instance: str, state: Path) -> ComparisonReport:
    """Compare what an instance recorded of a model and its latest challenger.

    Parameters
    ----------
    config : SystemConfig
        The store that knows what became of it, the registry that knows the labels.
    state : Path
        State folder of the instance.

    Raises
    ------
    Failure
        NO_DATA: nothing is recorded, no row of both, or too few whose outcome the store knows.
    """
    pairs = read_pairs(state / FOLDER, name)
    champion = _manifest(config, pairs.champion)
    challenger = _manifest(config, pairs.challenger)
    task: Task = champion.task  # type: ignore[assignment]  # a policy is never served
    chosen, resolution = label_of(champion, config)
    trained = max(champion.training.end, challenger.training.end)
    known = outcomes(config, task, chosen, resolution, pairs, trained)
    dataset = known.dataset
    scores = _scored(
        task, dataset, _of(pairs.ours, known.kept), _of(pairs.theirs, known.kept), config.seed
    )
    kind = chosen.__struct_config__.tag
    return ComparisonReport(
        name=name,
        instance=instance,
        champion=pairs.champion,
        challenger=pairs.challenger,
        label=f"{kind} over {chosen.bars} bars of {resolution.value}",
        rows=len(dataset),
        sessions=int(dataset.session[-1]) + 1,
        first=local_date(int(dataset.ts[0])),
        last=local_date(int(dataset.ts[-1])),
        left_out={reason: count for reason, count in known.left_out.items() if count},
        scores=scores,
        verdict=_verdict(scores),
        notes=_notes(champion, challenger),
    )


def _of(model: tuple[Floats, Floats], rows: Integers) -> tuple[Floats, Floats]:
    return model[0][rows], model[1][rows]


def _manifest(config: SystemConfig, model: str) -> ModelManifest:
    name, _, version = model.partition("@")
    path = folder_of(registry_root(config), name, int(version)) / manifests.FILE_NAME
    try:
        return manifests.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise Failure(
            f"the manifest of {model} cannot be read",
            code=ExitCode.NO_DATA,
            where=str(path),
            expected="the registry that the instance serves from",
            found=str(error),
            next_step="registry.root=FOLDER as the instance has it",
        ) from error


def _scored(
    task: Task,
    dataset: Dataset,
    ours: tuple[Floats, Floats],
    theirs: tuple[Floats, Floats],
    seed: int,
) -> tuple[ScoreRow, ...]:
    first = measure(task, dataset, *ours, seed=seed)
    second = measure(task, dataset, *theirs, seed=seed)
    apart = differences(task, dataset, ours, theirs, seed=seed)
    return tuple(
        ScoreRow(
            score=name,
            champion=first[name],
            challenger=second[name],
            difference=one,
            better=_better(name, one),
        )
        for name, one in apart.items()
    )


def _better(name: str, difference: Interval) -> str:
    """Return whose score is better where chance does not explain the difference."""
    low, high = difference.low, difference.high
    if low is None or high is None or low <= 0 <= high:
        return ""
    return CHALLENGER if (low > 0) != (name in SMALLER_IS_BETTER) else CHAMPION


def _verdict(scores: tuple[ScoreRow, ...]) -> str:
    ahead = {
        who: [one.score for one in scores if one.better == who] for who in (CHAMPION, CHALLENGER)
    }
    for who, other in ((CHALLENGER, CHAMPION), (CHAMPION, CHALLENGER)):
        if ahead[who] and not ahead[other]:
            return f"the {who} is better: {', '.join(ahead[who])}"
    if ahead[CHAMPION]:
        return (
            f"they differ both ways: the champion is better in {', '.join(ahead[CHAMPION])}, "
            f"the challenger in {', '.join(ahead[CHALLENGER])}"
        )
    return "no difference that chance does not explain: let them run on"


def _notes(champion: ModelManifest, challenger: ModelManifest) -> tuple[str, ...]:
    notes = []
    if champion.label != challenger.label:
        notes.append("the challenger learned another label: both are judged by the champion's")
    if champion.task != challenger.task:
        notes.append(f"the champion is a {champion.task}, the challenger a {challenger.task}")
    return tuple(notes)
