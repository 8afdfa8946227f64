"""What a request to Alpaca came to: the vocabulary between transport and outcome."""

import msgspec


class Answered(msgspec.Struct, frozen=True):
    """An answer with a good status; `body` is its JSON, None when it was empty."""

    body: object


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with status 4xx or 5xx.

    `code` and `message` are Alpaca's, `code` None and `message` a cut of the body where it is not
    in Alpaca's form. `limited` is True when headers or body are those of Alpaca's rate limit.
    `request_id` is what Alpaca's support asks for.
    """

    status: int
    code: int | None = None
    message: str = ""
    limited: bool = False
    request_id: str = ""

    def text(self) -> str:
        """Return it in words, with Alpaca's own code."""
        said = self.message or "no reason given"
        code = "" if self.code is None else f" ({self.code})"
        return f"{said}{code}, HTTP {self.status}"


class NothingSent(msgspec.Struct, frozen=True):
    """Not a byte of the request has left."""

    why: str


class Lost(msgspec.Struct, frozen=True):
    """The connection broke after the request was written, at least in part."""

    why: str


class NoAnswer(msgspec.Struct, frozen=True):
    """No answer came in time."""

    why: str


class Garbled(msgspec.Struct, frozen=True):
    """An answer came that cannot be read."""

    why: str


type Reply = Answered | Refused | NothingSent | Lost | NoAnswer | Garbled
