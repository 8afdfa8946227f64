"""Models as functions of a feature row, whatever library made them; nothing is ever unpickled."""

import importlib
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

type Floats = NDArray[np.float64]


class Predictor(Protocol):
    """A loaded model; one thread at a time.

    Attributes
    ----------
    names : tuple of str
        Features in the order of a row, as the model's file states them; empty where it does not.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Features in the order of a row; empty where the file does not state them."""
        ...

    def one(self, row: Floats) -> float:
        """Return the score of a row, shape (features,); nan marks what is missing."""
        ...

    def many(self, x: Floats) -> Floats:
        """Return one score a row, bit for bit those of `one`; `x` has shape (rows, features)."""
        ...


_FORMATS: Final = {
    "lightgbm-text": "tradingd.serving.lightgbm_model:LightGbmModel",
    "xgboost-json": "tradingd.serving.xgboost_model:XgBoostModel",
    "onnx": "tradingd.serving.onnx_model:OnnxModel",
}


def load_predictor(path: Path, model_format: str, features: int) -> Predictor:
    """Read a model's file.

    Raises
    ------
    Failure
        UNREADABLE_INPUT: no such file; CONTRACT: see `predictor_of`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(
            "the model's file cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            found=error.strerror or str(error),
        ) from error
    return predictor_of(content, model_format, features, where=str(path))


def predictor_of(content: bytes, model_format: str, features: int, *, where: str) -> Predictor:
    """Return the model that a file's content states.

    Parameters
    ----------
    content : bytes
        The whole file, so that what was hashed is what is served.
    model_format : str
        ``lightgbm-text``, ``xgboost-json`` (or UBJSON) or ``onnx``.
    features : int
        Length of a row.
    where : str
        The file, for the refusal.

    Raises
    ------
    Failure
        CONTRACT: an unknown format, a damaged file, another number of features, more than one
        score a row.
    """
    found = _FORMATS.get(model_format)
    if found is None:
        close = nearest(model_format, _FORMATS)
        raise Failure(
            "no model of this format is served",
            code=ExitCode.CONTRACT,
            where=where,
            expected="one of: " + ", ".join(_FORMATS),
            found=model_format,
            next_step=f"did you mean {close}?" if close else "",
        )
    module, _, name = found.partition(":")
    factory = getattr(importlib.import_module(module), name)
    return cast("Predictor", factory(content, features, where))


def damaged(where: str, found: str) -> Failure:
    """Return the refusal of a file that its library does not read."""
    return Failure(
        "the model's file is damaged, or of another format",
        code=ExitCode.CONTRACT,
        where=where,
        expected="a whole file as it was saved",
        found=found,
        next_step="copy it again, or train anew: tradingd model train",
    )


def misfit(where: str, what: str, *, expected: str, found: str) -> Failure:
    """Return the refusal of a model that is read well and does not fit its manifest."""
    return Failure(what, code=ExitCode.CONTRACT, where=where, expected=expected, found=found)
