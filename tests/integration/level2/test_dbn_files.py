"""Every DBN test file of the vendor: what happens with it, stated file by file."""

import os
import re
from pathlib import Path

import databento
import numpy as np
import pytest

from tests.fakes.dbn_records import MBP_10, START, record, records, write_dbn
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.open import open_book
from tradingd.vendors.databento.dbn import BOOK_SCHEMAS, READABLE, DbnFile

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("TRADINGD_REAL_DATA") or REPOSITORY.parent / "shared" / "data") / "dbn"
FILES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*")
    if re.search(r"\.(dbn|dbz)(\.|$)", path.name)
)

# Records of the readable schemas, by folder; files of other schemas have no books or trades.
ROWS = {
    "databento-python/EQUS.MINI": dict.fromkeys(("bbo-1m", "bbo-1s", "mbp-1", "tbbo", "trades"), 4),
    "databento-python/XNAS.ITCH": dict.fromkeys(("mbp-1", "mbp-10", "tbbo", "trades"), 4),
    "dbn": dict.fromkeys(("cbbo-1s", "cmbp-1", "mbp-1", "mbp-10", "tbbo", "trades"), 2)
    | {"bbo-1m": 4, "bbo-1s": 4},
    ".": {"AAPL": 5_000, "FROG": 17_451},
}


def expected(name: str) -> int | str:
    """Return how many records a file has, or what its refusal says."""
    path = Path(name)
    if name.endswith(".dbz"):
        return "DBZ, the format before DBN"
    if ".frag" in name:
        return "a fragment of records without metadata"
    schema = path.name.split(".")[1]
    return ROWS[path.parent.as_posix()].get(schema, f"schema {schema}")


@pytest.mark.real_data
@pytest.mark.parametrize("name", FILES or ["-"])
def test_each_file_of_the_vendor_is_read_or_refused_clearly(real_data: Path, name: str) -> None:
    path = real_data / "dbn" / name
    outcome = expected(name)
    if isinstance(outcome, str):
        with pytest.raises(Failure) as refused:
            DbnFile(path).open()
        assert refused.value.code == ExitCode.UNREADABLE_INPUT
        assert outcome in refused.value.found
        assert refused.value.where == str(path)
        with pytest.raises(Failure):
            open_book(path)
        return
    file = DbnFile(path).open()
    found = np.concatenate(list(file.chunks(3)))
    store = databento.DBNStore.from_bytes(path.read_bytes())
    theirs = store.to_ndarray()
    assert len(found) == len(theirs) == outcome
    assert found.tobytes() == theirs.tobytes()
    assert (file.version, file.dataset) == (_version(path), store.dataset)
    assert list(file.symbols) == store.symbols
    assert set(file.symbol_of().values()) == set(store.symbols)
    if file.schema in BOOK_SCHEMAS:
        states = sum(book.rows for book, _ in open_book(path).chunks())
        assert 0 < states <= outcome


def _version(path: Path) -> int:
    told = re.search(r"\.v(\d)\.", path.name)
    return int(told[1]) if told else (2 if path.parent.name == "dbn" and "test" in path.name else 3)


@pytest.mark.real_data
def test_the_vendors_test_files_are_all_there(real_data: Path) -> None:
    assert len(FILES) == 104
    outcomes = [expected(name) for name in FILES]
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 39


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    [
        "dbn/test_data.mbp-10.v3.dbn.zst",
        "dbn/test_data.mbp-10.dbn",
        "dbn/test_data.mbp-1.v1.dbn.zst",
    ],
)
def test_a_file_cut_anywhere_is_refused_or_known_to_look_whole(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    source = real_data / "dbn" / name
    content = source.read_bytes()
    file = DbnFile(source).open()
    whole = sum(len(chunk) for chunk in file.chunks())
    head = len(content) - whole * file.dtype.itemsize
    for cut in range(0, len(content), 3):
        path = tmp_path / source.name
        path.write_bytes(content[:cut])
        between = cut >= head and (cut - head) % file.dtype.itemsize == 0
        if path.suffix == ".dbn" and between:
            # No count, no checksum: the format cannot tell.
            assert _count(path) == (cut - head) // file.dtype.itemsize
            continue
        with pytest.raises(Failure) as refused:
            _count(path)
        assert refused.value.code in (ExitCode.UNREADABLE_INPUT, ExitCode.DAMAGED_ARCHIVE)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["dbn/test_data.mbp-10.v3.dbn.zst", "dbn/test_data.mbp-10.dbn"])
