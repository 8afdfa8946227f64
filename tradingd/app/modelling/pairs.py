"""What an instance recorded: the rows that a champion and its challenger both predicted."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tradingd.features.series import Floats, Integers
from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.prediction_log import read_log
from tradingd.serving.shadow import CHALLENGER, CHAMPION


class Pairs(NamedTuple):
    """Rows that both predicted, by moment, then symbol.

    `ours` and `theirs` are score and probability of the champion and of the challenger; `left_out`
    counts rows of one of them only.
    """

    champion: str
    challenger: str
    symbols: tuple[str, ...]
    symbol: Integers
    ts: Integers
    ours: tuple[Floats, Floats]
    theirs: tuple[Floats, Floats]
    left_out: dict[str, int]


class _Recorded(NamedTuple):
    """Columns of the records of one model's name; `symbol` numbers `symbols`."""

    symbols: tuple[str, ...]
    symbol: Integers
    ts: Integers
    model: list[str]
    role: list[str]
    score: Floats
    probability: Floats


def read_pairs(folder: Path, name: str) -> Pairs:
    """Return the rows of the champion and of the challenger that last predicted the same row.

    Raises
    ------
    Failure
        NO_DATA: nothing is recorded, or no row of both; as of `read_log`.
    """
    table = read_log(folder)
    if table is None:
        raise nothing("no predictions are recorded", str(folder), "no file")
    symbols, symbol = np.unique(np.array(table["symbol"].to_pylist(), str), return_inverse=True)
    found = _Recorded(
        symbols=tuple(symbols.tolist()),
        symbol=symbol,
        ts=table["ts_event"].cast("int64").to_numpy(),
        model=table["model"].to_pylist(),
        role=table["role"].to_pylist(),
        score=table["score"].to_numpy().astype(np.float64),
        probability=table["probability"].to_numpy().astype(np.float64),
    )
    champion, challenger = _latest(found, name, str(folder))
    return _paired(found, champion, challenger)


def _latest(found: _Recorded, name: str, where: str) -> tuple[str, str]:
    """Return the champion and the challenger of the newest row that both predicted."""
    by_role: dict[str, dict[tuple[int, int], str]] = {CHAMPION: {}, CHALLENGER: {}}
    rows = zip(found.ts.tolist(), found.symbol.tolist(), found.model, found.role, strict=True)
    for ts, symbol, model, role in rows:
        if model.partition("@")[0] == name:
            by_role[role][ts, symbol] = model
    champions, challengers = by_role[CHAMPION], by_role[CHALLENGER]
    both = champions.keys() & challengers.keys()
    if not both:
        raise nothing(
            f"no row was predicted by two models of {name}",
            where,
            f"{len(champions):,} rows of a champion, {len(challengers):,} of a challenger",
        )
    newest = max(both)
    return champions[newest], challengers[newest]


def _paired(found: _Recorded, champion: str, challenger: str) -> Pairs:
    keys = list(zip(found.ts.tolist(), found.symbol.tolist(), strict=True))
    ours, theirs = (
        {keys[row]: row for row, model in enumerate(found.model) if model == one}
        for one in (champion, challenger)
    )
    both = sorted(ours.keys() & theirs.keys())
    first, second = (np.array([one[key] for key in both], np.int64) for one in (ours, theirs))
    return Pairs(
        champion=champion,
        challenger=challenger,
        symbols=found.symbols,
        symbol=found.symbol[first],
        ts=found.ts[first],
        ours=(found.score[first], found.probability[first]),
        theirs=(found.score[second], found.probability[second]),
        left_out={
            "champion_only": len(ours) - len(both),
            "challenger_only": len(theirs) - len(both),
        },
    )


def nothing(what: str, where: str, found: str, expected: str = "") -> Failure:
    """Return the refusal of a comparison that has nothing to compare."""
    return Failure(
        what,
        code=ExitCode.NO_DATA,
        where=where,
        expected=expected or "rows of a session that served a model and its challenger",
        found=found,
        next_step="tradingd model challenge NAME@VERSION, then let the session run on",
    )
