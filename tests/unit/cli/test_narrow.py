"""Tables that are wider than the terminal."""

import pytest
from rich.cells import cell_len

from tradingd.cli.narrow import narrow, natural_width

COLUMNS = ("order", "symbol", "shares", "limit", "state", "reason")
ROWS = (
    ("demo-ql3xs40-000016", "SYN3", "66", "", "WORKING", "z 2.99 above 2.00, RSI 70.0 above 70"),
    ("demo-ql3xs40-000017", "SYN1", "1,200", "", "FILLED", ""),
)
RIGHT = (False, False, True, True, False, False)


def lines(width: int) -> list[str]:
    return [line.plain for line in narrow(COLUMNS, ROWS, RIGHT, width)]


def test_long_texts_stand_below_their_row_and_empty_columns_nowhere() -> None:
    assert lines(80) == [
        "order                symbol  shares  state",
        "demo-ql3xs40-000016  SYN3        66  WORKING",
        "    reason: z 2.99 above 2.00, RSI 70.0 above 70",
        "demo-ql3xs40-000017  SYN1     1,200  FILLED",
    ]


def test_what_does_not_fit_stands_below_its_row() -> None:
    assert lines(40) == [
        "order                symbol  shares",
        "demo-ql3xs40-000016  SYN3        66",
        "    state: WORKING",
        "    reason: z 2.99 above 2.00, RSI 70.0",
        "      above 70",
        "demo-ql3xs40-000017  SYN1     1,200",
        "    state: FILLED",
    ]


def test_what_every_row_says_is_said_once_above() -> None:
    rows = [(f"trade {number}", "intraday_mean_reversion", "12.50") for number in (1, 2)]
    said = narrow(("trade", "strategy", "net"), rows, (False, False, True), 30)
    assert [line.plain for line in said] == [
        "strategy:",
        "  intraday_mean_reversion",
        "trade      net",
        "trade 1  12.50",
        "trade 2  12.50",
    ]


@pytest.mark.parametrize("width", [1, 20, 40, 60, 79, 120])
def test_no_value_is_lost_at_any_width(width: int) -> None:
    text = " ".join(" ".join(lines(width)).split())
    assert all(cell in text for row in ROWS for cell in row)


@pytest.mark.parametrize("width", [30, 40, 60, 79])
def test_a_row_of_columns_never_exceeds_the_terminal(width: int) -> None:
    assert max(cell_len(line) for line in lines(width) if not line.startswith("    ")) <= width


def test_the_natural_width_counts_the_longest_cell_of_each_column() -> None:
    assert natural_width(("a", "bcd"), (("xxxx", "y"),)) == 4 + 3 + 2 * 3 + 1
    assert natural_width(("a",), ()) == 1 + 3 + 1
