"""One file a day with every symbol's facts and verdict, in a folder of its settings.

``STORE/universe/SETTINGS/YYYY-MM-DD.parquet``, any tool reads it. SETTINGS is a hash of what the
tiers depend on: files of other settings are never mistaken for these.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.config.universe import TieredUniverse
from tradingd.kits.atomicfile import replacing
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.hashing import stable_hash
from tradingd.universe.facts import Row
from tradingd.universe.members import Membership, from_days

FOLDER: Final = "universe"
_CHOICES: Final = ("tier", "linger_sessions")
"""Settings that choose from the files and do not change them."""

SCHEMA: Final = pa.schema(
    [
        pa.field("symbol", pa.string(), False),
        pa.field("day", pa.date32(), False),
        pa.field("tier", pa.string(), False),
        pa.field("rank", pa.int64()),
        pa.field("rejected", pa.list_(pa.string()), False),
        pa.field("last_bar", pa.date32()),
        pa.field("history", pa.int64(), False),
        pa.field("traded_percent", pa.float64(), False),
        pa.field("price", pa.float64()),
        pa.field("dollar_volume", pa.float64(), False),
        pa.field("volume", pa.float64(), False),
        pa.field("spread_bps", pa.float64()),
        pa.field("spread_source", pa.string(), False),
        pa.field("volatility_percent", pa.float64()),
        pa.field("volatility_bucket", pa.int64()),
        pa.field("market_cap", pa.float64()),
        pa.field("earnings", pa.date32()),
        pa.field("earnings_sessions", pa.int64()),
        pa.field("member", pa.bool_()),
        pa.field("borrowable", pa.int64()),
        pa.field("delisted", pa.bool_(), False),
    ]
)


def settings_hash(config: TieredUniverse) -> str:
    """Return the hash of what a day's file depends on."""
    fields = {
        key: value for key, value in msgspec.to_builtins(config).items() if key not in _CHOICES
    }
    return stable_hash(fields)


def folder_of(store: Path, config: TieredUniverse) -> Path:
    """Return where the files of these settings are."""
    return store / FOLDER / settings_hash(config)[:12]


def write_day(folder: Path, day: dt.date, rows: Sequence[Row]) -> Path:
    """Write a day's file; the old one, or the whole new one, is what a reader sees."""
    table = pa.Table.from_pylist([msgspec.structs.asdict(one) for one in rows], schema=SCHEMA)
    path = _file(folder, day)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return path


def read_day(folder: Path, day: dt.date) -> tuple[Row, ...]:
    """Read a day's rows in the order of their ranks.

    Raises
    ------
    Failure
        NO_DATA without a file of that day, DAMAGED_PARQUET for one that cannot be read.
    """
    path = _file(folder, day)
    if not path.is_file():
        raise no_file(folder, day)
    return tuple(msgspec.convert(row, Row) for row in _read(path).to_pylist())


def days_with_files(folder: Path) -> list[dt.date]:
    """Return the days that have a file, sorted."""
    return sorted(dt.date.fromisoformat(path.stem) for path in folder.glob("????-??-??.parquet"))


def tiers_of(folder: Path, day: dt.date) -> dict[str, str]:
    """Return the tier of each symbol that is in one; raises as `read_day`."""
    path = _file(folder, day)
    if not path.is_file():
        raise no_file(folder, day)
    table = _read(path, ["symbol", "tier"])
    pairs = zip(table["symbol"].to_pylist(), table["tier"].to_pylist(), strict=True)
    return {symbol: tier for symbol, tier in pairs if tier}


def members_of(folder: Path, day: dt.date, tier: str) -> frozenset[str]:
    """Return a day's members; the extended tier holds the core too."""
    tiers = tiers_of(folder, day)
    return frozenset(one for one, its in tiers.items() if tier == "extended" or its == tier)


def membership(folder: Path, days: Sequence[dt.date], tier: str, last_until: dt.date) -> Membership:
    """Return on which of these days each symbol is a member; every day must have a file."""
    return from_days(((day, members_of(folder, day, tier)) for day in days), last_until=last_until)


def changes(
    folder: Path, days: Sequence[dt.date], tier: str
) -> Iterator[tuple[dt.date, frozenset[str], frozenset[str]]]:
    """Yield (day, members, members of the listed day before) for each day."""
    before: frozenset[str] = frozenset()
    for day in days:
        now = members_of(folder, day, tier)
        yield day, now, before
        before = now


def no_file(folder: Path, day: dt.date | None) -> Failure:
    """Return the refusal of a day without a file (None: of any), with what makes one."""
    known = days_with_files(folder)
    span = f" --start {day} --end {day}" if day else ""
    return Failure(
        f"there is no universe of {day or 'any day'} with these settings",
        code=ExitCode.NO_DATA,
        where=str(folder),
        expected=f"the file {day or 'DAY'}.parquet",
        found=f"{len(known)} days, {known[0]} .. {known[-1]}" if known else "no file",
        next_step=f"tradingd universe refresh{span}, with the same universe= settings",
    )


def _file(folder: Path, day: dt.date) -> Path:
    return folder / f"{day}.parquet"


def _read(path: Path, columns: list[str] | None = None) -> Any:
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise Failure(
            "a universe file cannot be read",
            code=ExitCode.DAMAGED_PARQUET,
            where=str(path),
            expected="the file as `tradingd universe refresh` wrote it",
            found=str(error).splitlines()[0],
            next_step=f"tradingd universe refresh --start {path.stem} --end {path.stem}",
        ) from None
