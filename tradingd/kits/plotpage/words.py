"""Numbers and names as a person reads them."""

from html import escape


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Return a number for a person, a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def percent(part: float, whole: float) -> str:
    """Return a share as text; small ones are not rounded to nothing."""
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    return f"{share:.2f} %" if share >= 0.01 else "< 0.01 %"


def thinned(shown: int, of: int, what: str) -> str:
    """Return a sentence on points left out of a plot; nothing where all are shown."""
    return f" {shown:,} of {of:,} {what} are drawn." if shown < of else ""


def label(text: str) -> str:
    """Return a text from a report as plotly shows it plainly: it reads tags otherwise."""
    return escape(text, quote=False)
