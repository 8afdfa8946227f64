"""Pages of plots: whatever is in their data stays data."""

from html.parser import HTMLParser

import msgspec

from tradingd.kits.plotpage.document import document
from tradingd.kits.plotpage.figures import numbers
from tradingd.kits.plotpage.fragments import card, empty, plot

EVIL = "</script ><script >alert(1)</script>&<!--"


class Scripts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script"
        if self._inside:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def test_data_cannot_end_its_element_and_a_title_is_text() -> None:
    data = {"figures": {}, EVIL: EVIL}
    text = document(title=EVIL, header="", main="", footer="", data=data, style="", script="//")
    scripts = Scripts(text).found
    assert len(scripts) == 3
    assert msgspec.json.decode(scripts[0]) == data
    # Browsers end the element at more than this parser knows, so no tag may begin in it at all.
    _, _, inline = text.partition('id="figures">')
    assert "<" not in inline[: inline.index("</script>\n")]
    assert "<script >alert" not in text


def test_words_and_reasons_are_escaped() -> None:
    for text in (empty(EVIL), plot("name", EVIL), card("Title", EVIL, EVIL)):
        assert "<script" not in text


def test_numbers_are_rounded_and_what_is_none_is_a_gap() -> None:
    assert numbers([1.23456, float("nan")], 2) == [1.23, None]
