"""Group `store`: where history is kept."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group


class StoreConfig(Group, frozen=True, kw_only=True):
    """The Parquet history store."""

    root: Annotated[
        str,
        Meta(description="Store folder; empty: $XDG_DATA_HOME/tradingd/history."),
    ] = ""
    row_group_rows: Annotated[
        int, Meta(ge=1_000, le=1_000_000, description="Rows per Parquet row group.")
    ] = 16_384
    compression: Literal["zstd", "snappy", "none"] = "zstd"
    compression_level: Annotated[int, Meta(ge=1, le=19)] = 3
