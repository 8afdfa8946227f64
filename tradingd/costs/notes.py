"""What a reader of a result should know about the rates it was charged with."""

from tradingd.costs.rates import Row


class Notes:
    """Remembers, once each, the unverified rows and the approximations that were used."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def row(self, what: str, row: Row) -> None:
        """Note a row that was used although no source confirms it."""
        if not row.verified:
            self.add(f"{what} from {row.start}: unverified ({row.source})")

    def add(self, text: str) -> None:
        """Note a text once."""
        self._texts[text] = None

    def texts(self) -> tuple[str, ...]:
        """Return the notes in the order they first applied."""
        return tuple(self._texts)
