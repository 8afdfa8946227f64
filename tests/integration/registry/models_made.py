"""Small models with manifests, as files of a folder: ours, and those of strangers."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np

from tradingd.contracts.place import packaged_contracts
from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import Artifact, ModelManifest

NOW = dt.datetime(2026, 3, 3, 14, 0, tzinfo=dt.UTC)
"""When the tests decide; the fixture's model was trained the day before and lives for 90 days."""

_FULL = packaged_contracts() / "fixtures" / "model-manifest" / "good" / "candidate.json"
NAMES = ("gap_percent", "rvol_5m")


def model_text(seed: int = 1) -> bytes:
    """A LightGBM model of two features and five trees."""
    x = np.random.default_rng(seed).normal(size=(200, 2))
    data = lightgbm.Dataset(x, x[:, 0] > 0, feature_name=list(NAMES))
    settings = {"objective": "binary", "num_threads": 1, "verbose": -1, "num_leaves": 4}
    text: str = lightgbm.train(settings, data, 5).model_to_string()
    return text.encode()


def manifest_for(
    content: bytes, *, path: str = "model.txt", kind: str = "lightgbm-text", **changes: Any
) -> ModelManifest:
    """A manifest that passes every rule, of a file with that content."""
    document = json.loads(_FULL.read_bytes())
    document["features"] = document["features"][:2]
    stated = manifests.from_document(document)
    metrics = stated.metrics | changes.pop("metrics", {})
    trials = changes.pop("trials", 40)
    artifact = Artifact(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        format=kind,  # type: ignore[arg-type]
    )
    validation = msgspec.structs.replace(stated.validation, trials=trials)
    return msgspec.structs.replace(
        stated, artifact=artifact, metrics=metrics, validation=validation, **changes
    )


def folder_with(place: Path, manifest: ModelManifest, content: bytes) -> Path:
    """Write a model and its manifest as a stranger would."""
    file = place / manifest.artifact.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    (place / manifests.FILE_NAME).write_bytes(manifests.encode(manifest))
    return place
