"""Fields of requests: JSON bodies and query parameters, read strictly."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from aiohttp import web

from tradingd.simalpaca.stamps import read_time
from tradingd.simalpaca.trading.errors import BAD_BODY, ApiError, bad_field
from tradingd.simbroker.amounts import ONE

_LARGEST: Final = Decimal(10) ** 9
_CLIENT_ID: Final = 128
_END_OF_TIME: Final = 2**62
UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")

type Json = Mapping[str, object]


async def body(request: web.Request) -> Json:
    """Return the body of a request, which must be an object."""
    try:
        found = json.loads(await request.read() or b"null", parse_float=Decimal)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ApiError(400, BAD_BODY, "request body format is invalid")
    return found


def word(fields: Json, name: str, words: Sequence[str], default: str | None = None) -> str:
    """Return one of some words; a missing field is `default`, without one refused."""
    value = fields.get(name)
    if value is None:
        value = default
    if value is None:
        raise bad_field(f"{name} is required")
    if not isinstance(value, str) or value not in words:
        raise bad_field(f"invalid {name}")
    return value


def words(fields: Json, name: str) -> str:
    """Return a text, empty when it is missing."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_field(f"invalid {name}")
    return value


def client_id(fields: Json) -> str:
    """Return the client's own id of an order, empty when it gave none."""
    value = words(fields, "client_order_id")
    if len(value) > _CLIENT_ID:
        raise bad_field(f"client_order_id must be no more than {_CLIENT_ID} characters")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise bad_field("invalid client_order_id")
    return value


def flag(fields: Json, name: str) -> bool:
    """Return a truth value, false when it is missing."""
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise bad_field(f"invalid {name}")
    return value


def amount(fields: Json, name: str) -> int | None:
    """Return an amount above zero in 1e-9, None when it is missing."""
    value = fields.get(name)
    if value is None:
        return None
    number = _decimal(value, name)
    if number <= 0:
        raise bad_field(f"{name} must be > 0")
    scaled = number * ONE
    if number >= _LARGEST or scaled != scaled.to_integral_value():
        raise bad_field(f"invalid {name}")
    return int(scaled)


def _decimal(value: object, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise bad_field(f"invalid {name}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise bad_field(f"invalid {name}") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise bad_field(f"invalid {name}")
    return number


def part(fields: Json, name: str) -> Json:
    """Return an object inside a body, empty when it is missing."""
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_field(f"invalid {name}")
    return value


class Query:
    """Parameters of a request's URL.

    Parameters
    ----------
    request : web.Request
        The request.
    """

    def __init__(self, request: web.Request) -> None:
        self._found = request.query

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        return self._found.get(name, default)

    def word(self, name: str, words: Sequence[str], default: str) -> str:
        """Return one of some words."""
        return word({name: self._found.get(name) or default}, name, words)

    def list(self, name: str) -> list[str]:
        """Return what is separated by commas, or given more than once."""
        given = self._found.getall(name, [])
        return [one for text in given for one in text.split(",") if one]

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        value = self._found.get(name, "false").lower()
        if value not in ("true", "false", "1", "0", "t", "f", ""):
            raise bad_field(f"invalid {name}")
        return value in ("true", "1", "t")

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number in a range."""
        value = self._found.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise bad_field(f"{name} must be between {least} and {most}")
        return int(value)

    def amount(self, name: str) -> int | None:
        """Return an amount above zero in 1e-9."""
        return amount(self._found, name)

    def time(self, name: str) -> int | None:
        """Return a time in UTC ns."""
        value = self._found.get(name)
        if not value:
            return None
        try:
            return min(max(read_time(value), 0), _END_OF_TIME)
        except (ValueError, OverflowError):
            raise bad_field(f"invalid {name}") from None


def order_id(text: str) -> str:
    """Return an order id in its usual form."""
    if not UUID.fullmatch(text):
        raise bad_field("order_id is not a valid uuid")
    digits = text.replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
