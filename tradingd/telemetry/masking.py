"""Take secrets out of text: as they are, and in the forms that logs carry them in."""

import base64
import html
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tradingd.config.secrets import Secret

HIDDEN: Final = "***"
SHORTEST: Final = 4
"""Characters; anything shorter is no secret, and masking it would destroy every text."""

_PART: Final = 8
"""Least characters of a part of a URL that counts as a secret of its own."""

_WORD: Final = 20
"""A part of a URL in small letters only is a word (services, workflows) up to this length."""


class Mask:
    """Knows the values that must not be shown; safe to use from any thread.

    Parameters
    ----------
    secrets : iterable of Secret
        Registered from the start.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()
        self._pattern = re.compile(r"(?!)")
        for secret in secrets:
            self.register(secret)

    def register(self, secret: Secret) -> Secret:
        """Hide the value of a secret from now on, and the secret parts of it when it is a URL.

        Returns the secret, so that `lambda ref: mask.register(resolve(ref))` is a resolver.
        """
        value = secret.reveal()
        forms = {form for part in _parts(value) for form in _forms(part)}
        with self._lock:
            known = set(self._forms) | {form for form in forms if len(form) >= SHORTEST}
            self._forms = tuple(sorted(known, key=lambda form: (-len(form), form)))
            # A look-ahead finds what overlaps, too.
            self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, self._forms)) or '(?!)'}))")
        return secret

    def resolving(self, resolve: Callable[[str], Secret]) -> Callable[[str], Secret]:
        """Return a resolver that registers what it finds before anybody can print it."""
        return lambda reference: self.register(resolve(reference))

    def text(self, text: str) -> str:
        """Return text without any registered secret.

        Costs well below 0.1 us per registered form and 100 characters when there is none.
        """
        # What is left around a hidden part may form a secret again; each turn is shorter.
        while any(form in text for form in self._forms):
            text = "".join(_without(text, self._pattern))
        return text


def _without(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the text with each run of overlapping finds replaced by one mark."""
    end = 0
    hidden = -1
    for match in pattern.finditer(text):
        start, stop = match.span(1)
        if start > hidden:
            yield text[end:start]
            yield HIDDEN
        hidden = end = max(hidden, stop)
    yield text[end:]


def _parts(value: str) -> Iterator[str]:
    """Yield what must not be shown: the value, its lines, the secret parts of a URL."""
    yield value
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        # A key in PEM form is shown line by line by some tracebacks.
        yield from (line for line in lines if len(line) >= _PART and not line.startswith("-----"))
    for line in lines:
        yield from _url_parts(line)


def _url_parts(url: str) -> Iterator[str]:
    try:
        parts = urllib.parse.urlsplit(url)
        password, user, host = parts.password, parts.username, parts.hostname
    except ValueError:
        return
    if not parts.scheme or not parts.netloc:
        return
    if password:
        yield password
        yield urllib.parse.unquote(password)
        yield f"{user}:{password}"  # as basic authentication encodes it
        yield f"{urllib.parse.unquote(user or '')}:{urllib.parse.unquote(password)}"
    # Services such as Slack carry a token where a web address has its host.
    places = [*parts.path.split("/"), *(parts.netloc.rpartition("@")[2].split(":")[:1])]
    places += [user] if user and not password and not parts.scheme.startswith("mail") else []
    places += [one for _, one in urllib.parse.parse_qsl(parts.query)]
    for place in places:
        plain = urllib.parse.unquote(place)
        if _secretive(plain) and place != host:
            yield place
            yield plain
    if parts.path.strip("/") and _secretive(parts.path):
        yield parts.path.strip("/")


def _secretive(part: str) -> bool:
    """Whether a part of a URL looks like a token: not a word, an address, a number."""
    if len(part) < _PART or "@" in part or re.fullmatch(r"[\d.:]+|[\w\-]+(\.[\w\-]+)+", part):
        return False
    return not (len(part) < _WORD and re.fullmatch(r"[a-z\-_/.]+", part))


def _forms(value: str) -> Iterator[str]:
    """Yield a value as it appears in messages, JSON, URLs, reprs, pages, basic authentication."""
    yield value
    stripped = value.strip()
    yield stripped
    for one in {value, stripped}:
        if len(one) < SHORTEST:
            continue
        raw = one.encode("utf-8", "surrogatepass")
        for ascii_only in (True, False):
            escaped = json.dumps(one, ensure_ascii=ascii_only)[1:-1]
            yield escaped
            yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
            yield escaped.replace("/", "\\/")
        yield repr(one)[1:-1]
        yield ascii(one)[1:-1]
        yield repr(raw)[2:-1]
        yield html.escape(one)
        yield html.escape(one, quote=False)
        yield from _url_forms(raw)
        yield raw.hex()
        yield raw.hex().upper()
        yield from _base64_forms(raw)


def _url_forms(raw: bytes) -> Iterator[str]:
    for safe in ("", "/", "/:@", "~()*!.'"):
        for quote in (urllib.parse.quote, urllib.parse.quote_plus):
            quoted = quote(raw, safe=safe)
            yield quoted
            yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
            yield urllib.parse.quote(quoted, safe=safe)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield it encoded alone and, less the characters that its neighbours decide, inside more."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        if len(raw) < 6:
            continue
        for before in range(3):
            encoded = encode(b"\0" * before + raw).decode().rstrip("=")
            whole = (len(raw) + before) // 3 * 4
            yield encoded[(0, 2, 3)[before] : whole]
