import gzip
from pathlib import Path

import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import NO_ASK, NO_BID
from tradingd.level2.open import open_book

MIDNIGHT = 1_340_251_200_000_000_000
"""2012-06-21 00:00 in New York, UTC ns."""

MESSAGES = """\
34200.015105074,1,1,100,1000000,1
34200.100000001,4,1,40,1000000,1
34200.100000001,5,0,10,1000500,1
34200.2,4,2,5,1001000,-1
34201,7,0,0,-1,-1
"""
BOOKS = """\
1001000,20,1000000,100,9999999999,0,-9999999999,0
1001000,20,1000000,60,9999999999,0,-9999999999,0
1001000,20,1000000,60,9999999999,0,-9999999999,0
1001000,15,1000000,60,9999999999,0,-9999999999,0
1001000,15,1000000,60,9999999999,0,-9999999999,0
"""


def pair(folder: Path, messages: str = MESSAGES, books: str = BOOKS, *, end: str = ".csv") -> Path:
    for kind, text in (("message", messages), ("orderbook", books)):
        content = text.encode()
        path = folder / f"GOOG_2012-06-21_34200000_57600000_{kind}_2{end}"
        path.write_bytes(gzip.compress(content) if end.endswith(".gz") else content)
    return folder / f"GOOG_2012-06-21_34200000_57600000_message_2{end}"


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize("end", [".csv", ".csv.gz"])
def test_a_pair_is_read_side_by_side(tmp_path: Path, rows: int, end: str) -> None:
    source = open_book(pair(tmp_path, end=end))
    assert (source.symbol, source.levels, str(source.day)) == ("GOOG", 2, "2012-06-21")
    assert source.every_change
    ts, bids, sizes, trades = [], [], [], []
    for book, traded in source.chunks(rows):
        before = traded.before + len(ts)
        columns = (traded.ts - MIDNIGHT, traded.price, traded.size, traded.sign, before)
        trades += list(zip(*(column.tolist() for column in columns), strict=True))
        ts += (book.ts - MIDNIGHT).tolist()
        bids += book.bid_px[0].tolist()
        sizes += book.ask_sz[0].tolist()
        assert set(book.bid_px[1].tolist()) == {NO_BID}
        assert set(book.ask_px[1].tolist()) == {NO_ASK}
    assert ts == [
        34_200_015_105_074,
        34_200_100_000_001,
        34_200_100_000_001,
        34_200_200_000_000,
        34_201_000_000_000,
    ]
    assert bids == [1_000_000] * 5
    assert sizes == [20, 20, 20, 15, 15]
    # A resting buy order was hit by a seller; who met hidden orders is not told; a halt is none.
    assert trades == [
        (34_200_100_000_001, 1_000_000, 40, -1, 0),
        (34_200_100_000_001, 1_000_500, 10, 0, 1),
        (34_200_200_000_000, 1_001_000, 5, 1, 2),
    ]


def test_either_file_of_the_pair_opens_it(tmp_path: Path) -> None:
    path = pair(tmp_path)
    other = path.with_name(path.name.replace("message", "orderbook"))
    assert open_book(other).facts() == open_book(path).facts()


@pytest.mark.parametrize("shorter", ["message", "orderbook"])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_files_of_unequal_length_are_refused(tmp_path: Path, shorter: str, rows: int) -> None:
    cut = {"messages": MESSAGES, "books": BOOKS}
    key = "messages" if shorter == "message" else "books"
    cut[key] = "".join(cut[key].splitlines(keepends=True)[:3])
    with pytest.raises(Failure) as refused:
        list(open_book(pair(tmp_path, **cut)).chunks(rows))
    assert refused.value.code == ExitCode.INVALID_ROW
    assert f"_{shorter}_2.csv ends after row 3" in refused.value.found


@pytest.mark.parametrize(
    ("messages", "books", "found"),
    [
        (MESSAGES.replace("34200.2", "34199.2"), BOOKS, "row 4"),
        (MESSAGES, BOOKS.replace("1001000,15", "0,15"), "row 4"),
        (MESSAGES, BOOKS.replace("1001000,15", "1001000,-15"), "row 4"),
        (MESSAGES.replace("34200.2", "noon"), BOOKS, "noon"),
        (MESSAGES.replace(",5,1001000,-1", ""), BOOKS, "columns"),
    ],
    ids=["time-goes-back", "price", "size", "not-a-number", "columns"],
)
def test_a_bad_row_is_named(tmp_path: Path, messages: str, books: str, found: str) -> None:
    with pytest.raises(Failure) as refused:
        list(open_book(pair(tmp_path, messages, books)).chunks())
    assert refused.value.code == ExitCode.INVALID_ROW
    assert found in refused.value.line()


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    path = pair(tmp_path, end=".csv.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(Failure) as refused:
        list(open_book(path).chunks())
    assert refused.value.code in (ExitCode.DAMAGED_ARCHIVE, ExitCode.INVALID_ROW)


def test_a_lone_file_and_a_strange_name_are_refused(tmp_path: Path) -> None:
    path = pair(tmp_path)
    path.with_name(path.name.replace("message", "orderbook")).unlink()
    strange = tmp_path / "book.csv"
    strange.touch()
    for one in (path, strange):
        with pytest.raises(Failure) as refused:
            open_book(one)
        assert refused.value.code == ExitCode.UNREADABLE_INPUT


def test_another_symbol_than_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        open_book(pair(tmp_path), symbol="AAPL")
    assert refused.value.code == ExitCode.UNKNOWN_SYMBOL
