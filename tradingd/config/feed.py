"""Group `feed`: where a paper or live session gets its bars from."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from tradingd.config.base import Group, Positive, SecretRef


class ReplayFeed(Group, tag_field="kind", tag="replay", frozen=True, kw_only=True):
    """History streamed as if it happened now; data time rules the session."""

    data: Annotated[
        Literal["store", "sample", "synthetic"],
        Meta(
            description="store: the history store; sample: the embedded real daily bars; "
            "synthetic: invented minute bars, labelled so everywhere."
        ),
    ] = "store"
    start: Annotated[
        dt.date | None, Meta(description="First session day; None: the first there is.")
    ] = None
    end: Annotated[
        dt.date | None, Meta(description="Last session day, inclusive; None: the last there is.")
    ] = None
    speed: Annotated[
        float,
        Meta(
            ge=0,
            description="Data seconds per wall second while bars come; 0: as fast as possible.",
            extra={"unit": "factor"},
        ),
    ] = 1.0
    longest_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="Most wall seconds between two batches (nights, weekends); 0: no limit.",
            extra={"unit": "seconds"},
        ),
    ] = 5.0
    at_end: Annotated[
        Literal["stop", "stay"],
        Meta(description="stop: end the session when the replay is over; stay: keep serving."),
    ] = "stop"
    symbols: Annotated[
        Positive, Meta(description="Number of symbols, for data=synthetic only.")
    ] = 5
    days: Annotated[Positive, Meta(description="Number of sessions, for data=synthetic only.")] = 5
    seed: Annotated[int, Meta(ge=0, description="Seed of the invented prices.")] = 7


class AlpacaFeed(Group, tag_field="kind", tag="alpaca", frozen=True, kw_only=True):
    """Alpaca's market data: bars, quotes and trading halts by WebSocket, history by REST."""

    data: Annotated[
        Literal["iex", "sip", "delayed_sip", "test"],
        Meta(
            description="iex: one exchange, free; sip: all exchanges; delayed_sip: 15 minutes "
            "late, never for trading; test: Alpaca's FAKEPACA."
        ),
    ] = "iex"
    key_id: SecretRef = "env:APCA_API_KEY_ID"
    secret_key: SecretRef = "env:APCA_API_SECRET_KEY"  # noqa: S105 - a reference, no secret
    endpoint: Annotated[
        str,
        Meta(
            description="Base URL of the data API; empty: Alpaca's own host. Another host must be "
            "on this machine (tradingd sim alpaca)."
        ),
    ] = ""
    stream: Annotated[
        str, Meta(description="Base URL of the data stream; empty: Alpaca's own, or the endpoint's")
    ] = ""
    clock: Annotated[
        Literal["wall", "data"],
        Meta(
            description="data: the time of the last bar rules the session, as in a replay; only "
            "with a test server on this machine."
        ),
    ] = "wall"
    quotes: Annotated[
        bool, Meta(description="Follow quotes: limit prices then know the spread.")
    ] = True
    bar_grace_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=60,
            description="Wait for the bars of a minute after its end; later ones are counted and "
            "left out.",
            extra={"unit": "seconds"},
        ),
    ] = 3.0
    mute_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="Silence of one symbol, while others speak, after which it is subscribed "
            "anew.",
            extra={"unit": "seconds"},
        ),
    ] = 300.0
    requests_per_minute: Annotated[
        int, Meta(ge=10, le=100_000, description="Requests for history a minute.")
    ] = 200
    at_end: Annotated[
        Literal["stop", "stay"],
        Meta(description="What the session does when a test server's market is over."),
    ] = "stop"


FeedConfig = ReplayFeed | AlpacaFeed
