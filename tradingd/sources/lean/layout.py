"""Which file of a LEAN folder holds what, told by its name alone."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.market import DataKind, Resolution
from tradingd.kits.failure import ExitCode, Failure

_WHOLE_HISTORY: Final = {"daily": Resolution.DAY, "hour": Resolution.HOUR}
_ONE_DAY: Final = {"minute": Resolution.MINUTE, "second": Resolution.SECOND, "tick": None}

# daily/spy.zip, daily/spy_quote.zip; the ticker may hold dots.
_HISTORY_NAME: Final = re.compile(r"(?P<ticker>[a-z0-9.\-]+?)(_(?P<ticks>trade|quote))?\.zip")
# minute/spy/20131007_trade.zip
_DAY_NAME: Final = re.compile(r"(?P<day>\d{8})_(?P<ticks>trade|quote)\.zip")
# LEAN also keeps open interest, which equities do not have.
_IGNORED: Final = re.compile(r".*_openinterest\.zip")


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """One zip: `day` is None for files of the whole history, `length` None for ticks."""

    path: Path
    label: str
    ticker: str
    length: Resolution | None
    quotes: bool
    day: dt.date | None

    @property
    def kind(self) -> DataKind:
        """Table of the store: quote bars become quotes, trade bars stay bars."""
        if self.quotes:
            return DataKind.QUOTES
        return DataKind.TRADES if self.length is None else DataKind.BARS


def equity_root(root: Path) -> Path:
    """Return the folder that holds daily/, minute/ ...: the given one, or below it.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when there is no such folder.
    """
    for candidate in (root, root / "equity" / "usa", root / "usa"):
        if any((candidate / name).is_dir() for name in (*_WHOLE_HISTORY, *_ONE_DAY)):
            return candidate
    raise Failure(
        "no LEAN data found",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(root),
        expected="a folder with daily/, hour/, minute/, second/ or tick/",
        found="no such folder" if not root.is_dir() else "none of them",
        next_step="set source.path",
    )


def data_files(root: Path) -> list[DataFile]:
    """List every data file below an equity root, sorted by name."""
    files = [*_history_files(root), *_day_files(root)]
    if not files:
        raise Failure(
            "the LEAN folder holds no data files",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(root),
            expected="zip files such as daily/spy.zip",
            found="none",
        )
    return files


def _history_files(root: Path) -> Iterator[DataFile]:
    for folder, length in _WHOLE_HISTORY.items():
        for path in sorted((root / folder).glob("*.zip")):
            name = _match(_HISTORY_NAME, path, root, "ticker.zip")
            if name is not None:
                yield DataFile(
                    path=path,
                    label=str(path.relative_to(root)),
                    ticker=name["ticker"].upper(),
                    length=length,
                    quotes=name["ticks"] == "quote",
                    day=None,
                )


def _day_files(root: Path) -> Iterator[DataFile]:
    for folder, length in _ONE_DAY.items():
        for path in sorted((root / folder).glob("*/*.zip")):
            name = _match(_DAY_NAME, path, root, "YYYYMMDD_trade.zip or YYYYMMDD_quote.zip")
            if name is not None:
                yield DataFile(
                    path=path,
                    label=str(path.relative_to(root)),
                    ticker=path.parent.name.upper(),
                    length=length,
                    quotes=name["ticks"] == "quote",
                    day=_day(name["day"], path.relative_to(root)),
                )


def _match(pattern: re.Pattern[str], path: Path, root: Path, form: str) -> re.Match[str] | None:
    name = path.name.lower()
    found = pattern.fullmatch(name)
    if found is None and not _IGNORED.fullmatch(name):
        raise _unknown_name(path.relative_to(root), form)
    return found


def _day(text: str, label: Path) -> dt.date:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _unknown_name(label, "a calendar date as YYYYMMDD") from None


def _unknown_name(label: Path, form: str) -> Failure:
    return Failure(
        "a file of the LEAN folder has a name that says nothing",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(label),
        expected=form,
        found=label.name,
    )


def finest_quotes(files: list[DataFile]) -> list[DataFile]:
    """Leave out quote bars of a ticker and day that finer quotes cover.

    All quotes share one table; the close of a minute's quote bar is the last second's quote,
    so storing both would state it twice.
    """
    fineness = [None, Resolution.SECOND, Resolution.MINUTE]
    covered: dict[tuple[str, dt.date | None], int] = {}
    for one in files:
        if one.quotes and one.day is not None:
            place, rank = (one.ticker, one.day), fineness.index(one.length)
            covered[place] = min(rank, covered.get(place, rank))
    return [
        one
        for one in files
        if not one.quotes
        or one.day is None
        or fineness.index(one.length) == covered[(one.ticker, one.day)]
    ]
