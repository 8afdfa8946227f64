"""Pieces of HTML: arguments called `text`, `words` or `reason` are escaped, others are HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

NUMERIC: Final = ' class="n"'


def section(title: str, note: str, content: str, control: str = "") -> str:
    """Return a titled card with a line on how to read it."""
    line = f'<p class="note">{note}</p>' if note else ""
    head = f"<div><h2>{title}</h2>{line}</div>{control}"
    return f'<section><div class="head">{head}</div>{content}</section>'


def pair(left: str, right: str) -> str:
    """Return two sections side by side, one above the other on narrow screens."""
    return f'<div class="pair">{left}{right}</div>'


def plot(name: str, words: str, *, tall: bool = False) -> str:
    """Return the place of a figure; `words` tell its content to those who cannot see it."""
    size = "plot tall" if tall else "plot"
    return (
        f'<figure role="group" aria-label="{escape(words)}"><div id="{name}" class="{size}"></div>'
        "</figure>"
    )


def empty(reason: str) -> str:
    """Return why there is nothing to show."""
    return f'<p class="note">Nothing to show: {escape(reason)}.</p>'


def card(title: str, text: str, note: str, *, tone: str = "") -> str:
    """Return one large number; `tone` is a class, ``up`` or ``down``."""
    name = f' class="{tone}"' if tone else ""
    return (
        f'<div class="card"><dt>{title}</dt><dd{name}>{escape(text)}</dd>'
        f'<dd class="small">{escape(note)}</dd></div>'
    )


def not_told(reason: str) -> str:
    """Return a box that says why there is no such measure."""
    text = reason or "there was nothing to measure"
    return f'<p class="not-told"><b>Not told:</b> {escape(text)}.</p>'


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, prose: bool = False
) -> str:
    """Return a table of texts; the first column names the row, the rest are numbers.

    `prose`: the last column holds words.
    """
    kinds = ["", *[NUMERIC] * (len(columns) - 1)]
    if prose:
        kinds[-1] = ' class="reason"'
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(
            f"<td{kind}>{escape(text)}</td>" for text, kind in zip(rest, kinds[1:], strict=True)
        )
        + "</tr>"
        for first, *rest in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" role="group" aria-label="{escape(caption or columns[0])}" '
        f'tabindex="0"><table>{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
