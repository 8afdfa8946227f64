"""One reader for every file of books: our snapshots, DBN, LOBSTER."""

from pathlib import Path

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.book import BookSource

_KINDS = "*.parquet, *.dbn, *.dbn.zst, *_message_N*.csv[.gz], *_orderbook_N*.csv[.gz]"


def open_book(path: Path, *, symbol: str = "") -> BookSource:
    """Open a file of books; reads only what describes it.

    Parameters
    ----------
    path : Path
        A snapshot file of ours (.parquet), a DBN file (.dbn, .dbn.zst), or either file of a LOBSTER
        pair (message or orderbook; .csv, .csv.gz).
    symbol : str, optional
        Needed where the file has several; checked where it has one.

    Raises
    ------
    Failure
        UNREADABLE_INPUT: no such file, or of no kind that can be read. UNKNOWN_SYMBOL: the file has
        other symbols. DAMAGED_PARQUET, DAMAGED_ARCHIVE: cut or damaged.
    """
    if not path.is_file():
        raise _unreadable(path, "no such file")
    name = path.name
    if name.endswith(".parquet"):
        from tradingd.level2.from_snapshots import SnapshotSource

        return SnapshotSource(path, symbol=symbol)
    if name.endswith((".csv", ".csv.gz")):
        from tradingd.level2.from_lobster import LobsterSource

        return LobsterSource(path, symbol=symbol)
    if ".dbn" in name or ".dbz" in name or name.endswith(".zst"):
        from tradingd.level2.from_dbn import DbnSource

        return DbnSource(path, symbol=symbol)
    raise _unreadable(path, name)


def _unreadable(path: Path, found: str) -> Failure:
    return Failure(
        "The file cannot be read as order books",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=_KINDS,
        found=found,
    )
