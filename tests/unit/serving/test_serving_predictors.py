"""Models are read and predict as their own library would."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.predictors import load_predictor, predictor_of
from tradingd.serving.probe import probe

FEATURES = 12


@cache
def rows() -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, FEATURES))
    x[rng.random(x.shape) < 0.05] = np.nan
    y = (np.nan_to_num(x[:, 0] * x[:, 1]) + rng.normal(size=len(x)) > 0).astype(float)
    return x, y


@cache
def light(objective: str = "binary") -> Any:
    import lightgbm

    x, y = rows()
    settings = {"objective": objective, "num_threads": 1, "verbosity": -1, "seed": 3}
    names = [f"f{place}" for place in range(FEATURES)]
    return lightgbm.train(settings, lightgbm.Dataset(x, y, feature_name=names), 40)


def text(objective: str = "binary") -> bytes:
    return str(light(objective).model_to_string()).encode()


@cache
def extreme(kind: str) -> tuple[Any, bytes]:
    import xgboost

    x, y = rows()
    settings = {"objective": "binary:logistic", "nthread": 1, "max_depth": 3}
    booster = xgboost.train(settings, xgboost.DMatrix(x, y), 20)
    return booster, bytes(booster.save_raw(kind))


@cache
def onnx_model(outputs: int = 1, operator: str = "Sigmoid", elsewhere: bool = False) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(1).normal(size=(FEATURES, outputs)).astype(np.float32)
    kernel = numpy_helper.from_array(weights, "w")
    if elsewhere:
        kernel.ClearField("raw_data")
        kernel.data_location = TensorProto.EXTERNAL
        kernel.external_data.add(key="location", value="/etc/passwd")
    domain = "" if operator == "Sigmoid" else "own.domain"
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node(operator, ["z"], ["p"], domain=domain),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", FEATURES])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["rows", outputs])],
        [kernel],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own.domain", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


@pytest.mark.parametrize("objective", ["binary", "regression"])
def test_a_lightgbm_row_scores_bit_for_bit_as_by_its_python_package(objective: str) -> None:
    x, _ = rows()
    predictor = predictor_of(text(objective), "lightgbm-text", FEATURES, where="m")
    expected = light(objective).predict(x, num_threads=1)
    assert np.array_equal(predictor.many(x), expected)
    assert [predictor.one(row) for row in x] == list(expected)
    assert predictor.names == tuple(f"f{place}" for place in range(FEATURES))


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_an_xgboost_row_scores_bit_for_bit_as_in_its_batch(kind: str) -> None:
    x, _ = rows()
    booster, content = extreme(kind)
    predictor = predictor_of(content, "xgboost-json", FEATURES, where="m")
    assert np.array_equal(predictor.many(x), booster.inplace_predict(x).astype(float))
    assert [predictor.one(row) for row in x[:100]] == list(predictor.many(x[:100]))


def test_an_onnx_row_scores_as_the_graph_says() -> None:
    x = np.nan_to_num(rows()[0][:50])
    predictor = predictor_of(onnx_model(), "onnx", FEATURES, where="m")
    weights = np.random.default_rng(1).normal(size=(FEATURES, 1)).astype(np.float32)
    expected = 1 / (1 + np.exp(-(x @ weights)[:, 0]))
    assert predictor.many(x) == pytest.approx(expected, abs=1e-6)
    assert [predictor.one(row) for row in x] == list(predictor.many(x))


def test_of_two_onnx_probabilities_the_second_is_the_score() -> None:
    x = np.nan_to_num(rows()[0][:5])
    predictor = predictor_of(onnx_model(outputs=2), "onnx", FEATURES, where="m")
    weights = np.random.default_rng(1).normal(size=(FEATURES, 2)).astype(np.float32)
    assert predictor.many(x) == pytest.approx(1 / (1 + np.exp(-(x @ weights)[:, 1])), abs=1e-6)


def refusal(content: bytes, model_format: str, features: int = FEATURES) -> Failure:
    with pytest.raises(Failure) as caught:
        predictor_of(content, model_format, features, where="m")
    assert caught.value.code is ExitCode.CONTRACT
    return caught.value


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("model_format", ["lightgbm-text", "xgboost-json", "onnx"])
def test_a_truncated_model_is_refused(model_format: str, part: float) -> None:
    whole = {
        "lightgbm-text": text().split(b"end of trees")[0],
        "xgboost-json": extreme("json")[1],
        "onnx": onnx_model(),
    }[model_format]
    assert "damaged" in str(refusal(whole[: int(part * len(whole))], model_format))


def test_a_lightgbm_text_whose_trees_are_not_where_its_header_says_is_refused() -> None:
    assert "no tree" in str(
        refusal(text().replace(b"leaf_value=", b"leaf_value= ", 1), "lightgbm-text").found
    )
    assert "end of the trees" in str(
        refusal(text().replace(b"end of trees", b"rest of trees"), "lightgbm-text").found
    )
    assert "no LightGBM text" in str(refusal(text() + b"\0", "lightgbm-text").found)


@pytest.mark.parametrize("model_format", ["lightgbm-text", "xgboost-json", "onnx"])
def test_a_model_of_another_number_of_features_is_refused(model_format: str) -> None:
    content = {
        "lightgbm-text": text(),
        "xgboost-json": extreme("ubj")[1],
        "onnx": onnx_model(),
    }[model_format]
    refusal(content, model_format, FEATURES - 1)


def test_a_model_with_several_scores_a_row_is_refused() -> None:
    assert "score a row" in str(refusal(onnx_model(outputs=3), "onnx"))


def test_an_onnx_model_with_operators_of_its_own_is_refused() -> None:
    assert "own.domain" in str(refusal(onnx_model(operator="Evil"), "onnx").found)


def test_an_onnx_model_that_reads_other_files_is_refused() -> None:
    assert "other files" in str(refusal(onnx_model(elsewhere=True), "onnx").found)


def test_a_pickle_is_no_model() -> None:
    import pickle

    content = pickle.dumps({"a": 1})
    for model_format in ("lightgbm-text", "xgboost-json", "onnx"):
        refusal(content, model_format)
    assert "one of" in str(refusal(content, "pickle"))


def test_the_nearest_format_is_named() -> None:
    assert "lightgbm-text" in str(refusal(b"", "lightgbm-txt").next_step)


def test_a_model_that_is_not_there_is_refused(tmp_path: Any) -> None:
    with pytest.raises(Failure) as caught:
        load_predictor(tmp_path / "none.txt", "lightgbm-text", FEATURES)
    assert caught.value.code is ExitCode.UNREADABLE_INPUT


def test_a_file_that_kills_its_library_kills_only_the_probe() -> None:
    bad = text().replace(b"\nsplit_feature=", b"\nsplit_featurf=")
    with pytest.raises(Failure) as caught:
        probe(bad, "lightgbm-text", FEATURES, where="m")
    assert caught.value.code is ExitCode.CONTRACT
    probe(text(), "lightgbm-text", FEATURES, where="m")


@pytest.mark.parametrize("features", [FEATURES, FEATURES + 1], ids=["half a file", "misfit"])
def test_what_a_probe_refuses_is_said_in_one_sentence(features: int) -> None:
    content = text() if features > FEATURES else text()[: len(text()) // 2]
    with pytest.raises(Failure) as caught:
        probe(content, "lightgbm-text", features, where="m")
    assert caught.value.where == "m"
    assert caught.value.line().count("| at: ") == 1
    assert caught.value.expected
