"""The manifest keeps the order of the tasks, and whole lines."""

import datetime as dt
import itertools
import json
from pathlib import Path

import pytest

from tradingd.backfill.manifest import Manifest
from tradingd.backfill.records import Line, Status


def line(index: int) -> Line:
    return Line(
        contract="backfill-manifest",
        schema_version="1.0.0",
        at="2025-04-03T15:00:00.000Z",
        run="one",
        index=index,
        symbol="AAPL",
        day=dt.date(2025, 4, 3),
        status=Status.EMPTY,
        rows=0,
        path="",
        provider="shelf",
    )


def indices(root: Path) -> list[int]:
    path = root / "backfill_l2_manifest.jsonl"
    return [json.loads(text)["index"] for text in path.read_text().splitlines()]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_lines_are_appended_in_order_whatever_is_ready_first(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    manifest = Manifest(tmp_path)
    for place, index in enumerate(order, start=1):
        manifest.add([line(index)])
        done = set(order[:place])
        prefix = list(itertools.takewhile(lambda one: one in done, range(4)))  # noqa: B023
        assert (indices(tmp_path) if prefix else []) == prefix


def test_what_waits_at_the_end_is_appended_in_order(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.add([line(3), line(1), line(0)])
    manifest.close()
    assert indices(tmp_path) == [0, 1, 3]
    manifest.close()
    assert indices(tmp_path) == [0, 1, 3]


def test_runs_append_to_what_is_there(tmp_path: Path) -> None:
    for _ in range(2):
        Manifest(tmp_path).add([line(0), line(1)])
    assert indices(tmp_path) == [0, 1, 0, 1]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("torn", [b'{"contract"', b"x" * 10_000], ids=["short", "long"])
@pytest.mark.parametrize("whole", [0, 2])
def test_a_torn_last_line_is_cut_off_and_nothing_else(
    tmp_path: Path, whole: int, torn: bytes
) -> None:
    manifest = Manifest(tmp_path)
    manifest.add([line(index) for index in range(whole)])
    before = manifest.path.read_bytes() if whole else b""
    manifest.path.write_bytes(before + torn)
    manifest.add([line(whole)])
    assert manifest.path.read_bytes().startswith(before)
    assert indices(tmp_path) == [*range(whole), whole]
