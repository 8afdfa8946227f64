"""Group `depth`: where order books come from, for the recorder, the screen and replays."""

from typing import Annotated

from msgspec import Meta

from tradingd.config.base import Group, Positive, SecretRef
from tradingd.config.books import BookSchema, Dataset
from tradingd.kits.loopback import local

_Port = Annotated[int, Meta(ge=1, le=65_535, description="TCP port of the gateway.")]


class NoDepth(Group, tag_field="kind", tag="none", frozen=True, kw_only=True):
    """No order books."""


class ReplayDepth(Group, tag_field="kind", tag="replay", frozen=True, kw_only=True):
    """Files of books streamed as if they happened now; data time rules."""

    path: Annotated[
        str,
        Meta(
            min_length=1,
            description="A DBN or snapshot file, or a folder of them, any symbols: one day for a "
            "replay; a backtest runs over all days.",
        ),
    ]
    speed: Annotated[
        float,
        Meta(
            ge=0,
            description="Data seconds per wall second; 0: as fast as possible.",
            extra={"unit": "factor"},
        ),
    ] = 1.0
    longest_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="Most wall seconds between two records; 0: no limit.",
            extra={"unit": "seconds"},
        ),
    ] = 1.0


class DatabentoDepth(Group, tag_field="kind", tag="databento", frozen=True, kw_only=True):
    """Databento's live books, with a licence for the dataset."""

    dataset: Dataset = "XNAS.ITCH"
    schema: BookSchema = "mbp-10"
    key: SecretRef = "env:DATABENTO_API_KEY"
    gateway: Annotated[
        str,
        Meta(description="Host in place of Databento's own, for a server on this machine."),
    ] = ""
    port: _Port = 13_000
    heartbeat_seconds: Annotated[
        int, Meta(ge=5, le=60, description="Silence after which the gateway says it is alive.")
    ] = 5
    queue_events: Annotated[
        Positive,
        Meta(description="Records held for the loop at most; more are dropped, counted and told."),
    ] = 200_000

    def __post_init__(self) -> None:
        if self.gateway and not local(f"http://{self.gateway}"):
            raise ValueError(
                f"depth.gateway must be on this machine, as 127.0.0.1; keys go to the vendor's "
                f"own host only; found {self.gateway}"
            )


class IbkrDepth(Group, tag_field="kind", tag="ibkr", frozen=True, kw_only=True):
    """Interactive Brokers' market depth, through a running TWS or IB Gateway."""

    host: Annotated[str, Meta(min_length=1, description="Host of TWS or IB Gateway.")] = "127.0.0.1"
    port: _Port = 4_002
    client_id: Annotated[
        int,
        Meta(ge=0, le=2**31 - 1, description="API client; another one than any other program's."),
    ] = 17
    exchange: Annotated[
        str, Meta(description="SMART combines exchanges; else one, such as ISLAND or ARCA.")
    ] = "SMART"
    rows: Annotated[int, Meta(ge=1, le=50, description="Levels a side asked for.")] = 10
    timeout: Annotated[
        float, Meta(gt=0, le=120, description="Wait for an answer.", extra={"unit": "seconds"})
    ] = 15.0


DepthConfig = NoDepth | ReplayDepth | DatabentoDepth | IbkrDepth
