"""What an ONNX file would do, read from its bytes by the protobuf wire format, nothing loaded.

Refused: data in other files, operators outside of the standard domains, functions of its own,
loops, training graphs. Field numbers are those of onnx.proto3 (github.com/onnx/onnx).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tradingd.kits.failure import ExitCode, Failure

_DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml")
_LOOPS: Final = ("Loop", "Scan", "SequenceMap")
_FLOATS: Final = (1, 11)
"""TensorProto.FLOAT, TensorProto.DOUBLE."""

_DEEPEST: Final = 16
_MOST_NODES: Final = 100_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

type Field = tuple[int, int | memoryview]


def look_into(path: Path) -> int | None:
    """Return how many inputs the model takes; None where its shape leaves that open.

    Raises
    ------
    Failure
        CONTRACT when it is damaged, or does what a served model has no need of.
    """
    content = memoryview(path.read_bytes())
    look = _Look(path)
    try:
        return look.model(content)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise look.refused("no ONNX file", str(error)) from error


class _Look:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._nodes = 0

    def model(self, content: memoryview) -> int | None:
        inputs: int | None = None
        graphs = 0
        for number, value in fields(content):
            match number:
                case 7:
                    graphs += 1
                    inputs = self._top(_part(value))
                case 8:
                    self._domain(_text_of(_part(value), 1))
                case 20:
                    raise self.refused("an ONNX file that trains", "training_info")
                case 25:
                    raise self.refused("an ONNX file with functions of its own", "functions")
        if graphs != 1:
            raise ValueError(f"{graphs} graphs")
        return inputs

    def _top(self, graph: memoryview) -> int | None:
        self._graph(graph, 0)
        constants = {_text_of(_part(value), 8) for number, value in fields(graph) if number == 5}
        inputs = [
            _part(value)
            for number, value in fields(graph)
            if number == 11 and _text_of(_part(value), 1) not in constants
        ]
        if len(inputs) != 1:
            raise self.refused("an ONNX file without one input", f"{len(inputs)} inputs")
        return self._width(inputs[0])

    def _width(self, declared: memoryview) -> int | None:
        """Return the last dimension of an input, whose elements must be floats."""
        tensor = _inner(_inner(declared, 2), 1)
        kinds = [value for number, value in fields(tensor) if number == 1]
        if not kinds or kinds[-1] not in _FLOATS:
            raise self.refused("an ONNX file whose input is no tensor of floats", f"type {kinds}")
        sizes = [_part(value) for number, value in fields(_inner(tensor, 2)) if number == 1]
        if not sizes:
            return None
        last = [value for number, value in fields(sizes[-1]) if number == 1]
        return int(last[-1]) if last and isinstance(last[-1], int) else None

    def _graph(self, graph: memoryview, depth: int) -> None:
        if depth > _DEEPEST:
            raise self.refused("an ONNX file that is nested too deeply", f"over {_DEEPEST} graphs")
        for number, value in fields(graph):
            if number == 1:
                self._node(_part(value), depth)
            elif number == 5:
                self._tensor(_part(value))
            elif number == 15:
                self._sparse(_part(value))

    def _node(self, node: memoryview, depth: int) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise self.refused("an ONNX file with too many operators", f"over {_MOST_NODES}")
        self._domain(_text_of(node, 7))
        if (operator := _text_of(node, 4)) in _LOOPS:
            raise self.refused("an ONNX file with loops", operator)
        for number, value in fields(node):
            if number == 5:
                self._attribute(_part(value), depth)

    def _attribute(self, attribute: memoryview, depth: int) -> None:
        for number, value in fields(attribute):
            if number in (5, 10):
                self._tensor(_part(value))
            elif number in (6, 11):
                self._graph(_part(value), depth + 1)
            elif number in (22, 23):
                self._sparse(_part(value))

    def _sparse(self, tensor: memoryview) -> None:
        for number, value in fields(tensor):
            if number in (1, 2):
                self._tensor(_part(value))

    def _tensor(self, tensor: memoryview) -> None:
        for number, value in fields(tensor):
            if number == 13 or (number == 14 and value != 0):
                raise self.refused("an ONNX file with data in other files", "external_data")

    def _domain(self, domain: str) -> None:
        if domain not in _DOMAINS:
            raise self.refused("an ONNX file with operators of its own", f"domain {domain!r}")

    def refused(self, what: str, found: str) -> Failure:
        return Failure(
            what,
            code=ExitCode.CONTRACT,
            where=str(self._path),
            expected="one graph of standard operators, one tensor of floats in, no other files",
            found=found,
            next_step="have its maker export it anew",
        )


def fields(content: memoryview) -> Iterator[Field]:
    """Yield the fields of a protobuf message in their order: number, and integer or bytes.

    Raises
    ------
    ValueError, IndexError
        It is none.
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if number == 0 or at + size > len(content):
            raise ValueError("it ends within a field")
        yield number, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number that is too long")


def _part(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number in place of a message")
    return value


def _inner(message: memoryview, wanted: int) -> memoryview:
    found = [value for number, value in fields(message) if number == wanted]
    return _part(found[-1]) if found else memoryview(b"")


def _text_of(message: memoryview, wanted: int) -> str:
    return bytes(_inner(message, wanted)).decode()
