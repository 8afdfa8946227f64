"""The only importer of Databento's client: estimates, then downloads, within what may be spent.

A download is a POST that costs money. It is tried again only where nothing can have been billed:
an answer that is an error, a connection that never came about, or a request that is free.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradingd.config.secrets import Secret
from tradingd.sources.remote.calls import Calls
from tradingd.sources.remote.extras import imported
from tradingd.sources.remote.trouble import Kind, Trouble, of_status

log = logging.getLogger(__name__)

_UNRESOLVED: Final = ("could not be resolved", "none of the symbols", "symbology_invalid")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one symbol; `start` and `end` (exclusive) are ISO times, UTC."""

    dataset: str
    schema: str
    symbol: str
    start: str
    end: str


class DatabentoClient:
    """Speaks to Databento; connects with the first request.

    Parameters
    ----------
    key : Secret
        API key.
    endpoint : str
        Gateway; empty: Databento's own.
    timeout : float
        Seconds for one answer.
    calls : Calls
        Pacing and retries.
    limit : Decimal
        USD that all downloads of this client may cost, by Databento's estimates.
    """

    def __init__(
        self, key: Secret, *, endpoint: str, timeout: float, calls: Calls, limit: Decimal
    ) -> None:
        self._key = key
        self._endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        self._calls = calls
        self._limit = limit
        self._vendor: Any = None
        self._ends: dict[tuple[str, str], str] = {}
        self.spent = Decimal(0)

    def available_end(self, dataset: str, schema: str) -> str:
        """Return the ISO time at which a dataset ends for us; free of charge.

        Raises
        ------
        Trouble
        """
        place = (dataset, schema)
        if place not in self._ends:
            found = self._ask(lambda vendor: vendor.metadata.get_dataset_range(dataset))
            try:
                ends = {"": found["end"]} | {
                    name: span["end"] for name, span in found.get("schema", {}).items()
                }
                self._ends[place] = str(ends.get(schema, ends[""]))
            except (KeyError, TypeError, AttributeError):
                raise Trouble(Kind.GARBLED, f"no range: {found!r}") from None
        return self._ends[place]

    def cost(self, request: Request) -> Decimal:
        """Return Databento's estimate in USD; free of charge.

        Raises
        ------
        Trouble
        """
        dollars = self._ask(lambda vendor: vendor.metadata.get_cost(**_arguments(request)))
        if isinstance(dollars, bool) or not isinstance(dollars, int | float) or not dollars >= 0:
            raise Trouble(Kind.GARBLED, f"no cost: {dollars!r}")
        return Decimal(repr(dollars))

    def bars(self, request: Request) -> Any:
        """Return the records as a NumPy array (prices are nanos), if their price is allowed.

        Raises
        ------
        Trouble
            REFUSED with the estimate where it exceeds what is left of the limit.
        """
        estimate = self.cost(request)
        if self.spent + estimate > self._limit:
            raise Trouble(
                Kind.REFUSED,
                f"{request.symbol} {request.schema} costs {estimate.normalize():f} USD by "
                f"Databento's estimate; source.spending_limit leaves "
                f"{(self._limit - self.spent).normalize():f} USD",
            )
        found = self._ask(
            lambda vendor: vendor.timeseries.get_range(**_arguments(request)).to_ndarray(),
            billed=estimate > 0,
        )
        self.spent += estimate
        return found

    def _ask(self, question: Callable[[Any], Any], *, billed: bool = False) -> Any:
        if self._vendor is None:
            self._vendor = self._made()

        def once() -> Any:
            with self._translated(billed):
                return question(self._vendor)

        return self._calls.run(once)

    def _made(self) -> Any:
        databento = imported("databento", extra="databento")
        options = {"gateway": self._endpoint} if self._endpoint else {}
        client = databento.Historical(key=self._key.reveal(), **options)
        for part in (client.timeseries, client.metadata):
            part.TIMEOUT = self._timeout
            if self._endpoint.startswith("http://"):
                # The client insists on https; a test server on this machine speaks http.
                part._base_url = part._base_url.replace("https://", "http://", 1)
        return client

    @contextmanager
    def _translated(self, billed: bool) -> Iterator[None]:
        """Turn what the client raises into trouble, and its warnings into log lines."""
        databento = imported("databento", extra="databento")
        requests = imported("requests", extra="databento")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
            for one in caught:
                log.warning("databento: %s", one.message)
        except databento.BentoHttpError as error:
            raise self._of_http(error) from error
        except requests.ConnectionError as error:
            again = not billed or "NewConnectionError" in repr(error)
            raise Trouble(Kind.DOWN, type(error).__name__, again=again) from error
        except requests.JSONDecodeError as error:
            raise Trouble(Kind.GARBLED, "no JSON") from error
        except requests.RequestException as error:
            raise Trouble(Kind.DOWN, type(error).__name__, again=not billed) from error
        except Trouble:
            raise
        except Exception as error:
            # The decoder of DBN raises what its native part finds, under no common class.
            text = f"{type(error).__name__}: {error}"
            raise Trouble(Kind.GARBLED, text, again=not billed) from error

    def _of_http(self, error: Any) -> Trouble:
        body = error.http_body or ""
        body = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        text = body.replace(self._key.reveal(), "***")
        if error.http_status == 422 and any(word in text.lower() for word in _UNRESOLVED):
            return Trouble(Kind.UNKNOWN, text)
        headers = error.headers or {}
        found = of_status(error.http_status, text, headers.get("Retry-After"))
        return found or Trouble(Kind.REFUSED, text)


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "dataset": request.dataset,
        "schema": request.schema,
        "symbols": [request.symbol],
        "stype_in": "raw_symbol",
        "start": request.start,
        "end": request.end,
    }
