"""Baselines of the history store."""

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from tradingd.domain.market import NANOSECONDS, ActionKind, DataKind, Resolution, Session
from tradingd.domain.money import nanos
from tradingd.history.store import Store
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline, cumulated
from tradingd.session.calendar import SessionCalendar, local_midnight_ns

if TYPE_CHECKING:
    import duckdb

_MINUTES = """
    SELECT b.symbol,
           (epoch_ns(b.ts_event) - 1 - d.midnight) // 60000000000 AS minute,
           sum(b.volume * coalesce(f.factor, 1.0))
    FROM bars b
    JOIN days d ON epoch_ns(b.ts_event) > d.midnight AND epoch_ns(b.ts_event) <= d.next_midnight
    LEFT JOIN factors f ON f.symbol = b.symbol AND f.day = d.day
    WHERE b.resolution = '1m' AND b.symbol IN (SELECT symbol FROM wanted)
      AND b.ts_event > ? AND b.ts_event <= ?
    GROUP BY ALL
"""

_SESSIONS = """
    SELECT b.symbol, count(DISTINCT d.day),
           sum(CASE WHEN epoch_ns(b.ts_event) > d.open AND epoch_ns(b.ts_event) <= d.close
               THEN b.volume * coalesce(f.factor, 1.0) ELSE 0 END)
    FROM bars b
    JOIN days d ON epoch_ns(b.ts_event) > d.midnight AND epoch_ns(b.ts_event) <= d.next_midnight
    LEFT JOIN factors f ON f.symbol = b.symbol AND f.day = d.day
    WHERE b.resolution = '1m' AND b.symbol IN (SELECT symbol FROM wanted)
      AND b.ts_event > ? AND b.ts_event <= ?
    GROUP BY ALL
"""

_LAST_CLOSE = """
    SELECT b.symbol, arg_max(b.close, b.ts_event)
    FROM bars b
    WHERE b.resolution = ? AND b.symbol IN (SELECT symbol FROM wanted)
      AND b.ts_event > ? AND b.ts_event <= ?
    GROUP BY ALL
"""


class StoredBaselines:
    """Baselines out of stored minute bars; the prior close is the daily bar's where stored.

    Parameters
    ----------
    store : Store
        Bars are stored unadjusted; splits up to the asked day are applied here.
    calendar : SessionCalendar
        Which days are sessions.
    sessions : int
        Sessions before the day that make the mean.
    """

    def __init__(self, store: Store, calendar: SessionCalendar, sessions: int) -> None:
        self._store = store
        self._calendar = calendar
        self._sessions = sessions

    def of(self, day: dt.date, symbols: Sequence[str]) -> Mapping[str, Baseline]:
        """Return what is known before a New York day; symbols without any bars are left out.

        Raises
        ------
        Failure
            DAMAGED_PARQUET or NO_DATA.
        """
        before = self._calendar.between(dt.date.min, day - dt.timedelta(days=1))
        sessions = before[-self._sessions :]
        if not sessions or not symbols:
            return {}
        factors = self._factors(sessions, day, symbols)
        with self._store.connect() as connection:
            _prepare(connection, sessions, factors, symbols)
            return _read(connection, sessions, factors)

    def symbols(self) -> Sequence[str]:
        """Return the symbols with minute bars."""
        return self._store.symbols(DataKind.BARS, Resolution.MINUTE)

    def _factors(
        self, sessions: Sequence[Session], day: dt.date, symbols: Sequence[str]
    ) -> dict[tuple[str, dt.date], Fraction]:
        """Return what one share of a session became by `day`, where that is not one."""
        splits = [
            one
            for one in self._store.actions(symbols)
            if one.kind is ActionKind.SPLIT and sessions[0].day < one.ex_date <= day
        ]
        found: dict[tuple[str, dt.date], Fraction] = {}
        for split in splits:
            for session in sessions:
                if session.day < split.ex_date:
                    key = (split.symbol, session.day)
                    ratio = Fraction(split.numerator, split.denominator)
                    found[key] = found.get(key, Fraction(1)) * ratio
        return found


def _prepare(
    connection: "duckdb.DuckDBPyConnection",
    sessions: Sequence[Session],
    factors: Mapping[tuple[str, dt.date], Fraction],
    symbols: Sequence[str],
) -> None:
    connection.execute(
        "CREATE TEMP TABLE days(day DATE, midnight BIGINT, next_midnight BIGINT, "
        "open BIGINT, close BIGINT)"
    )
    connection.executemany(
        "INSERT INTO days VALUES (?, ?, ?, ?, ?)",
        [
            (
                one.day,
                local_midnight_ns(one.day),
                local_midnight_ns(one.day + dt.timedelta(days=1)),
                one.open_ns,
                one.close_ns,
            )
            for one in sessions
        ],
    )
    connection.execute("CREATE TEMP TABLE factors(symbol VARCHAR, day DATE, factor DOUBLE)")
    if factors:
        rows = [(symbol, day, float(factor)) for (symbol, day), factor in factors.items()]
        connection.executemany("INSERT INTO factors VALUES (?, ?, ?)", rows)
    connection.execute("CREATE TEMP TABLE wanted AS SELECT unnest(?) AS symbol", [list(symbols)])


def _read(
    connection: "duckdb.DuckDBPyConnection",
    sessions: Sequence[Session],
    factors: Mapping[tuple[str, dt.date], Fraction],
) -> dict[str, Baseline]:
    last = sessions[-1]
    span = [
        _stamp(local_midnight_ns(sessions[0].day)),
        _stamp(local_midnight_ns(last.day + dt.timedelta(days=1))),
    ]
    regular = [_stamp(last.open_ns), _stamp(last.close_ns)]
    # A daily bar's time is its session's close.
    closes = dict(connection.execute(_LAST_CLOSE, ["1m", *regular]).fetchall())
    closes |= dict(connection.execute(_LAST_CLOSE, ["1d", *regular]).fetchall())
    totals = {
        symbol: (days, float(volume))
        for symbol, days, volume in connection.execute(_SESSIONS, span).fetchall()
    }
    minutes: dict[str, list[float]] = {}
    for symbol, minute, volume in connection.execute(_MINUTES, span).fetchall():
        minutes.setdefault(symbol, [0.0] * MINUTES_A_DAY)[int(minute)] += float(volume)
    return {
        symbol: Baseline(
            prior_close=(
                None
                if symbol not in closes
                else round(nanos(closes[symbol]) / factors.get((symbol, last.day), Fraction(1)))
            ),
            usual=_mean(minutes.get(symbol), totals.get(symbol, (0, 0.0))[0]),
            sessions=totals.get(symbol, (0, 0.0))[0],
            average_volume=totals[symbol][1] / totals[symbol][0] if symbol in totals else None,
        )
        for symbol in closes.keys() | totals.keys()
    }


def _mean(volumes: Sequence[float] | None, sessions: int) -> tuple[float, ...]:
    if volumes is None:
        return (0.0,) * (MINUTES_A_DAY + 1)
    return cumulated([one / sessions for one in volumes])


def _stamp(ts: int) -> str:
    whole, rest = divmod(ts, NANOSECONDS)
    return f"{dt.datetime.fromtimestamp(whole, tz=dt.UTC):%Y-%m-%d %H:%M:%S}.{rest:09d}"
