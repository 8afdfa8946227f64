"""Look into a stranger's model file, as plain data, before any library loads it."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.onnxfile import look_into

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a foreign model file; a thousand trees are some 5 MB."""

_HEAD: Final = 1024 * 1024
"""Bytes of a LightGBM file in which its header ends, for some ten thousand features."""


def check_foreign(folder: Path, manifest: ModelManifest) -> None:
    """Refuse a model file that is not of its stated format, or takes another number of inputs.

    Raises
    ------
    Failure
        CONTRACT, saying what the file has.
    """
    path = folder / manifest.artifact.path
    if (size := path.stat().st_size) > MOST_BYTES:
        raise refused(path, "a foreign model is too large", f"{MOST_BYTES} bytes", str(size))
    found: int | None = None
    names: tuple[str, ...] = ()
    match manifest.artifact.format:
        case "lightgbm-text":
            found, names = _lightgbm_inputs(path)
        case "xgboost-json":
            found, names = _xgboost_inputs(path)
        case "onnx":
            found = look_into(path)
        case "xgboost-ubj":
            _require_ubj(path)
        case other:
            raise refused(
                path, "a foreign model cannot be read without running it",
                "lightgbm-text, xgboost-json, xgboost-ubj or onnx", other,
            )  # fmt: skip
    expected = len(manifest.features)
    if found is not None and found != expected:
        raise refused(
            path, "a model takes another number of inputs than its manifest names",
            str(expected), str(found),
        )  # fmt: skip
    _require_order(path, names, manifest.names)


def _require_order(path: Path, names: tuple[str, ...], stated: tuple[str, ...]) -> None:
    """Refuse a model that takes the same inputs in another order: it would take one for another.

    Names that no feature of the manifest has are its maker's own (``Column_0``) and say nothing.
    """
    if not set(names) & set(stated):
        return
    for place, (own, name) in enumerate(zip(names, stated, strict=True), start=1):
        if own != name:
            raise refused(
                path, "a model takes its inputs in another order than its manifest names them",
                f"input {place} is {own}", f"{name} in the manifest",
            )  # fmt: skip


def _lightgbm_inputs(path: Path) -> tuple[int, tuple[str, ...]]:
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    line = re.search(rb"^max_feature_idx=(\d{1,9})$", head, re.MULTILINE)
    if not head.startswith(b"tree\n") or line is None:
        raise refused(path, "no model of LightGBM", "its text format", _beginning(head))
    count = int(line[1]) + 1
    stated = re.search(rb"^feature_names=(.*)$", head, re.MULTILINE)
    names = tuple(stated[1].decode(errors="replace").split(" ")) if stated else ()
    return count, names if len(names) == count else ()


def _xgboost_inputs(path: Path) -> tuple[int, tuple[str, ...]]:
    try:
        model: Any = msgspec.json.decode(path.read_bytes())
        count = int(model["learner"]["learner_model_param"]["num_feature"])
        names = tuple(str(one) for one in model["learner"].get("feature_names") or ())
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise refused(
            path, "no model of XGBoost", "JSON with learner.learner_model_param", str(error)
        ) from error
    return count, names if len(names) == count else ()


def _require_ubj(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head.startswith(b"{"):
        raise refused(path, "no model of XGBoost", "UBJSON, an object", _beginning(head))


def _beginning(head: bytes) -> str:
    return f"it begins with {head[:16]!r}" if head else "an empty file"


def refused(path: Path, what: str, expected: str, found: str) -> Failure:
    """Return the refusal of a model file."""
    return Failure(
        what,
        code=ExitCode.CONTRACT,
        where=str(path),
        expected=expected,
        found=found,
        next_step="have its maker export it anew",
    )
