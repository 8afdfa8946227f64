"""A registered model, asked with rows in batches."""

from typing import NamedTuple

import msgspec
import numpy as np

from tradingd.app.model_registry import parse, registry_of
from tradingd.app.modelling.require import require_own_rule
from tradingd.app.modelling.rows import Rows, Tell, read_rows
from tradingd.config.load import Loaded
from tradingd.config.training import LabelConfig, TrainingConfig
from tradingd.domain import calibration as calibrations
from tradingd.domain.manifest import LabelFacts, ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Floats
from tradingd.registry.versions import Entry
from tradingd.serving.predictors import Predictor, load_predictor


class Asked(NamedTuple):
    """A model, loaded, and rows of the features it was made for, answered as in its training."""

    entry: Entry
    predictor: Predictor
    rows: Rows
    training: TrainingConfig

    @property
    def manifest(self) -> ModelManifest:
        """The model's manifest."""
        return self.entry.manifest


def ask(loaded: Loaded, model: str, tell: Tell, *, judged: bool = False) -> Asked:
    """Load a model of the registry and read rows for it.

    Raises
    ------
    Failure
        REGISTRY or CONTRACT for the model; CONFIG when its features are not the configured ones,
        or, where it is to be `judged`, the strategy has another rule than the one it is about.
    """
    entry = registry_of(loaded.config).get(*parse(model))
    manifest = entry.manifest
    training = as_trained(loaded.config.training, manifest)
    if judged:
        require_own_rule(training.label, loaded.config.strategy)
    rows = read_rows(msgspec.structs.replace(loaded.config, training=training), tell)
    found = rows.sources.feature_set.hash
    if found != manifest.features_hash:
        raise Failure(
            f"the configured features are not those of {manifest.id}",
            code=ExitCode.CONFIG,
            where="features",
            expected=f"features with hash {manifest.features_hash[:16]}",
            found=found[:16],
            next_step="name the features=... that it was trained with",
        )
    artifact = entry.folder / manifest.artifact.path
    predictor = load_predictor(artifact, manifest.artifact.format, len(manifest.features))
    return Asked(entry, predictor, rows, training)


def as_trained(training: TrainingConfig, manifest: ModelManifest) -> TrainingConfig:
    """Return settings with the task and the label that a manifest states.

    What a model is measured by is what it was made for, whatever is configured now. A label that
    is stated as `other`, not at all, or with parameters nobody here knows stays the configured one.
    """
    label = None if manifest.label is None else label_of(manifest.label)
    return msgspec.structs.replace(
        training,
        task=manifest.task,
        label=label or training.label,
    )


def label_of(facts: LabelFacts) -> LabelConfig | None:
    """Return the label that a manifest states; None where it cannot be made here."""
    rule = {"rule": facts.rule} if facts.rule else {}
    # Manifests keep every number as a float; windows are whole.
    stated = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in facts.parameters.items()
    }
    tree = {**stated, **rule, "kind": facts.kind, "bars": facts.bars}
    try:
        label: LabelConfig = msgspec.convert(tree, LabelConfig)
    except msgspec.ValidationError:
        return None
    return label


def probabilities(manifest: ModelManifest, score: Floats) -> Floats:
    """Return calibrated probabilities; nan where the model states no calibration."""
    if manifest.calibration is None:
        return np.full(len(score), np.nan)
    known = [calibrations.probability(manifest.calibration, one) for one in score.tolist()]
    return np.array([np.nan if one is None else one for one in known], dtype=np.float64)
