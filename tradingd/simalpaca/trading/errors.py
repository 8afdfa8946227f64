"""Refusals as Alpaca words them; the table with sources is in contracts/simalpaca.md."""

from collections.abc import Mapping
from typing import Final

INVALID: Final = 42210000
BAD_FIELD: Final = 40010001
BAD_BODY: Final = 40010000
FORBIDDEN: Final = 40310000
NOT_FOUND: Final = 40410000
TOO_MANY: Final = 42910000
INTERNAL: Final = 50010000


class ApiError(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        HTTP status.
    code : int or None
        Alpaca's code; None where Alpaca sends a message alone.
    message : str
        What Alpaca says.
    **facts : str
        Further fields of the body.
    """

    def __init__(self, status: int, code: int | None, message: str, **facts: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Mapping[str, object] = ({} if code is None else {"code": code}) | {
            "message": message,
            **facts,
        }


def invalid(message: str) -> ApiError:
    """Return the refusal of an order that breaks a rule (422)."""
    return ApiError(422, INVALID, message)


def bad_field(message: str) -> ApiError:
    """Return the refusal of a field that is missing or no value of its kind (422)."""
    return ApiError(422, BAD_FIELD, message)


def forbidden(message: str, **facts: str) -> ApiError:
    """Return the refusal of what the account may not do now (403)."""
    return ApiError(403, FORBIDDEN, message, **facts)


def not_found(message: str) -> ApiError:
    """Return the answer to a question for what does not exist (404)."""
    return ApiError(404, NOT_FOUND, message)
