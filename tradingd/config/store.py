"""Group `store`: where history is kept."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group


class StoreConfig(Group, frozen=True, kw_only=True):
    """The Parquet history store."""

    root: Annotated[
        str,
        Meta(
            description="Store folder; empty: $XDG_DATA_HOME/tradingd/history, or "
            "/var/lib/tradingd/history under systemd."
        ),
    ] = ""
    level2: Annotated[
        str,
        Meta(
            description="Folder of order books; empty: $XDG_DATA_HOME/tradingd/level2, or "
            "/var/lib/tradingd/level2 under systemd."
        ),
    ] = ""
    row_group_rows: Annotated[
        int, Meta(ge=1_000, le=1_000_000, description="Rows per Parquet row group.")
    ] = 16_384
    compression: Annotated[
        Literal["zstd", "snappy", "none"], Meta(description="Parquet codec.")
    ] = "zstd"
    compression_level: Annotated[
        int, Meta(ge=1, le=19, description="Effort of zstd; the other codecs ignore it.")
    ] = 3
