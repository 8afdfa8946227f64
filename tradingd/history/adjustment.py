"""SQL of the adjusted views: factors from the actions table, applied to bars as stored.

Splits are exact: prices become price x D / N and volumes volume x N / D, where N / D is the product
of all later split ratios as integers; both are rounded half up, prices to nine decimals, volumes to
whole shares. Dividends multiply earlier prices by 1 - amount / close before the ex-date, the
back-adjustment that CRSP (Center for Research in Security Prices, "Data Descriptions Guide",
factor to adjust price) and Yahoo Finance ("What is the adjusted close?") describe; that product is
floating point, rounded to nine decimals. The close is the daily bar's where one lies within ten
days before the ex-date, else the last bar's of the series itself. All stored actions count, also
those after the last bar.
"""

from typing import Final

# Each split is in force for bars up to `until`; the row carries the product of it and all later.
SPLIT_FACTORS: Final = """
CREATE TEMP TABLE split_factors AS
SELECT symbol, effective AS until,
       list_reduce(list(numerator::HUGEINT) OVER later, lambda a, b: a * b) AS n,
       list_reduce(list(denominator::HUGEINT) OVER later, lambda a, b: a * b) AS d
FROM actions WHERE kind = 'split'
WINDOW later AS (PARTITION BY symbol ORDER BY effective DESC ROWS UNBOUNDED PRECEDING)
"""

# A price times one billion is a whole number; half up: (2ad + n) // 2n.
MACROS: Final = (
    """CREATE TEMP MACRO split_price(price, n, d) AS CAST(
           ((2 * CAST(price::DECIMAL(38, 9) * 1000000000 AS HUGEINT) * d + n)
            // (2 * n))::DECIMAL(27, 0) * 0.000000001::DECIMAL(10, 9) AS DECIMAL(18, 9))""",
    """CREATE TEMP MACRO split_volume(volume, n, d) AS
           CAST((2 * volume::HUGEINT * n + d) // (2 * d) AS BIGINT)""",
    """CREATE TEMP MACRO total_price(price, factor) AS
           CAST(round(price::DOUBLE * factor, 9) AS DECIMAL(18, 9))""",
)

_PRICES: Final = ("open", "high", "low", "close")


def _columns(template: str) -> str:
    return ", ".join(template.format(name) + f" AS {name}" for name in _PRICES)


BARS_SPLIT: Final = f"""
CREATE TEMP VIEW bars_split AS
SELECT b.symbol, b.resolution, b.ts_event, b.ts_init,
       {_columns("CASE WHEN f.n IS NULL THEN b.{0} ELSE split_price(b.{0}, f.n, f.d) END")},
       CASE WHEN f.n IS NULL THEN b.volume ELSE split_volume(b.volume, f.n, f.d) END AS volume
FROM stored_bars b ASOF LEFT JOIN split_factors f
  ON b.symbol = f.symbol AND NOT b.adjusted AND b.ts_event <= f.until
"""

# Dividends in the share units of the close they are measured against.
DIVIDEND_FACTORS: Final = """
CREATE TEMP VIEW dividend_factors AS
WITH paid AS (
    SELECT a.symbol, s.resolution, a.effective, a.amount,
           coalesce(f.n, 1)::DOUBLE AS n, coalesce(f.d, 1)::DOUBLE AS d
    FROM (SELECT * FROM actions WHERE kind = 'dividend') a
    JOIN stored_series s USING (symbol)
    ASOF LEFT JOIN split_factors f ON a.symbol = f.symbol AND a.effective <= f.until
), daily AS (
    SELECT paid.*, b.close AS day_close, b.adjusted AS day_adjusted, b.ts_event AS day_ts
    FROM paid ASOF LEFT JOIN (SELECT * FROM stored_bars WHERE resolution = '1d') b
      ON paid.symbol = b.symbol AND paid.effective >= b.ts_event
), both_closes AS (
    SELECT daily.*, b.close AS own_close, b.adjusted AS own_adjusted, b.ts_event AS own_ts
    FROM daily ASOF LEFT JOIN stored_bars b
      ON daily.symbol = b.symbol AND daily.resolution = b.resolution
         AND daily.effective >= b.ts_event
), before AS (
    SELECT *, day_ts IS NOT NULL AND effective - day_ts <= INTERVAL 10 DAY AS by_day,
           CASE WHEN by_day THEN day_close ELSE own_close END::DOUBLE AS close_before,
           CASE WHEN by_day THEN day_adjusted ELSE own_adjusted END AS restated,
           amount::DOUBLE * CASE WHEN restated THEN d / n ELSE 1 END AS paid_amount
    FROM both_closes
    WHERE by_day OR effective - own_ts <= INTERVAL 10 DAY
)
SELECT symbol, resolution, effective AS until,
       product(1 - paid_amount / close_before)
           OVER (PARTITION BY symbol, resolution ORDER BY effective DESC
                 ROWS UNBOUNDED PRECEDING) AS factor
FROM before WHERE paid_amount < close_before
"""

BARS_TOTAL: Final = f"""
CREATE TEMP VIEW bars_total AS
SELECT b.symbol, b.resolution, b.ts_event, b.ts_init,
       {_columns("CASE WHEN f.factor IS NULL THEN b.{0} ELSE total_price(b.{0}, f.factor) END")},
       b.volume
FROM bars_split b ASOF LEFT JOIN dividend_factors f
  ON b.symbol = f.symbol AND b.resolution = f.resolution AND b.ts_event <= f.until
"""

STATEMENTS: Final = (SPLIT_FACTORS, *MACROS, BARS_SPLIT, DIVIDEND_FACTORS, BARS_TOTAL)
