"""The column layouts that CSV and Parquet files are read in; published in `contracts/`."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

type Form = Literal["symbol", "time", "date", "price", "count", "text", "flag"]

FORMS: Final[Mapping[Form, str]] = {
    "symbol": "1 to 15 of A-Z 0-9 . - starting with a letter; lower case is raised",
    "time": "ISO-8601 with Z or an offset; a Parquet timestamp without zone is UTC; "
    "in daily bars also a date, the session whose close becomes the time",
    "date": "YYYY-MM-DD, or a Parquet date or timestamp",
    "price": "USD, up to nine decimals are kept",
    "count": "a whole number",
    "text": "text",
    "flag": "true or false",
}
"""What a value of each form looks like."""


class Column(msgspec.Struct, frozen=True):
    """One column: `required` ones must exist and hold a value in every row."""

    name: str
    form: Form
    description: str
    required: bool = True


_SYMBOL: Final = Column("symbol", "symbol", "Ticker.")
_TIME: Final = Column("ts_event", "time", "When the row could be known; a bar's close.")

LAYOUTS: Final[Mapping[str, tuple[Column, ...]]] = {
    "bars": (
        _SYMBOL,
        _TIME,
        Column("open", "price", "First price."),
        Column("high", "price", "Highest price."),
        Column("low", "price", "Lowest price."),
        Column("close", "price", "Last price."),
        Column("volume", "count", "Shares traded."),
    ),
    "quotes": (
        _SYMBOL,
        _TIME,
        Column("bid", "price", "Best bid; empty or 0: none.", required=False),
        Column("ask", "price", "Best ask; empty or 0: none.", required=False),
        Column("bid_size", "count", "Shares at the bid.", required=False),
        Column("ask_size", "count", "Shares at the ask.", required=False),
    ),
    "trades": (
        _SYMBOL,
        _TIME,
        Column("price", "price", "Price of the print."),
        Column("size", "count", "Shares."),
        Column("exchange", "text", "Where it printed.", required=False),
        Column("conditions", "text", "Sale conditions as published.", required=False),
        Column("suspicious", "flag", "True: not to be trusted; default false.", required=False),
    ),
    "earnings": (_SYMBOL, Column("date", "date", "Announcement date.")),
    "borrow": (
        _SYMBOL,
        Column("date", "date", "Session."),
        Column("shares", "count", "Shares that can be borrowed."),
    ),
    "actions": (
        _SYMBOL,
        Column("ex_date", "date", "First session at the new terms."),
        Column("kind", "text", "split, dividend, rename or delisting."),
        Column("numerator", "count", "Split: new shares ...", required=False),
        Column("denominator", "count", "... for this many old shares.", required=False),
        Column("amount", "price", "Dividend: USD per share held before.", required=False),
        Column("old_symbol", "text", "Rename: the ticker before.", required=False),
    ),
}
"""Kind of data -> its columns."""


def contract(data: str) -> dict[str, object]:
    """Return the published form of one layout."""
    columns = [
        {
            "name": column.name,
            "required": column.required,
            "form": FORMS[column.form],
            "description": column.description,
        }
        for column in LAYOUTS[data]
    ]
    return {"title": f"tabular {data}", "formats": ["csv", "csv.gz", "parquet"], "columns": columns}


def file_names(data: str, renamed: Mapping[str, str]) -> dict[str, str]:
    """Return store column -> file column.

    Raises
    ------
    Failure
        CONFIG when `renamed` names a column that the layout does not have.
    """
    known = {column.name: column.name for column in LAYOUTS[data]}
    for name in renamed:
        if name not in known:
            close = nearest(name, known)
            raise Failure(
                f"the {data} layout has no column {name!r}",
                code=ExitCode.CONFIG,
                where=f"source.columns.{name}",
                expected=", ".join(known),
                found=name,
                next_step=f"did you mean {close!r}?" if close else "",
            )
    return known | dict(renamed)
