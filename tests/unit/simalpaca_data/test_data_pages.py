"""Pages of rows, over a made-up history."""

import pytest

from tradingd.simalpaca.marketdata.errors import ApiError
from tradingd.simalpaca.marketdata.history import Span
from tradingd.simalpaca.marketdata.pages import Rows, page

# Two symbols; A has three rows of one instant.
TIMES = {"A": [1, 5, 5, 5, 9], "B": [2, 2, 7]}


def rows(newest: bool) -> Rows[tuple[int, int]]:
    """Rows are (time, number within the symbol)."""

    def read(symbol: str, span: Span) -> tuple[list[tuple[int, int]], bool]:
        made = [
            (ts, n) for n, ts in enumerate(TIMES.get(symbol, [])) if span.start <= ts <= span.end
        ]
        return (made[::-1] if newest else made)[: span.limit], False

    return Rows(read, lambda one: one[0])


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 7, 8, 9])
@pytest.mark.parametrize("newest", [False, True])
def test_every_row_comes_once_in_order_whatever_the_limit(limit: int, newest: bool) -> None:
    found: dict[str, list[tuple[int, int]]] = {}
    token: str | None = ""
    pages = 0
    while token is not None:
        part, token = page(["B", "A", "C"], Span(0, 10, limit, newest), rows(newest), token)
        assert sum(map(len, part.values())) == limit or token is None
        for symbol, some in part.items():
            found.setdefault(symbol, []).extend(some)
        pages += 1
    assert list(found) == ["A", "B"]
    for symbol, times in TIMES.items():
        whole = list(zip(times, range(len(times)), strict=True))
        assert found[symbol] == (whole[::-1] if newest else whole)
    assert pages == -(-8 // limit)


@pytest.mark.parametrize("token", ["x", "AAAA", "QXwxfDE", "é"])
def test_a_token_of_others_is_refused(token: str) -> None:
    with pytest.raises(ApiError, match="page_token"):
        page(["A"], Span(0, 10, 2), rows(False), token)
