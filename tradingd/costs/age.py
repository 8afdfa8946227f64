"""How long ago the rate tables were compared with their sources."""

import datetime as dt
from typing import Final

from tradingd.costs import rates

MOST_DAYS: Final = 180
"""Older tables deserve a warning: Section 31 changes about once a year, TAF every January."""


def schedule_age(day: dt.date) -> dict[str, int]:
    """Return, per table, the days from its last comparison with its sources to `day`."""
    checked = {
        "regulatory": rates.regulatory().checked,
        "ibkr_fixed": rates.ibkr_fixed().checked,
        "ibkr_tiered": rates.ibkr_tiered().checked,
    }
    return {name: (day - date).days for name, date in checked.items()}


def unverified() -> tuple[str, ...]:
    """Return every row that no source confirms, as text for a person."""
    regulatory = rates.regulatory()
    tables: dict[str, tuple[rates.Row, ...]] = {
        "Section 31": regulatory.section_31,
        "TAF": regulatory.taf,
        "CAT": regulatory.cat,
        "IBKR fixed": rates.ibkr_fixed().rows,
        "IBKR tiered": rates.ibkr_tiered().rows,
    }
    return tuple(
        f"{name} from {row.start}: {row.source}"
        for name, rows in tables.items()
        for row in rows
        if not row.verified
    )
