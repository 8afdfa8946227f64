"""Who is let in: any pair of credentials, or one pair alone."""

from collections.abc import Mapping
from hmac import compare_digest

KEY_HEADER = "APCA-API-KEY-ID"
SECRET_HEADER = "APCA-API-SECRET-KEY"  # noqa: S105 - the name of a header


class Access:
    """Judges the credentials of a request.

    Parameters
    ----------
    key_id, secret : str
        The pair that is let in; both empty: any pair that is not.
    """

    def __init__(self, key_id: str = "", secret: str = "") -> None:
        self._wanted = (key_id, secret)

    def __call__(self, headers: Mapping[str, str]) -> bool:
        """Tell whether headers carry a pair that is let in."""
        given = headers.get(KEY_HEADER, ""), headers.get(SECRET_HEADER, "")
        if not any(self._wanted):
            return all(given)
        pairs = zip(given, self._wanted, strict=True)
        return all(compare_digest(one.encode(), other.encode()) for one, other in pairs)
