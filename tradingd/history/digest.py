"""A hash of rows that does not depend on which files hold them, or in which order.

Each row is mixed into two 64-bit words and the words are added modulo 2**64, so the digest of a
partition is the sum of the digests of its files: compaction and another import order leave it
unchanged. It tells different data apart; it is no proof against an adversary (SHA-256 of the
files is kept beside it). Mixer: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014, "Fast
splittable pseudorandom number generators").
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.history.schema import PRICE

_SEEDS = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))
_COLUMNS = ("ts_event", "open", "high", "low", "close", "volume")


def bars_digest(table: pa.Table) -> str:
    """Return the digest of bars as 32 hex digits; rows must be in the store's schema."""
    words = [_integers(table.column(name)) for name in _COLUMNS]
    return "".join(f"{_sum_of_rows(words, seed):016x}" for seed in _SEEDS)


def combine(digests: Iterable[str]) -> str:
    """Return the digest of the union of disjoint row sets."""
    halves = [(int(one[:16], 16), int(one[16:], 16)) for one in digests]
    return "".join(f"{sum(column) % 2**64:016x}" for column in zip(*halves, strict=True))


def _sum_of_rows(words: list[NDArray[np.uint64]], seed: np.uint64) -> int:
    state = np.full(len(words[0]), seed, dtype=np.uint64)
    for word in words:
        state = _mix(state ^ word)
    return int(state.sum(dtype=np.uint64))


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _integers(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    if column.type != PRICE:
        plain: NDArray[np.int64] = column.cast(pa.int64()).to_numpy()
        return plain.view(np.uint64)
    return np.concatenate([price_nanos(chunk) for chunk in column.chunks] or [_NOTHING]).view(
        np.uint64
    )


_NOTHING = np.empty(0, dtype=np.int64)


def price_nanos(chunk: pa.Array) -> NDArray[np.int64]:
    """Return DECIMAL(18,9) values as integers of 1e-9 (a view of the low words; no nulls)."""
    lanes = np.frombuffer(chunk.buffers()[1], dtype=np.int64).reshape(-1, 2)
    return lanes[chunk.offset : chunk.offset + len(chunk), 0]
