"""Group `backfill`: past order books for the days that were traded."""

import datetime as dt
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Group, Positive, SecretRef
from tradingd.config.books import BookSchema, Dataset, IntervalMs, Levels, OnChange, StaleSeconds
from tradingd.kits.loopback import local


class DatabentoBooks(Group, tag_field="kind", tag="databento", frozen=True, kw_only=True):
    """Databento's historical books; every request has a price."""

    dataset: Dataset = "XNAS.ITCH"
    schema: BookSchema = "mbp-10"
    key: SecretRef = "env:DATABENTO_API_KEY"
    endpoint: Annotated[
        str,
        Meta(
            description="Base URL in place of Databento's own host, for a server on this machine."
        ),
    ] = ""
    timeout: Annotated[
        float, Meta(gt=0, le=600, description="Wait for one answer.", extra={"unit": "seconds"})
    ] = 60.0
    lead_minutes: Annotated[
        int,
        Meta(
            ge=0,
            le=1_200,
            description="Records before the window are asked for, and paid, too, so that the book "
            "is known when it begins; 0: its first row is at the symbol's first record in it.",
            extra={"unit": "minutes"},
        ),
    ] = 0
    spending_limit: Annotated[
        Decimal,
        Meta(
            description="Most that one backfill may cost by Databento's own estimate; it stops "
            "before the first paid byte. 0: only what is free of charge.",
            extra={"unit": "USD"},
        ),
    ] = Decimal(0)

    def __post_init__(self) -> None:
        if not self.spending_limit.is_finite() or not 0 <= self.spending_limit <= 1_000_000:
            raise ValueError(
                f"backfill.provider.spending_limit must be 0 to 1,000,000, "
                f"found {self.spending_limit}"
            )
        if self.endpoint and not local(self.endpoint):
            raise ValueError(
                f"backfill.provider.endpoint must be on this machine, as http://127.0.0.1:PORT; "
                f"keys go to the vendor's own host only; found {self.endpoint}"
            )


class FolderBooks(Group, tag_field="kind", tag="folder", frozen=True, kw_only=True):
    """DBN files that are already on this machine."""

    path: Annotated[str, Meta(min_length=1, description="Folder of *.dbn and *.dbn.zst files.")]


class BackfillConfig(Group, frozen=True, kw_only=True):
    """What `tradingd backfill l2` fetches; off until enabled."""

    enabled: Annotated[
        bool, Meta(description="False: `tradingd backfill l2` says so and fetches nothing.")
    ] = False
    provider: Annotated[
        DatabentoBooks | FolderBooks, Meta(description="Who has the books: databento or folder.")
    ] = DatabentoBooks()
    log: Annotated[
        str, Meta(description="Trade log (.xlsx or .csv) that names symbols and days; or --log.")
    ] = ""
    columns: Annotated[
        dict[str, str],
        Meta(description="Field -> column of the trade log, where the known names do not fit."),
    ] = {}
    sheet: Annotated[
        str,
        Meta(description="Sheet of the trade log; empty: every visible one that has the columns."),
    ] = ""
    day_first: Annotated[
        bool, Meta(description="The trade log writes 3/4/2025 for the third of April.")
    ] = False
    mapping: Annotated[
        str,
        Meta(description="JSON file {symbol of the log: the vendor's}; missing: the same, warned."),
    ] = ""
    window_start: Annotated[
        dt.time, Meta(description="First moment fetched, New York time.", tz=False)
    ] = dt.time(9, 0)
    window_end: Annotated[
        dt.time, Meta(description="First moment not fetched any more, New York time.", tz=False)
    ] = dt.time(11, 0)
    trading_start: Annotated[
        dt.time, Meta(description="Earliest beginning of a window.", tz=False)
    ] = dt.time(4, 0)
    trading_end: Annotated[dt.time, Meta(description="Latest end of a window.", tz=False)] = (
        dt.time(20, 0)
    )
    enforce_trading_window: Annotated[
        bool, Meta(description="Clamp the window to trading_start and trading_end.")
    ] = True
    workers: Annotated[int, Meta(ge=1, le=64, description="Tasks fetched at once.")] = 4
    tries: Annotated[int, Meta(ge=1, le=20, description="Tries of one task.")] = 5
    backoff_initial_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=600_000,
            description="Wait before the second try; doubles from try to try.",
            extra={"unit": "milliseconds"},
        ),
    ] = 250
    backoff_max_ms: Annotated[
        int,
        Meta(ge=0, le=600_000, description="Longest such wait.", extra={"unit": "milliseconds"}),
    ] = 2_000
    levels: Levels = 10
    interval_ms: IntervalMs = 100
    on_change: OnChange = False
    trades: Annotated[bool, Meta(description="Write the trades of the same window too.")] = False
    stale_seconds: StaleSeconds = 60.0
    chunk_rows: Annotated[
        Positive, Meta(description="Records decoded at once: memory does not grow with the day.")
    ] = 100_000

    def __post_init__(self) -> None:
        if self.interval_ms == 0 and not self.on_change:
            raise ValueError(
                "backfill.interval_ms is 0 and backfill.on_change is false: no snapshots"
            )
        if self.window_end <= self.window_start:
            raise ValueError(
                f"backfill.window_end {self.window_end} is not after window_start "
                f"{self.window_start}"
            )
        if self.trading_end <= self.trading_start:
            raise ValueError(
                f"backfill.trading_end {self.trading_end} is not after trading_start "
                f"{self.trading_start}"
            )
        if self.backoff_max_ms < self.backoff_initial_ms:
            raise ValueError("backfill.backoff_max_ms is below backoff_initial_ms")
