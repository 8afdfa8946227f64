"""One HTML file with plots in it: no network, no markup from outside, the same bytes every time."""

import base64
import hashlib
from html import escape
from importlib.resources import files
from typing import Final

import msgspec

_HERE: Final = "tradingd.kits.plotpage"


def document(
    *, title: str, header: str, main: str, footer: str, data: object, style: str, script: str = ""
) -> str:
    """Put the parts together; the policy lets exactly two scripts run and no request leave.

    Parameters
    ----------
    title : str
        Plain text.
    header, main, footer : str
        HTML: whatever came from outside is escaped in it already.
    data : object
        What msgspec encodes; `figures` in it (by id of the element) are drawn.
    style, script : str
        Of this page, after what all pages share. A script may use `plots`, see ``draw.js``.
    """
    from plotly.offline import get_plotlyjs

    here = files(_HERE)
    scripts = [get_plotlyjs(), here.joinpath("draw.js").read_text() + script]
    allowed = " ".join(map(_source_hash, scripts))
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {allowed}"
    )
    loaded = "".join(f"<script>{one}</script>\n" for one in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{here.joinpath("page.css").read_text()}{style}</style>
</head>
<body>
<header>{header}</header>
<main>
<noscript><p class="note">The plots need JavaScript; tables and numbers do not.</p></noscript>
{main}
</main>
<footer>{footer}</footer>
<script type="application/json" id="figures">{_inline_json(data)}</script>
{loaded}</body>
</html>
"""


def _inline_json(data: object) -> str:
    """Encode so that no text inside can end the script element."""
    text = msgspec.json.encode(data).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _source_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
