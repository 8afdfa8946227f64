"""Takes the view of a recorder: pure reading, at any moment."""

import asyncio
from collections import Counter

from tradingd.domain.depth import DepthFeed, Dropping
from tradingd.recorder.capture import by_bit
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.places import Places
from tradingd.recorder.stream import Stream
from tradingd.recorder.view import RecorderView, StreamView


def view_of(
    feed: DepthFeed, keeper: Keeper, places: Places, *, lost: int, recovered: int
) -> RecorderView:
    """Return what a recorder is doing now.

    Parameters
    ----------
    feed : DepthFeed
    keeper : Keeper
    places : Places
    lost : int
        Records that were lost of which it is not known whose they were.
    recovered : int
        Captures that its start published.
    """
    streams, captures = places.streams.values(), keeper.captures
    return RecorderView(
        label=feed.label,
        slots=places.slots.capacity,
        recording=tuple(_stream_view(one) for one in streams),
        queue=places.slots.line,
        refused={symbol: one.line() for symbol, one in places.refusals.items()},
        events=places.events,
        rows=sum(one.tally.rows for one in captures),
        messages=sum(one.tally.messages for one in captures),
        late=places.late,
        dropped_feed=feed.dropped if isinstance(feed, Dropping) else lost,
        dropped_rows=keeper.rows.dropped,
        dropped_messages=keeper.messages.dropped,
        unfit=places.unfit_books,
        buffered=keeper.rows.held,
        buffer_limit=keeper.rows.limit,
        flushes=keeper.effort.flushes,
        flushed_ago=_flushed_ago(keeper),
        slowest_flush=keeper.effort.longest,
        disk=keeper.trouble,
        published=sum(one.published for one in captures),
        recovered=recovered,
        data_time=max((one.newest for one in streams), default=0),
    )


def _flushed_ago(keeper: Keeper) -> float:
    at = keeper.flushed_at
    return -1.0 if at is None else asyncio.get_running_loop().time() - at


def _stream_view(stream: Stream) -> StreamView:
    tally = stream.capture.tally if stream.capture else None
    return StreamView(
        symbol=stream.symbol,
        events=stream.events,
        rows=tally.rows if tally else 0,
        waiting=stream.waiting,
        late=stream.late,
        gaps=sum(stream.gaps.values()),
        last_ts=stream.told,
        trouble=", ".join(by_bit(Counter({stream.quality: 1}))).lower().replace("_", " "),
    )
