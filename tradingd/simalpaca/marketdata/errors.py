"""Refusals with the codes that Alpaca's APIs answer with."""

from typing import Final, NamedTuple


class ApiError(Exception):
    """A REST request that is answered with an error.

    Parameters
    ----------
    status : int
        The HTTP status.
    message : str
        What is wrong, for the person who reads the client's log.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """The JSON body: Alpaca's codes are the status, a family and a number."""
        return {"code": self.status * 100_000 + 10_001, "message": self.message}


class StreamError(NamedTuple):
    """An error message of a data stream."""

    code: int
    msg: str


# docs.alpaca.markets, "WebSocket Stream", section "Errors".
INVALID_SYNTAX: Final = StreamError(400, "invalid syntax")
NOT_AUTHENTICATED: Final = StreamError(401, "not authenticated")
AUTH_FAILED: Final = StreamError(402, "auth failed")
ALREADY_AUTHENTICATED: Final = StreamError(403, "already authenticated")
AUTH_TIMEOUT: Final = StreamError(404, "auth timeout")
SYMBOL_LIMIT: Final = StreamError(405, "symbol limit exceeded")
CONNECTION_LIMIT: Final = StreamError(406, "connection limit exceeded")
SLOW_CLIENT: Final = StreamError(407, "slow client")
INVALID_SUBSCRIBE: Final = StreamError(410, "invalid subscribe action for this feed")
