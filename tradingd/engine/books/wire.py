"""The way to a market of books: an order arrives after the latency and meets the book as it is."""

from collections.abc import Callable

from tradingd.engine.wire import Action, Wire


class BookWire(Wire):
    """The wire of a run over books.

    Notes
    -----
    What cannot be done at once (no book yet, nothing left to take) waits for the symbol's next
    book; `heard` delivers it.
    """

    def __init__(
        self,
        latency_ns: int,
        *,
        alert: Callable[[str, int, Action], None],
        now: Callable[[], int],
    ) -> None:
        super().__init__(latency_ns, alert=alert, now=now)
        self.waiting: dict[str, list[Action]] = {}

    def order(self, symbol: str, action: Action) -> None:
        """Deliver after the latency."""
        self.message(action)

    def next_bar(self, symbol: str, action: Action) -> None:
        """Deliver with the symbol's next book."""
        self.waiting.setdefault(symbol, []).append(action)

    def bar_end(self, symbol: str, action: Action) -> None:
        """Never deliver: there is no bar."""

    def chunk_loaded(self) -> None:
        """Wait on: what waits, waits for a book, not for a chunk."""

    def heard(self, symbol: str) -> None:
        """Deliver what waited for this symbol's next book."""
        for action in self.waiting.pop(symbol, ()):
            action()
