"""Baselines of the history store."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from tradingd.domain.market import NANOSECONDS, ActionKind, DataKind, Resolution, Session
from tradingd.domain.money import Nanos, nanos
from tradingd.history.store import Store
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline, cumulated
from tradingd.session.calendar import SessionCalendar, local_midnight_ns

if TYPE_CHECKING:
    import duckdb

_HOUR = 3_600 * NANOSECONDS

# By hours, because a join on equal numbers is many times faster than one on spans of time.
_VOLUMES = """
    SELECT b.symbol, d.day, (epoch_ns(b.ts_event) - 1 - d.midnight) // 60000000000 AS minute,
           sum(b.volume * coalesce(f.factor, 1.0)),
           sum(CASE WHEN epoch_ns(b.ts_event) > d.open AND epoch_ns(b.ts_event) <= d.close
               THEN b.volume * coalesce(f.factor, 1.0) ELSE 0 END)
    FROM bars b
    JOIN hours d ON (epoch_ns(b.ts_event) - 1) // 3600000000000 = d.hour
    LEFT JOIN factors f ON f.symbol = b.symbol AND f.day = d.day
    WHERE b.resolution = '1m' AND b.symbol IN (SELECT symbol FROM wanted)
      AND b.ts_event > ? AND b.ts_event <= ?
    GROUP BY GROUPING SETS ((b.symbol, minute), (b.symbol, d.day))
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
        "CREATE TEMP TABLE hours(hour BIGINT, day DATE, midnight BIGINT, open BIGINT, close BIGINT)"
    )
    columns = [*map(list, zip(*(row for one in sessions for row in _hours(one)), strict=True))]
    spread = ", ".join(["unnest(?)"] * len(columns))
    connection.execute(f"INSERT INTO hours SELECT {spread}", columns)
    connection.execute("CREATE TEMP TABLE factors(symbol VARCHAR, day DATE, factor DOUBLE)")
    if factors:
        connection.executemany(
            "INSERT INTO factors VALUES (?, ?, ?)",
            [(symbol, day, float(factor)) for (symbol, day), factor in factors.items()],
        )
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
    volumes = _volumes(connection.execute(_VOLUMES, span).fetchall())
    return {
        symbol: _baseline(
            volumes.get(symbol),
            None
            if symbol not in closes
            else round(nanos(closes[symbol]) / factors.get((symbol, last.day), Fraction(1))),
        )
        for symbol in closes.keys() | volumes.keys()
    }


class _Volumes:
    """Sums of one symbol, in the share units of the asked day."""

    def __init__(self) -> None:
        self.minutes = [0.0] * MINUTES_A_DAY
        self.regular = 0.0
        self.days = 0


def _volumes(rows: Sequence[tuple[str, dt.date | None, int, float, float]]) -> dict[str, _Volumes]:
    """Return the sums by symbol; a row is that of a minute, or of a session."""
    found: dict[str, _Volumes] = {}
    for symbol, day, minute, volume, regular in rows:
        one = found.get(symbol)
        if one is None:
            one = found[symbol] = _Volumes()
        if day is None:
            one.minutes[minute] += volume
        else:
            one.regular += regular
            one.days += 1
    return found


def _baseline(volumes: _Volumes | None, prior_close: Nanos | None) -> Baseline:
    if volumes is None:
        return Baseline(prior_close=prior_close, usual=(0.0,) * (MINUTES_A_DAY + 1), sessions=0)
    days = volumes.days
    return Baseline(
        prior_close=prior_close,
        usual=cumulated([one / days for one in volumes.minutes]),
        sessions=days,
        average_volume=volumes.regular / days,
    )


def _hours(session: Session) -> Iterator[tuple[int, dt.date, int, int, int]]:
    """Yield the whole hours since the epoch of a New York day, which begins with one."""
    midnight = local_midnight_ns(session.day)
    for ts in range(midnight, local_midnight_ns(session.day + dt.timedelta(days=1)), _HOUR):
        yield ts // _HOUR, session.day, midnight, session.open_ns, session.close_ns


def _stamp(ts: int) -> str:
    whole, rest = divmod(ts, NANOSECONDS)
    return f"{dt.datetime.fromtimestamp(whole, tz=dt.UTC):%Y-%m-%d %H:%M:%S}.{rest:09d}"
