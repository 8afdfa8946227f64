"""Databento's historical service: what a request costs, and its data.

Nothing is repeated here: a download is a POST that costs money, and whoever asks knows what it may
cost. A `Trouble` says whether the answer may have been charged for.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.loopback import local
from tradingd.vendors.databento.complete import records_in
from tradingd.vendors.databento.sdk import library, translated
from tradingd.vendors.databento.trouble import Kind, Trouble

_TEN_MINUTES: Final = 600 * 10**9


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Data of one symbol; UTC ns, `start_ns` inclusive, `end_ns` exclusive, by ``ts_recv``."""

    dataset: str
    schema: str
    symbol: str
    start_ns: int
    end_ns: int

    @property
    def is_counted_exactly(self) -> bool:
        """Whether the vendor's counts are exact: for whole ten minutes only, else they are high.

        Source: databento.com/docs/api-historical/metadata/metadata-get-billable-size.
        """
        return self.start_ns % _TEN_MINUTES == 0 and self.end_ns % _TEN_MINUTES == 0


class HistoricalClient:
    """Speaks to Databento; connects with the first request. For several threads.

    Parameters
    ----------
    key : Secret
        API key.
    endpoint : str
        A server on this machine in place of Databento's own; empty: theirs.
    timeout : float
        Seconds to connect, and again between two pieces of an answer.
    """

    def __init__(self, key: Secret, *, endpoint: str, timeout: float) -> None:
        self._key = key
        self._endpoint = endpoint.rstrip("/")
        self._timeout = timeout
        self._vendor: Any = None

    def available_end(self, dataset: str, schema: str) -> str:
        """Return the ISO time at which a dataset ends for us; free of charge.

        Raises
        ------
        Trouble
        """
        found = self._ask(lambda vendor: vendor.metadata.get_dataset_range(dataset))
        try:
            ends = {name: span["end"] for name, span in found.get("schema", {}).items()}
            return str(ends.get(schema, found["end"]))
        except (KeyError, TypeError, AttributeError):
            raise Trouble(Kind.GARBLED, f"no range: {found!r}") from None

    def cost(self, request: Request) -> Decimal:
        """Return Databento's estimate in USD; free of charge.

        Raises
        ------
        Trouble
        """
        found = self._ask(lambda vendor: vendor.metadata.get_cost(**_arguments(request)))
        # Not `>= 0` alone: a NaN compares false, which is what we want.
        if isinstance(found, bool) or not isinstance(found, int | float) or not found >= 0:
            raise Trouble(Kind.GARBLED, f"no cost: {found!r}")
        if found == float("inf"):
            raise Trouble(Kind.GARBLED, "no cost: infinite")
        return Decimal(repr(found))

    def record_count(self, request: Request) -> int:
        """Return how many records Databento has; see `Request.is_counted_exactly`. Free of charge.

        Raises
        ------
        Trouble
        """
        found = self._ask(lambda vendor: vendor.metadata.get_record_count(**_arguments(request)))
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise Trouble(Kind.GARBLED, f"no count: {found!r}")
        return found

    def records(self, request: Request) -> Any:
        """Return the records as a NumPy array (prices are nanos). This costs money.

        Raises
        ------
        Trouble
        """
        return self._ask(
            lambda vendor: vendor.timeseries.get_range(**_arguments(request)).to_ndarray()
        )

    def download(self, request: Request, path: Path) -> int:
        """Stream the records into a zstd-compressed DBN file; return how many. This costs money.

        `path` appears only when the answer came to its end and is whole.

        Raises
        ------
        Trouble
            Also where the answer is cut.
        Failure
            This machine's disk does not take it.
        """
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        try:
            # The library opens the file again, to look at it.
            self._ask(
                lambda vendor: vendor.timeseries.get_range(
                    **_arguments(request), path=part
                ).reader.close()
            )
            count = records_in(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return count

    def _ask[T](self, question: Callable[[Any], T]) -> T:
        if self._vendor is None:
            self._vendor = self._made()
        with translated(self._key):
            return question(self._vendor)

    def _made(self) -> Any:
        if self._endpoint and not local(self._endpoint):
            raise Failure(
                "the key goes to Databento's own host only",
                code=ExitCode.CONFIG,
                where="endpoint",
                expected="an address on this machine, or none",
                found=self._endpoint,
            )
        options = {"gateway": self._endpoint} if self._endpoint else {}
        vendor = library()
        with translated(self._key):
            client = vendor.Historical(key=self._key.reveal(), **options)
        for part in (client.timeseries, client.metadata):
            part.TIMEOUT = self._timeout
            if self._endpoint.startswith("http://"):
                # The client insists on https; a server on this machine speaks http.
                part._base_url = part._base_url.replace("https://", "http://", 1)
        return client


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "dataset": request.dataset,
        "schema": request.schema,
        "symbols": [request.symbol],
        "stype_in": "raw_symbol",
        "start": _iso(request.start_ns),
        "end": _iso(request.end_ns),
    }


def _iso(ts: int) -> str:
    return f"{np.datetime64(ts, 'ns')}+00:00"
