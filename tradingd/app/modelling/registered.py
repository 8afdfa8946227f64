"""A registered model, asked with rows in batches."""

from typing import NamedTuple

import numpy as np

from tradingd.app.model_registry import parse, registry_of
from tradingd.app.modelling.rows import Rows, Tell, read_rows
from tradingd.config.load import Loaded
from tradingd.domain import calibration as calibrations
from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Floats
from tradingd.registry.versions import Entry
from tradingd.serving.predictors import Predictor, load_predictor


class Asked(NamedTuple):
    """A model, loaded, and rows of the features it was made for."""

    entry: Entry
    predictor: Predictor
    rows: Rows

    @property
    def manifest(self) -> ModelManifest:
        """The model's manifest."""
        return self.entry.manifest


def ask(loaded: Loaded, model: str, tell: Tell) -> Asked:
    """Load a model of the registry and read rows for it.

    Raises
    ------
    Failure
        REGISTRY or CONTRACT for the model; CONFIG when its features are not the configured ones.
    """
    entry = registry_of(loaded.config).get(*parse(model))
    manifest = entry.manifest
    rows = read_rows(loaded.config, tell)
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
    return Asked(
        entry, load_predictor(artifact, manifest.artifact.format, len(manifest.features)), rows
    )


def probabilities(manifest: ModelManifest, score: Floats) -> Floats:
    """Return calibrated probabilities; nan where the model states no calibration."""
    if manifest.calibration is None:
        return np.full(len(score), np.nan)
    known = [calibrations.probability(manifest.calibration, one) for one in score.tolist()]
    return np.array([np.nan if one is None else one for one in known], dtype=np.float64)
