"""Whether a downloaded DBN file is whole: every zstd frame ended, every record all there.

The library's own reader is no witness: at the end of a cut file it returns what it has. Formats:
RFC 8878 (zstd frames), databento.com/docs/standards-and-conventions/databento-binary-encoding.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tradingd.vendors.databento.trouble import Kind, Trouble

_PIECE: Final = 1 << 16
_WORD: Final = 4
"""A record's first byte is its length in words of so many bytes."""


def records_in(path: Path) -> int:
    """Return how many records a zstd-compressed DBN file of one schema holds.

    Memory does not grow with the file.

    Raises
    ------
    Trouble
        GARBLED, and lost, where the file is cut, empty, or no DBN at all.
    """
    pieces = _decompressed(path)
    head = _at_least(pieces, b"", 8)
    if head[:3] != b"DBN":
        raise _spoilt("the answer is no DBN")
    metadata = 8 + int.from_bytes(head[4:8], "little")
    head = _at_least(pieces, head, metadata)
    rest = head[metadata:]
    total, size = len(rest), 0
    if rest:
        size = rest[0] * _WORD
    for piece in pieces:
        size = size or piece[0] * _WORD
        total += len(piece)
    if not total:
        return 0
    if not size or total % size:
        raise _spoilt("the answer ends within a record")
    return total // size


def _at_least(pieces: Iterator[bytes], have: bytes, size: int) -> bytes:
    while len(have) < size:
        piece = next(pieces, None)
        if piece is None:
            raise _spoilt("the answer ends within its metadata")
        have += piece
    return have


def _decompressed(path: Path) -> Iterator[bytes]:
    """Yield what the frames hold, none of it empty; refuse a last frame that is not ended."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    frame = None
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            while piece:
                frame = frame or decompressor.decompressobj()
                try:
                    if found := frame.decompress(piece):
                        yield found
                except zstandard.ZstdError as error:
                    raise _spoilt(f"the answer cannot be decompressed: {error}") from None
                piece = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        raise _spoilt("the answer ends within a compressed frame")


def _spoilt(detail: str) -> Trouble:
    return Trouble(Kind.GARBLED, detail, lost=True)
