"""Whether a DBN file is whole, told apart at every byte at which it can be cut."""

from pathlib import Path

import pytest
import zstandard

from tradingd.vendors.databento.complete import records_in
from tradingd.vendors.databento.trouble import Kind, Trouble

RECORD = bytes([4]) + bytes(15)
HEAD = b"DBN\x03" + (20).to_bytes(4, "little") + bytes(20)


def compressed(*frames: bytes) -> bytes:
    return b"".join(zstandard.ZstdCompressor().compress(frame) for frame in frames)


def counted(folder: Path, content: bytes) -> int:
    path = folder / "answer.dbn.zst"
    path.write_bytes(content)
    return records_in(path)


def test_records_are_counted_over_all_frames(tmp_path: Path) -> None:
    assert counted(tmp_path, compressed(HEAD, RECORD * 3, RECORD * 4)) == 7
    assert counted(tmp_path, compressed(HEAD + RECORD * 100_000)) == 100_000


def test_a_record_and_the_metadata_may_lie_across_frames(tmp_path: Path) -> None:
    whole = HEAD + RECORD * 2
    for cut in range(len(whole)):
        assert counted(tmp_path, compressed(whole[:cut], whole[cut:])) == 2


def test_metadata_alone_are_an_answer_without_records(tmp_path: Path) -> None:
    assert counted(tmp_path, compressed(HEAD)) == 0


def test_every_cut_within_a_frame_is_noticed(tmp_path: Path) -> None:
    first = len(compressed(HEAD + RECORD * 50))
    whole = compressed(HEAD + RECORD * 50, RECORD * 50)
    for end in range(len(whole)):
        if end == first:
            # Between two frames it is a whole file: only the vendor's own count can tell.
            assert counted(tmp_path, whole[:end]) == 50
            continue
        with pytest.raises(Trouble) as caught:
            counted(tmp_path, whole[:end])
        assert caught.value.kind is Kind.GARBLED
        assert caught.value.again
        assert caught.value.lost


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>busy</html>",
        compressed(b"DBZ" + bytes(60)),
        compressed(HEAD[:12]),
        compressed(HEAD + RECORD + RECORD[:5]),
        compressed(HEAD + bytes(16)),
        compressed(HEAD + RECORD) + b"\x00\x00",
    ],
    ids=["nothing", "html", "dbz", "half metadata", "half record", "zero length", "rest"],
)
def test_what_is_no_whole_dbn_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Trouble):
        counted(tmp_path, content)
