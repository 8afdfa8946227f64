"""The words behind `--symbols`, which takes all that follow: an override there is a mistake."""

from collections.abc import Sequence

from tradingd.kits.failure import ExitCode, Failure


def require_symbols(words: Sequence[str]) -> None:
    """Refuse an override among the symbols.

    Raises
    ------
    Failure
        USAGE, naming the word.
    """
    for word in words:
        if "=" in word:
            raise Failure(
                "an override stands among the symbols",
                code=ExitCode.USAGE,
                where="--symbols",
                expected="symbols only",
                found=word,
                next_step="put overrides before --symbols",
            )
