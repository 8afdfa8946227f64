"""An ONNX model by onnxruntime: one input of floats, one number a row, standard operators only."""

from typing import Any, Final

import numpy as np

from tradingd.serving.predictors import Floats, damaged, misfit

_ELSEWHERE: Final = b"\x0a\x08location"
"""The first field of a tensor's pointer to another file (`external_data` in onnx.proto)."""

_TYPES: Final = {"tensor(float)": np.float32, "tensor(double)": np.float64}


class OnnxModel:
    """A session that predicts on one thread.

    Parameters
    ----------
    content : bytes
        The model.
    features : int
        Length of a row.
    where : str
        The file, for refusals.

    Raises
    ------
    Failure
        CONTRACT for a damaged file, an operator that is not standard, numbers kept in other files,
        or other inputs and outputs than a row of floats and a score (or two probabilities).
    """

    def __init__(self, content: bytes, features: int, where: str) -> None:
        import onnxruntime

        if _ELSEWHERE in content:
            raise damaged(where, "numbers that are kept in other files")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise damaged(where, str(error).strip().splitlines()[0]) from error
        self.names: tuple[str, ...] = ()
        self._input, self._type = self._taken(features, where)
        self._output = self._given(features, where)

    def one(self, row: Floats) -> float:
        """Return the score of a row."""
        return float(self._scores(row.reshape(1, -1))[0])

    def many(self, x: Floats) -> Floats:
        """Return one score a row, row by row: a matrix product may round a row another way."""
        return np.array([self.one(row) for row in x], dtype=np.float64)

    def _scores(self, x: Floats) -> Any:
        (found,) = self._session.run([self._output], {self._input: x.astype(self._type)})
        return found.reshape(len(x), -1)[:, -1]

    def _taken(self, features: int, where: str) -> tuple[str, Any]:
        inputs = self._session.get_inputs()
        one = inputs[0]
        fits = len(inputs) == 1 and one.type in _TYPES and len(one.shape) == 2
        if not fits or (one.shape[1] not in (features, None) and not isinstance(one.shape[1], str)):
            raise misfit(
                where,
                "the model takes other inputs than a row of features",
                expected=f"one input of shape (rows, {features}), float or double",
                found="; ".join(f"{one.name} {one.type} {one.shape}" for one in inputs),
            )
        return one.name, _TYPES[one.type]

    def _given(self, features: int, where: str) -> str:
        outputs = self._session.get_outputs()
        floats = [one for one in outputs if one.type in _TYPES]
        if len(floats) == 1:
            name: str = floats[0].name
            row = np.zeros((1, features), dtype=self._type)
            (found,) = self._session.run([name], {self._input: row})
            if found.size in (1, 2):
                return name
        raise misfit(
            where,
            "the model gives something else than a score a row",
            expected="one output of floats: a score, or the probabilities of down and up",
            found="; ".join(f"{one.name} {one.type} {one.shape}" for one in outputs),
        )
