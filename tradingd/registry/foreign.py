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
    match manifest.artifact.format:
        case "lightgbm-text":
            found = _lightgbm_inputs(path)
        case "xgboost-json":
            found = _xgboost_inputs(path)
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


def _lightgbm_inputs(path: Path) -> int:
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    line = re.search(rb"^max_feature_idx=(\d{1,9})$", head, re.MULTILINE)
    if not head.startswith(b"tree\n") or line is None:
        raise refused(path, "no model of LightGBM", "its text format", _beginning(head))
    return int(line[1]) + 1


def _xgboost_inputs(path: Path) -> int:
    try:
        model: Any = msgspec.json.decode(path.read_bytes())
        return int(model["learner"]["learner_model_param"]["num_feature"])
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise refused(
            path, "no model of XGBoost", "JSON with learner.learner_model_param", str(error)
        ) from error


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
