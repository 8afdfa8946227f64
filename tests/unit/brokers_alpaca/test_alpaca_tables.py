"""The document of orders says what the rules do."""

from tradingd.brokers.alpaca import tables


def test_the_document_says_what_the_rules_do() -> None:
    document = tables.DOCUMENT.read_text()
    assert tables.written(document) == document, "run python -m tradingd.brokers.alpaca.tables"


def test_every_type_and_time_has_a_row_and_every_refusal_its_reason() -> None:
    rows = [line for line in tables.markdown().splitlines() if line.startswith("| MARKET (")]
    assert len(rows) == 6
    assert "| yes |" in rows[0]
    assert "refused: the first order of OCO must be LIMIT, not MARKET" in rows[0]
