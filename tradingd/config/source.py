"""Group `source`: where history is imported from."""

from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group, Symbol


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


SourceConfig = SampleSource | LeanSource | TabularSource