def test_a_flipped_byte_is_refused_or_leaves_the_number_of_records(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    source = real_data / "dbn" / name
    content = source.read_bytes()
    refusals = 0
    for at in range(0, len(content), 3):
        for flip in (0x01, 0x80):
            damaged = bytearray(content)
            damaged[at] ^= flip
            path = tmp_path / source.name
            path.write_bytes(damaged)
            outcome = _outcome(path)
            assert outcome in (2, ExitCode.UNREADABLE_INPUT, ExitCode.DAMAGED_ARCHIVE)
            refusals += outcome != 2
    assert refusals > 20


@pytest.mark.real_data
def test_every_book_schema_has_a_file(real_data: Path) -> None:
    del real_data
    shown = {Path(name).name.split(".")[1] for name in FILES}
    assert set(READABLE) - shown == {"cbbo-1m"}


def test_a_file_of_several_symbols_needs_one_to_be_named(tmp_path: Path) -> None:
    books = [(10.0, 10.01, 1, 2, 3, 4)]
    made = records(
        record(0, books), record(1, books, instrument=8), record(2, books), record(3, books)
    )
    path = write_dbn(tmp_path / "two.dbn.zst", made, symbols={"ABC": 7, "XYZ": 8})
    with pytest.raises(Failure) as refused:
        open_book(path)
    assert refused.value.code == ExitCode.UNKNOWN_SYMBOL
    assert refused.value.found == "ABC, XYZ"
    rows = {
        name: sum(book.rows for book, _ in open_book(path, symbol=name).chunks(2))
        for name in ("ABC", "XYZ")
    }
    assert rows == {"ABC": 3, "XYZ": 1}


def test_an_instrument_that_the_metadata_does_not_map_goes_by_its_number(tmp_path: Path) -> None:
    path = write_dbn(tmp_path / "one.dbn", records(record(0, instrument=99)), symbols={})
    assert open_book(path).symbol == "99"


def test_a_record_of_another_kind_is_named(tmp_path: Path) -> None:
    made = records(record(0), record(1), record(2))
    made["rtype"][1] = 23
    path = write_dbn(tmp_path / "mixed.dbn", made)
    with pytest.raises(Failure, match="record 1 is of kind 23") as refused:
        _count(path)
    assert refused.value.code == ExitCode.DAMAGED_ARCHIVE


def test_two_compressed_frames_are_one_file(tmp_path: Path) -> None:
    import pyarrow as pa

    from tests.fakes.dbn_records import metadata

    path = tmp_path / "frames.dbn.zst"
    parts = (metadata() + record(0).tobytes()[:100], record(0).tobytes()[100:])
    path.write_bytes(b"".join(pa.compress(part, codec="zstd", asbytes=True) for part in parts))
    (chunk,) = DbnFile(path).open().chunks()
    assert chunk["ts_recv"].tolist() == [START]
    assert chunk.dtype == MBP_10


def test_opening_an_absent_or_empty_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.dbn", tmp_path / "empty.dbn"):
        if path.name.startswith("empty"):
            path.touch()
        with pytest.raises(Failure) as refused:
            DbnFile(path).open()
        assert refused.value.code == ExitCode.UNREADABLE_INPUT


def _outcome(path: Path) -> int:
    try:
        return _count(path)
    except Failure as failure:
        return failure.code


def _count(path: Path) -> int:
    return sum(len(chunk) for chunk in DbnFile(path).open().chunks())
