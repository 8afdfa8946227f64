"""alpaca-py's REST client with exact numbers, a timeout, and one try for a call.

The vendor's client reads prices into floats, waits for ever, and repeats on its own what we want
to count and pace. Its addresses, headers and refusal of redirects are used as they are.
"""

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from alpaca.common.rest import RESTClient

from tradingd.vendors.alpaca.keys import Keys

type Raw = dict[str, Any]
"""A decoded JSON object; numbers with a point are Decimal, written as the vendor wrote them."""


class Answered(Exception):
    """An answer other than success.

    Parameters
    ----------
    status : int
        HTTP status.
    text : str
        Body, as sent.
    headers : mapping
        Headers of the answer.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.text = text
        self.headers = headers


class ExactClient(RESTClient):
    """One host of Alpaca; safe to use from several threads.

    Parameters
    ----------
    keys : Keys
    base : str
        Base URL.
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.
    environment : bool
        Whether proxies of the environment count.
    """

    def __init__(self, keys: Keys, *, base: str, timeout: float, environment: bool) -> None:
        super().__init__(
            base_url=base.rstrip("/"), api_key=keys.key_id, secret_key=keys.secret, raw_data=True
        )
        self._timeout = timeout
        self._session.trust_env = environment
        # A requests session is not promised to be safe across threads.
        self._one_at_a_time = threading.Lock()
        self._decoder = msgspec.json.Decoder(float_hook=Decimal)

    def _one_request(self, method: str, url: str, opts: Raw, retry: int) -> Any:
        """Ask once.

        Raises
        ------
        Answered
            For a status other than 2xx.
        requests.RequestException
            When nothing came back.
        msgspec.DecodeError
            When what came back is no JSON.
        """
        with self._one_at_a_time:
            response = self._session.request(method, url, timeout=self._timeout, **opts)
        if not 200 <= response.status_code < 300:
            raise Answered(response.status_code, response.text, response.headers)
        return self._decoder.decode(response.content)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()
