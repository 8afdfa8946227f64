"""A model with its manifest, read and checked before it may say anything."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.domain.calibration import ends, probability
from tradingd.domain.manifest import ModelManifest, from_document
from tradingd.kits.failure import ExitCode, Failure
from tradingd.luck.drift import Column, Reference
from tradingd.serving.predictors import Predictor, predictor_of
from tradingd.serving.probe import probe

type Check = Callable[[Any], Sequence[str]]
"""Takes a decoded manifest; returns what breaks its contract."""

_FORMATS: Final = {
    "lightgbm-text": "lightgbm-text",
    "xgboost-json": "xgboost-json",
    "xgboost-ubj": "xgboost-json",
    "onnx": "onnx",
}
_TRAIN: Final = "tradingd model train"


class OtherFeatures(Failure):
    """A model sees other features than the session's rows are made of."""


class Opinion(msgspec.Struct, frozen=True):
    """What a model makes of one row; parts it has no numbers for are None."""

    score: float
    probability: float | None
    low: float | None
    high: float | None


class Bundle(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A checked model; made by `load_bundle`."""

    manifest: ModelManifest
    predictor: Predictor
    sha256: str

    @property
    def id(self) -> str:
        """Return ``name@version``."""
        return self.manifest.id

    @property
    def about_signal(self) -> bool:
        """Whether probabilities are about a rule's own signals."""
        return self.manifest.label is not None and self.manifest.label.about_signal

    @property
    def expires_ns(self) -> int:
        """Return when it must no longer be served, UTC ns."""
        return int(self.manifest.expires.timestamp()) * 1_000_000_000

    def opinion(self, score: float) -> Opinion:
        """Return what calibration and interval make of a score."""
        manifest = self.manifest
        chance: float | None = None
        if manifest.calibration is not None:
            chance = probability(manifest.calibration, score)
        elif manifest.task == "classification":
            chance = score
        low, high = (None, None) if manifest.interval is None else ends(manifest.interval, score)
        return Opinion(score, chance, low, high)

    def drift_reference(self) -> Reference | None:
        """Return the training rows that drift is measured against; None where none are stated."""
        known = self.manifest.drift
        if known is None or not set(self.manifest.names) <= set(known.features):
            return None
        columns = []
        for name in self.manifest.names:
            bins = known.features[name]
            columns.append(
                Column(
                    name=name,
                    edges=bins.edges,
                    shares=bins.shares,
                    missing=bins.missing,
                    points=(),
                    below=(),
                    under=(),
                )
            )
        return Reference(rows=known.rows, columns=tuple(columns))

    def drift_weights(self) -> dict[str, float | None]:
        """Return what each feature's drift counts: its share of the model's gain, if stated."""
        known = self.manifest.drift
        return {} if known is None else {name: one.weight for name, one in known.features.items()}


def load_bundle(
    path: Path,
    *,
    features_hash: str,
    names: Sequence[str],
    check: Check,
    now: dt.datetime | None,
    bars: str = "",
) -> Bundle:
    """Read a manifest and the model beside it, or refuse them.

    A library that reads a model does so in a child process first, so this takes half a second.

    Parameters
    ----------
    path : Path
        The manifest, or the folder it is in.
    features_hash, names : str, sequence of str
        Of the features that rows will be made of.
    check : Callable
        Judges the manifest by its contract.
    now : datetime, optional
        Aware; None where expiry does not matter (days of the past are asked about).
    bars : str
        Resolution of the rows; empty: not compared.

    Raises
    ------
    Failure
        UNREADABLE_INPUT: no such file. CONTRACT: the manifest breaks its contract, is of an
        unknown schema version, has expired or is retired; its features are others; the model's
        file is another than the one described, damaged, or of a format that is not served.
    """
    file = path / "model-manifest.json" if path.is_dir() else path
    manifest = _manifest(file, check)
    where = str(file)
    _check_use(manifest, where, now)
    _check_features(manifest, where, features_hash, tuple(names))
    if bars and manifest.label is not None and manifest.label.resolution != bars:
        raise _refused(
            "the model was trained on other bars",
            where,
            expected=f"{bars} bars",
            found=manifest.label.resolution,
        )
    content = _content(manifest, file)
    kind = _FORMATS.get(manifest.artifact.format, manifest.artifact.format)
    model = str(file.parent / manifest.artifact.path)
    if kind in _FORMATS:
        probe(content, kind, len(manifest.features), where=model)
    predictor = predictor_of(content, kind, len(manifest.features), where=model)
    if predictor.names and predictor.names != manifest.names:
        raise _refused(
            "the model sees its features in another order than its manifest states",
            model,
            expected=_difference(manifest.names, predictor.names),
            found=_difference(predictor.names, manifest.names),
        )
    return Bundle(manifest=manifest, predictor=predictor, sha256=manifest.artifact.sha256)


def _manifest(file: Path, check: Check) -> ModelManifest:
    try:
        document = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise Failure(
            "the model's manifest cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(file),
            found=error.strerror or str(error),
            next_step="name the folder or the model-manifest.json of a model",
        ) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused(
            "the model's manifest is damaged", str(file), expected="JSON", found=str(error)
        ) from error
    problems = check(document)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise _refused(
            "the model's manifest breaks its contract",
            str(file),
            expected="contract model-manifest",
            found=problems[0] + more,
            next_step=f"tradingd contracts check {file}",
        )
    try:
        return from_document(document)
    except msgspec.ValidationError as error:
        raise _refused(
            "the model's manifest has another shape",
            str(file),
            expected="contract model-manifest",
            found=str(error),
        ) from error


def _check_use(manifest: ModelManifest, where: str, now: dt.datetime | None) -> None:
    if manifest.task == "policy":
        raise _refused(
            "a policy is not served: it decides by itself",
            where,
            expected="a classification, regression or ranking",
            found=manifest.task,
        )
    if now is None:
        return
    if manifest.status == "retired":
        raise _refused(
            f"{manifest.id} is retired",
            where,
            expected="a candidate, challenger or promoted model",
            found=manifest.status,
            next_step="tradingd model list",
        )
    if manifest.expired(now):
        raise _refused(
            f"{manifest.id} has expired",
            where,
            expected=f"a model that is valid on {now:%Y-%m-%d %H:%M} UTC",
            found=f"valid until {manifest.expires:%Y-%m-%d %H:%M} UTC",
            next_step=_TRAIN,
        )


def _check_features(
    manifest: ModelManifest, where: str, features_hash: str, names: tuple[str, ...]
) -> None:
    if manifest.names != names:
        raise OtherFeatures(
            f"{manifest.id} sees other features, or in another order, than are computed",
            code=ExitCode.CONTRACT,
            where=where,
            expected=_difference(names, manifest.names),
            found=_difference(manifest.names, names),
            next_step=f"choose the features it was trained on, or {_TRAIN}",
        )
    odd = [one.name for one in manifest.features if not one.dtype.startswith("float")]
    if odd:
        raise _refused(
            f"{manifest.id} takes features that are no numbers",
            where,
            expected="float64",
            found=", ".join(odd),
        )
    if manifest.features_hash != features_hash:
        raise OtherFeatures(
            f"{manifest.id} was trained on features that are computed otherwise now",
            code=ExitCode.CONTRACT,
            where=where,
            expected=f"features hash {features_hash[:12]}",
            found=manifest.features_hash[:12],
            next_step=f"choose the features it was trained on, or {_TRAIN}",
        )


def _content(manifest: ModelManifest, file: Path) -> bytes:
    model = (file.parent / manifest.artifact.path).resolve()
    if not model.is_relative_to(file.parent.resolve()):
        raise _refused(
            "the model's file lies outside its manifest's folder",
            str(file),
            expected="a path below the manifest",
            found=manifest.artifact.path,
        )
    try:
        content = model.read_bytes()
    except OSError as error:
        raise Failure(
            "the model's file cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(model),
            found=error.strerror or str(error),
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.artifact.sha256:
        raise _refused(
            "the model's file is not the one its manifest describes",
            str(model),
            expected=f"sha256 {manifest.artifact.sha256[:12]}",
            found=f"{found[:12]}, {len(content):,} bytes: truncated or changed",
            next_step=f"copy it again, or {_TRAIN}",
        )
    return content


def _difference(ours: Sequence[str], others: Sequence[str]) -> str:
    """Return the first name that differs, with its place and how many there are."""
    for place, name in enumerate(ours):
        if place >= len(others) or others[place] != name:
            return f"{len(ours)} features, number {place + 1} is {name}"
    return f"{len(ours)} features"


def _refused(what: str, where: str, *, expected: str, found: str, next_step: str = "") -> Failure:
    return Failure(
        what,
        code=ExitCode.CONTRACT,
        where=where,
        expected=expected,
        found=found,
        next_step=next_step,
    )
