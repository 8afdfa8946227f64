"""How much may be held in memory: everything that waits, in buffers or for the disk."""


class Budget:
    """Counts what is held against a bound.

    Parameters
    ----------
    limit : int
        Most that may be held.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        """In buffers and on the way to the disk."""
        self.fresh = 0
        """In buffers only."""
        self.most = 0
        self.dropped = 0

    def take(self, count: int = 1) -> bool:
        """Count what is about to be held; False, and counted as dropped: there is no room."""
        if self.held + count > self.limit:
            self.dropped += count
            return False
        self.held += count
        self.fresh += count
        self.most = max(self.most, self.held)
        return True

    def hand_over(self, count: int) -> None:
        """Note that so many went from a buffer to the writer."""
        self.fresh -= count

    def settle(self, count: int) -> None:
        """Note that so many are on the disk, or lost."""
        self.held -= count

    @property
    def crowded(self) -> bool:
        """Half of it waits in buffers: time to write before the flush is due."""
        return self.fresh * 2 >= self.limit
