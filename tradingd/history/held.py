"""How many rows of each session are stored; reads only times."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import Session
from tradingd.history.manifest import FileRecord
from tradingd.history.rowgroups import RowGroups


def rows_per_session(
    root: Path, records: Sequence[FileRecord], sessions: Sequence[Session]
) -> NDArray[np.int64]:
    """Count rows with open < ts_event <= close, for each session, in order.

    Raises
    ------
    Failure
        DAMAGED_PARQUET when a file cannot be read.
    """
    counts = np.zeros(len(sessions), dtype=np.int64)
    if not sessions:
        return counts
    opens = np.array([one.open_ns for one in sessions], dtype=np.int64)
    closes = np.array([one.close_ns for one in sessions], dtype=np.int64)
    touching = [one for one in records if one.last_ts > opens[0] and one.first_ts <= closes[-1]]
    for stamps in RowGroups(root, touching).stamps():
        ordered = np.sort(stamps)
        low = np.searchsorted(ordered, opens, side="right")
        high = np.searchsorted(ordered, closes, side="right")
        counts += high - low
    return counts
