"""A `Failure` as an HTTP answer: which status, and the body that carries the exit code."""

from http import HTTPStatus
from typing import Final

from tradingd.control.messages import ErrorBody
from tradingd.kits.failure import ExitCode, Failure

STATUS: Final = {
    ExitCode.USAGE: HTTPStatus.BAD_REQUEST,
    ExitCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ExitCode.UNKNOWN_SYMBOL: HTTPStatus.NOT_FOUND,
    ExitCode.RUN_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ExitCode.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Everything else is refused by the state the daemon is in: 409."""


class Refusal(Exception):
    """A `Failure` whose HTTP status says more than its exit code (404, 413, 429 ...)."""

    def __init__(self, status: HTTPStatus, failure: Failure) -> None:
        super().__init__(failure.what)
        self.status = status
        self.failure = failure


def malformed(what: str, **facts: str) -> Failure:
    """Return the refusal of a request that cannot be understood."""
    return Failure(what, code=ExitCode.USAGE, **facts)


def status_of(failure: Failure) -> HTTPStatus:
    """Return the HTTP status of a failure's exit code."""
    return STATUS.get(failure.code, HTTPStatus.CONFLICT)


def body_of(failure: Failure) -> ErrorBody:
    """Return the answer's body."""
    return ErrorBody(
        what=failure.what,
        code=int(failure.code),
        where=failure.where,
        expected=failure.expected,
        found=failure.found,
        next_step=failure.next_step,
    )


def failure_of(body: ErrorBody) -> Failure:
    """Return the failure that a body carries, for the client's side."""
    try:
        code = ExitCode(body.code)
    except ValueError:
        # A newer daemon may know codes that this client does not.
        code = ExitCode.REFUSED
    return Failure(
        body.what,
        code=code,
        where=body.where,
        expected=body.expected,
        found=body.found,
        next_step=body.next_step,
    )
