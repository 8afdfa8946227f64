"""Pieces of HTML: arguments called `text`, `words` or `reason` are escaped, others are HTML."""

from html import escape


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
