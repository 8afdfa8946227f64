"""A stranger's model file is looked into as plain data, and refused for what it would do."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.integration.registry.models_made import manifest_for, model_text
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.foreign import check_foreign
from tradingd.registry.onnxfile import look_into

type Change = Callable[[onnx.ModelProto], None]


def linear_model(inputs: int = 2) -> onnx.ModelProto:
    """Sum of the features times a constant, as a model of one node would be exported."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, (inputs, 1), np.ones(inputs))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def put(folder: Path, content: bytes) -> Path:
    path = folder / "model.bin"
    path.write_bytes(content)
    return path


def checked(folder: Path, content: bytes, kind: str) -> None:
    manifest = manifest_for(content, path=put(folder, content).name, kind=kind)
    check_foreign(folder, manifest)


def outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def located_only(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def own_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.example"


def own_domain(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="com.microsoft", version=1)


def function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f", domain="com.example")


def training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def loop(model: onnx.ModelProto) -> None:
    model.graph.node.add(op_type="Loop", name="forever")


def nested_outside(model: onnx.ModelProto) -> None:
    inner = model.graph.node.add(op_type="If").attribute.add(name="then_branch")
    constant = inner.g.node.add(op_type="Constant").attribute.add(name="value")
    constant.t.data_location = TensorProto.EXTERNAL


def sparse_outside(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.data_location = TensorProto.EXTERNAL


def nested_deeply(model: onnx.ModelProto) -> None:
    graph = model.graph
    for _ in range(20):
        graph = graph.node.add(op_type="If").attribute.add(name="then_branch").g


def second_input(model: onnx.ModelProto) -> None:
    info = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])
    model.graph.input.append(info)


def words_in(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (outside, "other files"),
        (located_only, "other files"),
        (nested_outside, "other files"),
        (sparse_outside, "other files"),
        (own_operator, "operators of its own"),
        (own_domain, "operators of its own"),
        (function, "functions of its own"),
        (training, "trains"),
        (loop, "loops"),
        (nested_deeply, "nested too deeply"),
        (second_input, "one input"),
        (words_in, "tensor of floats"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_an_onnx_file_that_does_more_than_predict_is_refused(
    tmp_path: Path, change: Change, words: str
) -> None:
    model = linear_model()
    checked(tmp_path, model.SerializeToString(), "onnx")
    change(model)
    with pytest.raises(Failure, match=words) as refused:
        checked(tmp_path, model.SerializeToString(), "onnx")
    assert refused.value.code == ExitCode.CONTRACT


def test_an_input_that_is_a_constant_is_none(tmp_path: Path) -> None:
    model = linear_model()
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 1]))
    assert look_into(put(tmp_path, model.SerializeToString())) == 2


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 40, b"\x0a\xff\xff\x7f"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Failure, match="ONNX"):
        look_into(put(tmp_path, content))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_a_damaged_onnx_file_never_does_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(linear_model().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    # Any other exception fails the test.
    with suppress(Failure):
        look_into(path)


def xgboost_json(inputs: int) -> dict[str, Any]:
    return {"learner": {"learner_model_param": {"num_feature": str(inputs)}}}


def test_models_of_the_stated_format_and_width_are_accepted(tmp_path: Path) -> None:
    checked(tmp_path, model_text(), "lightgbm-text")
    checked(tmp_path, json.dumps(xgboost_json(2)).encode(), "xgboost-json")
    checked(tmp_path, b"{L\x00", "xgboost-ubj")


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("lightgbm-text", b"\x80\x04K\x01.", "no model of LightGBM"),
        ("lightgbm-text", b"tree\nversion=v4\n", "no model of LightGBM"),
        ("lightgbm-text", b"tree\nmax_feature_idx=8\n", "another number of inputs"),
        ("xgboost-json", b"\x80\x04K\x01.", "no model of XGBoost"),
        ("xgboost-json", b"[" * 5_000, "no model of XGBoost"),
        ("xgboost-json", b'{"learner": []}', "no model of XGBoost"),
        ("xgboost-json", json.dumps(xgboost_json(3)).encode(), "another number of inputs"),
        ("xgboost-ubj", b"binf", "no model of XGBoost"),
        ("onnx", linear_model(3).SerializeToString(), "another number of inputs"),
        ("safetensors", b"{}", "cannot be read without running it"),
    ],
)
def test_what_is_not_what_it_says_is_refused(
    tmp_path: Path, kind: str, content: bytes, words: str
) -> None:
    with pytest.raises(Failure, match=words) as refused:
        checked(tmp_path, content, kind)
    assert refused.value.code == ExitCode.CONTRACT


def test_a_model_whose_own_names_stand_in_another_order_than_the_manifest_s_is_refused(
    tmp_path: Path,
) -> None:
    first, second = manifest_for(b"").names
    swapped = model_text().replace(
        f"feature_names={first} {second}".encode(), f"feature_names={second} {first}".encode()
    )
    xgboost = xgboost_json(2)
    xgboost["learner"]["feature_names"] = [second, first]
    for content, kind in (
        (swapped, "lightgbm-text"),
        (json.dumps(xgboost).encode(), "xgboost-json"),
    ):
        with pytest.raises(Failure, match="in another order") as refused:
            checked(tmp_path, content, kind)
        assert (refused.value.expected, refused.value.found) == (
            f"input 1 is {second}", f"{first} in the manifest",
        )  # fmt: skip


def test_names_that_only_the_maker_knows_say_nothing_of_the_order(tmp_path: Path) -> None:
    names = " ".join(manifest_for(b"").names)
    text = model_text().replace(
        f"feature_names={names}".encode(), b"feature_names=Column_0 Column_1"
    )
    checked(tmp_path, text, "lightgbm-text")


def test_a_model_of_a_size_no_model_has_is_not_read(tmp_path: Path) -> None:
    manifest = manifest_for(b"tree\n", path="model.bin")
    with (tmp_path / "model.bin").open("wb") as stream:
        stream.truncate(65 * 1024 * 1024)
    with pytest.raises(Failure, match="too large"):
        check_foreign(tmp_path, manifest)
