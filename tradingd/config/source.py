"""Group `source`: where history is imported from."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group, SecretRef, Symbol
from tradingd.kits.loopback import local


class SampleSource(Group, tag_field="kind", tag="sample", frozen=True, kw_only=True):
    """Real daily bars that ship inside the `bokeh-sampledata` package (5 symbols, 2000-2013)."""


class LeanSource(Group, tag_field="kind", tag="lean", frozen=True, kw_only=True):
    """A folder in QuantConnect LEAN's layout (daily, hour, minute, second, tick; zip of CSV)."""

    path: Annotated[
        str, Meta(min_length=1, description="The folder that holds daily/, minute/ ...")
    ]
    symbols: Annotated[tuple[Symbol, ...], Meta(description="Only these; empty: all.")] = ()


class TabularSource(Group, tag_field="kind", tag="tabular", frozen=True, kw_only=True):
    """CSV or Parquet files in the documented column layout."""

    path: Annotated[str, Meta(min_length=1, description="A file, or a folder of files.")]
    data: Annotated[
        Literal["bars", "quotes", "trades", "earnings", "borrow", "actions"],
        Meta(description="Which table the rows belong to."),
    ] = "bars"
    resolution: Annotated[
        Literal["1s", "1m", "1h", "1d"], Meta(description="Length of the bars.")
    ] = "1d"
    adjusted: Annotated[
        bool, Meta(description="True: prices are already split-adjusted; recorded, not undone.")
    ] = False
    columns: Annotated[
        dict[str, str], Meta(description="Store column -> file column, where names differ.")
    ] = {}
    skip_invalid: Annotated[
        bool,
        Meta(description="True: leave rows with impossible prices out, counted; False: refuse."),
    ] = False


class RemoteSource(Group, frozen=True, kw_only=True):
    """What every vendor's source is asked for; days are New York days, both inclusive."""

    symbols: Annotated[
        tuple[Symbol, ...],
        Meta(description="What to fetch; empty is refused by `data import`."),
    ] = ()
    start: Annotated[dt.date, Meta(description="First day.")] = dt.date(2020, 1, 1)
    end: Annotated[
        dt.date | None, Meta(description="Last day, inclusive; None: the last that is over.")
    ] = None
    resolution: Annotated[Literal["1m", "1h", "1d"], Meta(description="Length of the bars.")] = "1d"
    endpoint: Annotated[
        str,
        Meta(
            description="Base URL in place of the vendor's own host, for a server on this machine."
        ),
    ] = ""
    requests_per_minute: Annotated[
        int, Meta(ge=1, le=100_000, description="Requests a minute at most.")
    ] = 200
    timeout: Annotated[
        float, Meta(gt=0, le=600, description="Wait for one answer.", extra={"unit": "seconds"})
    ] = 30.0
    tries: Annotated[
        int,
        Meta(ge=1, le=20, description="Tries of one request; the waits between them double."),
    ] = 5

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"source.end {self.end} is before source.start {self.start}")
        if self.endpoint and not local(self.endpoint):
            raise ValueError(
                f"source.endpoint must be on this machine, as http://127.0.0.1:PORT; keys go "
                f"to the vendor's own host only; found {self.endpoint}"
            )


class AlpacaSource(RemoteSource, tag_field="kind", tag="alpaca", frozen=True, kw_only=True):
    """Alpaca's market data: unadjusted bars, splits and dividends."""

    feed: Annotated[
        Literal["iex", "sip"], Meta(description="iex: one exchange, free; sip: all exchanges.")
    ] = "iex"
    adjustment: Annotated[
        Literal["raw"], Meta(description="Prices as traded; the store adjusts by itself.")
    ] = "raw"
    key_id: SecretRef = "env:APCA_API_KEY_ID"
    secret_key: SecretRef = "env:APCA_API_SECRET_KEY"  # noqa: S105 - a reference, no secret


class DatabentoSource(RemoteSource, tag_field="kind", tag="databento", frozen=True, kw_only=True):
    """Databento's bars; every request has a price, and none is paid unless a limit allows it."""

    dataset: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z0-9]+\.[A-Z0-9]+)?$",
            description="Databento's dataset; empty: EQUS.SUMMARY for daily bars, else EQUS.MINI.",
        ),
    ] = ""
    spending_limit: Annotated[
        Decimal,
        Meta(
            description="Most that one import or sync may cost by Databento's own estimate; "
            "0: only what is free of charge.",
            extra={"unit": "USD"},
        ),
    ] = Decimal(0)
    key: SecretRef = "env:DATABENTO_API_KEY"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.spending_limit.is_finite() or not 0 <= self.spending_limit <= 1_000_000:
            raise ValueError(
                f"source.spending_limit must be 0 to 1,000,000, found {self.spending_limit}"
            )


class TiingoSource(RemoteSource, tag_field="kind", tag="tiingo", frozen=True, kw_only=True):
    """Tiingo's end-of-day prices (with splits and dividends) and IEX intraday bars."""

    requests_per_minute: Annotated[
        int, Meta(ge=1, le=100_000, description="Requests a minute at most.")
    ] = 40
    key: SecretRef = "env:TIINGO_API_KEY"


class MassiveSource(RemoteSource, tag_field="kind", tag="massive", frozen=True, kw_only=True):
    """Massive (formerly Polygon.io): aggregates, splits and dividends."""

    requests_per_minute: Annotated[
        int, Meta(ge=1, le=100_000, description="Requests a minute at most; the free plan has 5.")
    ] = 5
    key: SecretRef = "env:MASSIVE_API_KEY"


class YahooSource(RemoteSource, tag_field="kind", tag="yahoo", frozen=True, kw_only=True):
    """Yahoo Finance, unofficial and without a key; daily bars, splits taken out of them."""

    requests_per_minute: Annotated[
        int, Meta(ge=1, le=100_000, description="Requests a minute at most.")
    ] = 30


RemoteSourceConfig = AlpacaSource | DatabentoSource | TiingoSource | MassiveSource | YahooSource
"""Sources that are asked for symbols and days over a network; `data sync` takes these."""

SourceConfig = SampleSource | LeanSource | TabularSource | RemoteSourceConfig
