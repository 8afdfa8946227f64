"""The manifest of a model, as `contracts/schemas/model-manifest.v1.schema.json` lays it down.

Who trains fills it, the registry keeps it, who serves reads it; none of them knows the others.
The contract is the authority on values; these structs only mirror its shape.
"""

import datetime as dt
import math
from typing import Any, Final, Literal

import msgspec

SCHEMA_VERSION: Final = "1.1.0"
"""What we write; 1.0.0 is read as well."""

FILE_NAME: Final = "model-manifest.json"

type Status = Literal["candidate", "challenger", "promoted", "retired"]
type Task = Literal["classification", "regression", "ranking", "policy"]
type ArtifactFormat = Literal[
    "lightgbm-text", "xgboost-json", "xgboost-ubj", "onnx", "skops", "safetensors"
]
type Number = float | None


class Part(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Base of all parts: what is not stated is not written."""


class Framework(Part, frozen=True, kw_only=True):
    """The library that trained it, and its version."""

    name: str
    version: str


class Artifact(Part, frozen=True, kw_only=True):
    """The model's file; `path` is relative to the manifest."""

    path: str
    sha256: str
    format: ArtifactFormat
    bytes: int | None = None


class FileEntry(Part, frozen=True, kw_only=True):
    """A file beside the manifest; `path` is relative to it."""

    path: str
    sha256: str
    bytes: int
    role: Literal["report", "page", "predictions", "features", "configuration", "other"] = "other"


class InputFeature(Part, frozen=True, kw_only=True):
    """One input, in the order the model takes them."""

    name: str
    dtype: str
    nullable: bool | None = None
    categories: tuple[str, ...] | None = None
    description: str = ""


class Target(Part, frozen=True, kw_only=True):
    """What is predicted."""

    name: str
    horizon_seconds: float
    description: str = ""


class LabelFacts(Part, frozen=True, kw_only=True):
    """How the target was made; `bars` is how far it looks ahead, `rule` whose signal it judges."""

    kind: Literal["forward_return", "volatility_scaled", "triple_barrier", "meta", "other"]
    resolution: Literal["1s", "1m", "1h", "1d"]
    bars: int
    rule: str = ""
    parameters: dict[str, float | str | bool | None] = {}

    @property
    def about_signal(self) -> bool:
        """Whether the probability is about a rule's own signal, whatever its side."""
        return self.kind == "meta"


class TrainingFacts(Part, frozen=True, kw_only=True):
    """What it learned from; days are inclusive, `fingerprint` is the data's SHA-256."""

    start: dt.date
    end: dt.date
    rows: int
    fingerprint: str
    symbols: int | None = None
    seed: int | None = None
    commit: str | None = None


class Validation(Part, frozen=True, kw_only=True):
    """How it was judged; `trials` is the registry's count of models tried under this name."""

    method: Literal["walk-forward", "purged-k-fold", "combinatorial-purged", "hold-out"]
    start: dt.date
    end: dt.date
    folds: int | None = None
    embargo_percent: float | None = None
    trials: int | None = None


class Champion(Part, frozen=True, kw_only=True):
    """The model it was compared with, over the same days."""

    name: str
    version: str
    metrics: dict[str, Number]


class Production(Part, frozen=True, kw_only=True):
    """Where it serves; `previous` is the version to roll back to."""

    alias: str | None = None
    promoted_at: dt.datetime | None = None
    promoted_by: str | None = None
    previous: str | None = None
    reason: str | None = None


class Calibration(Part, frozen=True, kw_only=True):
    """How a score becomes a probability.

    platt: ``1 / (1 + exp(-(slope * score + intercept)))``; isotonic: linear between the knots
    `scores`, `probabilities`, constant outside; none: the score is the probability.
    """

    kind: Literal["platt", "isotonic", "none"]
    slope: float | None = None
    intercept: float | None = None
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: float | None = None
    rows: int | None = None


class ConformalInterval(Part, frozen=True, kw_only=True):
    """The label lies in ``[score - below, score + above]`` with that coverage."""

    coverage_percent: float
    below: float
    above: float
    observed_percent: float | None = None


class DriftBins(Part, frozen=True, kw_only=True):
    """Training rows of one feature: `shares` of all rows between `edges`, and the missing rest.

    `weight` is the share of the model's gain that is the feature's: what its drift counts.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float
    weight: float | None = None


class DriftReference(Part, frozen=True, kw_only=True):
    """Training rows by feature, which drift is measured against."""

    rows: int
    features: dict[str, DriftBins]


class GateClause(Part, frozen=True, kw_only=True):
    """One clause of a rule with the values it looked at; `passed` None: unknown, not passed."""

    rule: str
    clause: str
    passed: bool | None
    values: dict[str, Any] = {}
    reason: str = ""


class GateAnswer(Part, frozen=True, kw_only=True):
    """What the rules said when the model was judged."""

    passed: bool
    clauses: tuple[GateClause, ...]


class Origin(Part, frozen=True, kw_only=True):
    """What else it takes to repeat it."""

    trainer: str | None = None
    config_hash: str | None = None
    uncommitted: bool | None = None
    learner: dict[str, Any] = {}
    strategy: str | None = None
    run: str | None = None
    imported: str | None = None


class ModelManifest(Part, frozen=True, kw_only=True, tag_field="contract", tag="model-manifest"):
    """What must be known of a model before it may decide about orders.

    Parameters
    ----------
    version : str
        The registry's number once it is registered.
    created, expires : datetime
        Aware, UTC.
    metrics : dict
        Out of sample and after costs; what was not measured is absent.
    intervals : dict
        Metric -> (low, high) at 95 %.
    """

    schema_version: str
    name: str
    version: str
    status: Status
    created: dt.datetime
    expires: dt.datetime
    framework: Framework
    task: Task
    artifact: Artifact
    features: tuple[InputFeature, ...]
    features_hash: str
    target: Target
    training: TrainingFacts
    validation: Validation
    metrics: dict[str, Number]
    champion: Champion | None = None
    production: Production | None = None
    files: tuple[FileEntry, ...] = ()
    label: LabelFacts | None = None
    calibration: Calibration | None = None
    interval: ConformalInterval | None = None
    intervals: dict[str, tuple[float, float]] = {}
    regimes: dict[str, dict[str, Number]] = {}
    stability: dict[str, Number] = {}
    drift: DriftReference | None = None
    gates: GateAnswer | None = None
    origin: Origin | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the inputs, in the model's order."""
        return tuple(one.name for one in self.features)

    @property
    def id(self) -> str:
        """Return ``name@version``."""
        return f"{self.name}@{self.version}"

    def expired(self, at: dt.datetime) -> bool:
        """Whether it must no longer be served at that moment (aware)."""
        return at >= self.expires


def to_document(manifest: ModelManifest) -> dict[str, Any]:
    """Return the plain tree that contracts judge: metrics that are not finite are left out."""
    measured = {name: value for name, value in manifest.metrics.items() if _finite(value)}
    stated = msgspec.structs.replace(manifest, metrics=measured)
    # By way of JSON: only so are sequences lists, as validators expect.
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(stated))
    return document


def encode(manifest: ModelManifest) -> bytes:
    """Return the text of a manifest's file; the same manifest gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(to_document(manifest)), indent=2) + b"\n"


def from_document(document: Any) -> ModelManifest:
    """Return the manifest of a decoded document, which its contract has accepted.

    Raises
    ------
    msgspec.ValidationError
        It does not have the shape.
    """
    return msgspec.convert(document, ModelManifest)


def decode(content: bytes) -> ModelManifest:
    """Return the manifest of a file's bytes; see `from_document`.

    Raises
    ------
    msgspec.DecodeError
        It is no JSON, or does not have the shape.
    """
    return msgspec.json.decode(content, type=ModelManifest)


def _finite(value: Number) -> bool:
    return value is not None and math.isfinite(value)
