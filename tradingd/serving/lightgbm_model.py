"""A LightGBM model through the library's C API, whose fast path costs a row a third of Python's.

The functions are those of ``LightGBM/c_api.h``: a booster read from text, and a prediction of a
single row with everything prepared (``...SingleRowFast``). The Python package is only asked where
its library lies: importing it would load scipy and pandas into the daemon.
"""

import contextlib
import ctypes
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.predictors import Floats, damaged, misfit

_FLOAT64: Final = 1
"""C_API_DTYPE_FLOAT64."""
_NORMAL: Final = 0
"""C_API_PREDICT_NORMAL: after the objective's transformation, a probability for a binary one."""
_ROW_MAJOR: Final = 1
_ALL_TREES: Final = -1
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"

_Log = ctypes.CFUNCTYPE(None, ctypes.c_char_p)


_QUIET: Final = _Log(lambda _text: None)
"""Takes the library's words; what goes wrong is said by its last error."""


class LightGbmModel:
    """A booster that predicts.

    Parameters
    ----------
    content : bytes
        The model's text.
    features : int
        Length of a row.
    where : str
        The file, for refusals.

    Raises
    ------
    Failure
        CONTRACT for a damaged text, INSTALL without the library.
    """

    def __init__(self, content: bytes, features: int, where: str) -> None:
        self._library = library = _library()
        self._booster, self._fast = ctypes.c_void_p(), ctypes.c_void_p()
        self._features = features
        if fault := text_fault(content):
            raise damaged(where, fault)
        trees = ctypes.c_int()
        if library.LGBM_BoosterLoadModelFromString(
            ctypes.c_char_p(content), ctypes.byref(trees), ctypes.byref(self._booster)
        ):
            raise damaged(where, _last_error(library))
        self._check(where)
        self.names = self._feature_names()
        self._row, self._score = np.zeros(features), np.zeros(1)
        self._length = ctypes.c_int64()
        self._call(
            library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster,
                _NORMAL,
                0,
                _ALL_TREES,
                _FLOAT64,
                features,
                ctypes.c_char_p(_PARAMETERS),
                ctypes.byref(self._fast),
            )
        )
        self._predict = library.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (
            self._fast,
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._length),
            ctypes.c_void_p(self._score.ctypes.data),
        )

    def one(self, row: Floats) -> float:
        """Return the score of a row."""
        self._row[:] = row
        if self._predict(*self._arguments):
            self._call(1)
        return float(self._score[0])

    def many(self, x: Floats) -> Floats:
        """Return one score a row."""
        rows = np.ascontiguousarray(x, dtype=np.float64)
        scores = np.empty(len(rows))
        if not len(rows):
            return scores
        self._call(
            self._library.LGBM_BoosterPredictForMat(
                self._booster,
                ctypes.c_void_p(rows.ctypes.data),
                _FLOAT64,
                ctypes.c_int32(len(rows)),
                ctypes.c_int32(self._features),
                _ROW_MAJOR,
                _NORMAL,
                0,
                _ALL_TREES,
                ctypes.c_char_p(_PARAMETERS),
                ctypes.byref(ctypes.c_int64()),
                ctypes.c_void_p(scores.ctypes.data),
            )
        )
        return scores

    def __del__(self) -> None:
        # At the interpreter's end the library may be gone first.
        with contextlib.suppress(Exception):
            if self._fast:
                self._library.LGBM_FastConfigFree(self._fast)
            if self._booster:
                self._library.LGBM_BoosterFree(self._booster)

    def _check(self, where: str) -> None:
        wanted = ctypes.c_int()
        self._call(self._library.LGBM_BoosterGetNumFeature(self._booster, ctypes.byref(wanted)))
        if wanted.value != self._features:
            raise misfit(
                where,
                "the model sees another number of features than its manifest names",
                expected=f"{self._features} features",
                found=str(wanted.value),
            )
        classes = ctypes.c_int()
        self._call(self._library.LGBM_BoosterGetNumClasses(self._booster, ctypes.byref(classes)))
        if classes.value != 1:
            raise misfit(
                where,
                "the model gives more than one score a row",
                expected="a binary classification, a regression or a ranking",
                found=f"{classes.value} classes",
            )

    def _feature_names(self) -> tuple[str, ...]:
        """Return the names in the text; none where the library made them up."""
        count, length = ctypes.c_int(), ctypes.c_size_t()
        buffers = [ctypes.create_string_buffer(256) for _ in range(self._features)]
        pointers = (ctypes.c_void_p * self._features)(*map(ctypes.addressof, buffers))
        self._call(
            self._library.LGBM_BoosterGetFeatureNames(
                self._booster,
                self._features,
                ctypes.byref(count),
                ctypes.c_size_t(256),
                ctypes.byref(length),
                pointers,
            )
        )
        names = tuple(one.value.decode(errors="replace") for one in buffers)
        made_up = all(name == f"Column_{place}" for place, name in enumerate(names))
        return () if made_up else names

    def _call(self, result: int) -> None:
        if result:
            raise RuntimeError(f"LightGBM: {_last_error(self._library)}")


def text_fault(content: bytes) -> str:
    """Return what is wrong with the frame of a model's text; empty when nothing is.

    The library reads trees where the header's ``tree_sizes`` says they are, on several threads:
    one that is not there ends the whole process.
    """
    if not content.startswith(b"tree\n") or b"\0" in content:
        return "no LightGBM text"
    head, gap, rest = content.partition(b"\n\n")
    sizes = next((line for line in head.splitlines() if line.startswith(b"tree_sizes=")), None)
    if sizes is None or not gap:
        return "a header without tree_sizes"
    place = 0
    try:
        lengths = [int(one) for one in sizes.partition(b"=")[2].split()]
    except ValueError:
        return "tree_sizes that are no numbers"
    for number, length in enumerate(lengths):
        if not rest.startswith(b"Tree=%d\n" % number, place):
            return f"no tree {number} of {len(lengths)} where it should begin"
        place += length
    return "" if rest[place:].lstrip().startswith(b"end of trees") else "no end of the trees"


@cache
def _library() -> Any:
    spec = importlib.util.find_spec("lightgbm")
    for folder in () if spec is None else (spec.submodule_search_locations or ()):
        for name in ("lib_lightgbm.so", "lib_lightgbm.dylib"):
            path = Path(folder) / "lib" / name
            if path.is_file():
                library = ctypes.CDLL(str(path))
                library.LGBM_GetLastError.restype = ctypes.c_char_p
                library.LGBM_RegisterLogCallback(_QUIET)
                return library
    raise Failure(
        "LightGBM's library is not installed",
        code=ExitCode.INSTALL,
        where="lightgbm",
        next_step="pip install lightgbm",
    )


def _last_error(library: Any) -> str:
    text = library.LGBM_GetLastError()
    return str(text.decode(errors="replace")) if text else "unknown"
