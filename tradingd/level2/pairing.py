"""Trades beside the books they belong to, chunk by chunk."""

from collections.abc import Iterable, Iterator

import numpy as np

from tradingd.level2.book import BookChunk, TradeChunk

type Chunk = tuple[BookChunk, TradeChunk]


def no_trades() -> TradeChunk:
    """Return a chunk of no trades."""
    none = np.empty(0, np.int64)
    return TradeChunk(ts=none, price=none, size=none, sign=none.astype(np.int8), before=none)


def joined(first: TradeChunk, second: TradeChunk) -> TradeChunk:
    """Return the trades of both, in order."""
    if not len(first.ts):
        return second
    return TradeChunk(
        ts=np.concatenate((first.ts, second.ts)),
        price=np.concatenate((first.price, second.price)),
        size=np.concatenate((first.size, second.size)),
        sign=np.concatenate((first.sign, second.sign)),
        before=np.concatenate((first.before, second.before)),
    )


def taken(trades: TradeChunk, part: slice, *, before: int | None = None) -> TradeChunk:
    """Return some of the trades; `before` replaces their index."""
    indices = trades.before[part]
    return TradeChunk(
        ts=trades.ts[part],
        price=trades.price[part],
        size=trades.size[part],
        sign=trades.sign[part],
        before=indices if before is None else np.full_like(indices, before),
    )


def settled(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Hand trades after a chunk's last state on to the chunk of the next state.

    Takes and yields states and trades in time order; a trade after the last state of its chunk has
    that state's index. Chunks without a state are not yielded. Trades after the last state of all
    stay with it; where there is no state at all, nothing is yielded.
    """
    held: Chunk | None = None
    waiting = no_trades()
    for book, trades in chunks:
        trades = joined(waiting, trades)
        waiting = no_trades()
        if not book.rows:
            waiting = taken(trades, slice(None), before=-1)
            continue
        if held is not None:
            yield held
        later = int(np.searchsorted(trades.before, book.rows - 1))
        waiting = taken(trades, slice(later, None), before=-1)
        held = book, taken(trades, slice(later))
    if held is not None:
        book, trades = held
        rest = taken(waiting, slice(None), before=book.rows - 1)
        yield book, joined(trades, rest)
