"""Whether a strategy and a run speak of the same data: books or bars."""

from tradingd.kits.failure import ExitCode, Failure


def refuse_mismatch(name: str, *, needs_books: bool, has_books: bool) -> None:
    """Refuse a strategy that would never hear of the data it trades on.

    Raises
    ------
    Failure
        CONFIG, when a strategy of books is given bars, or one of bars is given books.
    """
    if needs_books and not has_books:
        raise Failure(
            f"strategy {name} trades on order books, and this run has none",
            code=ExitCode.CONFIG,
            where="depth",
            expected="a backtest over recorded books; paper and live sessions show bars alone",
            found="no order books",
            next_step=f"tradingd backtest strategy={name} depth=replay depth.path=FILE_OR_FOLDER",
        )
    if has_books and not needs_books:
        raise Failure(
            f"strategy {name} trades on bars, and a run over order books has none",
            code=ExitCode.CONFIG,
            where="depth",
            expected="a strategy that overrides on_depth, such as book_imbalance",
            found=f"strategy {name}",
            next_step="leave depth out to run it over stored bars",
        )
