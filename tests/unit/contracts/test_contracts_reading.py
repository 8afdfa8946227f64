"""Documents that were made to be misunderstood."""

import os
from pathlib import Path

import pytest

from tradingd.contracts.reading import MAX_DEPTH, decode, lines, read_document
from tradingd.kits.failure import ExitCode, Failure

HOSTILE: dict[str, tuple[bytes, str]] = {
    "a key twice": (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' twice"),
    "NaN": (b'{"a": NaN}', "NaN"),
    "minus infinity": (b"[-Infinity]", "-Infinity"),
    "a number beyond a double": (b"[1e400]", "double"),
    "an integer of a million digits": (b"[" + b"9" * 1_000_000 + b"]", "digits"),
    "no UTF-8": (b'{"a": "\xff"}', "offset 7"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "BOM"),
    "nothing": (b"", "empty"),
    "blanks": (b" \n", "empty"),
    "half a document": (b'{"a": [1, 2', "line 1"),
    "two documents": (b"{} {}", "Extra data"),
    "nesting": (b"[" * 500 + b"]" * 500, "nesting"),
    "endless nesting": (b'{"a":' * 200_000, "nesting"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_parsers_disagree_on_is_refused(name: str) -> None:
    content, word = HOSTILE[name]
    with pytest.raises(Failure) as caught:
        decode(content, where="there")
    assert caught.value.code == ExitCode.UNREADABLE_INPUT
    assert caught.value.where == "there"
    assert word in caught.value.found


def test_nesting_up_to_the_limit_is_read() -> None:
    decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, where="there")


def test_a_pipe_or_folder_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", tmp_path, Path("/dev/zero")):
        with pytest.raises(Failure, match="cannot be read") as caught:
            read_document(path)
        assert caught.value.found == "no regular file"


def test_links_that_turn_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "b.json")
    (tmp_path / "b.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(Failure, match="levels of symbolic links"):
        read_document(tmp_path / "a.json")


def test_a_document_beyond_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b" " * 1_001)
    with pytest.raises(Failure, match="1,000 bytes"):
        read_document(tmp_path / "large.json", max_bytes=1_000)


def test_a_line_beyond_the_limit_ends_the_reading_after_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(b"{}\n\n[]\n" + b"x" * 2_000)
    found = lines(path, max_line_bytes=1_000)
    assert [next(found), next(found)] == [(1, b"{}"), (3, b"[]")]
    with pytest.raises(Failure, match=r"large.jsonl:4"):
        next(found)
