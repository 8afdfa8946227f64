"""What files and vendors say is shown as it is: no markup, no control of the terminal."""

import pytest

from tradingd.cli import screen


def test_brackets_of_a_cell_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table("of [/x]", ("[red]what",), [("[/nope]",), ("[bold]fat[/bold]",), (["a"],)])
    said = capsys.readouterr().out
    for text in ("of [/x]", "[red]what", "[/nope]", "[bold]fat[/bold]", "['a']"):
        assert text in said


def test_control_characters_are_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table("a\x1b[2Jb", ("x",), [("\x1b]0;mine\x07",), ("\u202egnp.exe",), ("\ud800",)])
    said = capsys.readouterr().out
    for text in ("a\\x1b[2Jb", "\\x1b]0;mine\\x07", "\\u202egnp.exe", "\\ud800"):
        assert text in said
    assert "\x1b" not in said


def test_letters_of_all_languages_and_line_ends_stay() -> None:
    assert screen.plain("Größe 株価\n\tx") == "Größe 株価\n\tx"
