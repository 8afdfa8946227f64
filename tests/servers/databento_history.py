"""Databento's historical service on loopback, for the vendor's own client: real files, real faults.

Follows databento.com/docs/api-historical: the methods that the client calls, basic auth with the
key as user, error bodies, `X-Warning`, DBN in several zstd frames, prices by the byte. It serves
real DBN files cut to what is asked for, and keeps count of what it would have charged.

Like the vendor's, its sizes, counts and costs are high for times that are not whole ten minutes,
a day on which a symbol did not trade is a symbol that cannot be resolved, and what is charged is
what was sent.
"""

import asyncio
import base64
import datetime as dt
import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import databento_dbn as dbn
import numpy as np
import zstandard
from aiohttp import web
from databento import DBNStore

KEY: Final = "db-0123456789ABCDEFGHJKLMNPQRSTU"
DOCS: Final = "https://databento.com/docs"
GIGABYTE: Final = 2**30
TEN_MINUTES: Final = 600 * 10**9
DAY: Final = 86_400 * 10**9
FRAME_ROWS: Final = 400


class Asked(NamedTuple):
    """One request, as it arrived."""

    method: str
    fields: dict[str, str]
    authorised: bool

    @property
    def symbols(self) -> list[str]:
        return [one for one in self.fields.get("symbols", "").split(",") if one]

    @property
    def day(self) -> str:
        return self.fields.get("start", "")[:10]


class Fault(NamedTuple):
    """How one answer goes wrong.

    `kind`: status, reset (before anything is served), lost (charged, then no answer), cut (at
    `at` of the body, the connection breaks), frame (cut between two frames, the connection
    breaks), frame_clean (the same, and HTTP looks whole), stall (silent after `at` of the body
    for `seconds`), drip (`seconds` between pieces, then whole), garbage, short (announces fewer
    bytes than there are), long (announces more), empty, warn (whole, with `text` as X-Warning),
    answer (`text` in place of what a free question asked for).
    """

    kind: str
    status: int = 0
    text: str = ""
    retry_after: str | None = None
    at: float = 0.5
    seconds: float = 0.0


class Interval(NamedTuple):
    """When a symbol had an instrument id, by name as databento_dbn reads it."""

    start_date: dt.date
    end_date: dt.date
    symbol: str


class Mapped(NamedTuple):
    """A symbol's intervals, by name as databento_dbn reads them."""

    raw_symbol: str
    intervals: list[Interval]


class Tape(NamedTuple):
    """One file: its metadata, and its records in the vendor's layout."""

    dataset: str
    schema: str
    version: int
    mappings: Mapping[str, list[Any]]
    records: np.ndarray[Any, Any]
    clock: str


def _tape(path: Path) -> Tape:
    store = DBNStore.from_file(path)
    records = store.to_ndarray()
    store.reader.close()
    names = records.dtype.names or ()
    return Tape(
        dataset=store.dataset,
        schema=str(store.schema),
        version=store.metadata.version,
        mappings=store.metadata.mappings,
        records=records,
        clock="ts_recv" if "ts_recv" in names else "ts_event",
    )


class Cut(NamedTuple):
    """What a request selects."""

    tape: Tape
    rows: np.ndarray[Any, Any]
    found: dict[str, list[Any]]
    missing: list[str]


class Refusal(Exception):
    """An error answer in the vendor's form."""

    def __init__(self, status: int, case: str, message: str) -> None:
        super().__init__(message)
        self.status, self.case, self.message = status, case, message


class HistoryServer:
    """Serves the files; `fail` scripts faults, the counters say what happened.

    Parameters
    ----------
    files : sequence of Path
        DBN files.
    unit_price : Decimal
        USD per gigabyte that is sent.
    aliases : mapping
        Further symbol -> symbol of a file: the same records under another name.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        key: str = KEY,
        unit_price: Decimal = Decimal(0),
        aliases: Mapping[str, str] = {},
    ) -> None:
        self.files = tuple(files)
        self._tapes = [_tape(path) for path in files]
        self._key = key
        self.unit_price = unit_price
        self.aliases = aliases
        self.available_end: int | None = None
        self.delay: Callable[[Asked], float] = lambda asked: 0.0
        self.asked: list[Asked] = []
        self.downloads: Counter[tuple[str, str]] = Counter()
        """By (symbol, UTC day of the start): answers that began to be served."""
        self.billed = Decimal(0)
        self.running = 0
        self.most_running = 0
        self._faults: defaultdict[tuple[str, str], deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="databento", daemon=True)
        self._ready = threading.Event()
        self.url = ""
        self._thread.start()
        assert self._ready.wait(10)

    # -- what tests say and see ------------------------------------------------------------------

    def fail(self, method: str, *faults: Fault, symbol: str = "") -> None:
        """Let the next answers of a method (such as ``get_range``) go wrong, one by one."""
        with self._lock:
            self._faults[(method, symbol)] += faults

    def forget(self) -> None:
        """Begin anew: no faults, no counts."""
        with self._lock:
            self._faults.clear()
            self.asked.clear()
            self.downloads.clear()
            self.billed = Decimal(0)
            self.most_running = 0
            self.available_end = None
            self.delay = lambda asked: 0.0

    def count(self, method: str) -> int:
        """Return how many requests of a method arrived."""
        return sum(one.method.endswith(method) for one in self.asked)

    def price(self, size: int) -> Decimal:
        """Return what so many bytes cost."""
        return self.unit_price * size / GIGABYTE

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    # -- the service -----------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/v0/{method}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (address,) = runner.addresses
        self.url = f"http://127.0.0.1:{address[1]}"
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fields = {**request.query, **{k: str(v) for k, v in (await request.post()).items()}}
        asked = Asked(request.match_info["method"], fields, self._authorised(request))
        with self._lock:
            self.asked.append(asked)
            fault = self._next_fault(asked)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.delay(asked))
            return await self._answer(request, asked, fault)
        except Refusal as refusal:
            return _error(refusal.status, refusal.case, refusal.message)
        finally:
            with self._lock:
                self.running -= 1

    def _next_fault(self, asked: Asked) -> Fault | None:
        name = asked.method.partition(".")[2]
        for symbol in (*asked.symbols, ""):
            if waiting := self._faults.get((name, symbol)):
                return waiting.popleft()
        return None

    def _authorised(self, request: web.Request) -> bool:
        expected = base64.b64encode(f"{self._key}:".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {expected}"

    async def _answer(
        self, request: web.Request, asked: Asked, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is not None and fault.kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return _error(fault.status, f"case_{fault.status}", fault.text or "no", headers)
        if fault is not None and fault.kind == "reset":
            return _abort(request)
        if not asked.authorised:
            raise Refusal(401, "auth_authentication_failed", "Authentication failed.")
        if asked.method == "timeseries.get_range":
            return await self._stream(request, asked, fault)
        if fault is not None and fault.kind == "garbage":
            return web.Response(body=b"<html>busy</html>", content_type="text/html")
        if fault is not None and fault.kind == "answer":
            return web.Response(text=fault.text, content_type="application/json")
        headers = {"X-Warning": fault.text} if fault is not None and fault.kind == "warn" else {}
        return web.json_response(self._told(asked), headers=headers)

    def _told(self, asked: Asked) -> Any:
        fields = asked.fields
        match asked.method:
            case "metadata.get_cost":
                return float(self.price(self._size(asked)))
            case "metadata.get_billable_size":
                return self._size(asked)
            case "metadata.get_record_count":
                return len(self._cut(asked, widened=True).rows)
            case "metadata.get_dataset_range":
                return self._range(fields["dataset"])
            case "metadata.list_datasets":
                return sorted({tape.dataset for tape in self._tapes})
            case "metadata.list_schemas":
                return sorted({t.schema for t in self._tapes if t.dataset == fields["dataset"]})
            case "metadata.list_unit_prices":
                prices = {tape.schema: float(self.unit_price) for tape in self._tapes}
                return [{"mode": "historical-streaming", "unit_prices": prices}]
            case "symbology.resolve":
                return self._resolved(asked)
        raise Refusal(404, "not_found", "Not Found")

    def _size(self, asked: Asked) -> int:
        return int(self._cut(asked, widened=True).rows.nbytes)

    def _range(self, dataset: str) -> dict[str, Any]:
        tapes = [tape for tape in self._tapes if tape.dataset == dataset]
        if not tapes:
            raise Refusal(422, "dataset_not_found", f"Unknown dataset {dataset!r}")
        span = {"start": "2018-05-01T00:00:00.000000000Z", "end": f"{_iso(self._end(tapes))}Z"}
        return {**span, "schema": {tape.schema: span for tape in tapes}}

    def _end(self, tapes: Sequence[Tape]) -> int:
        if self.available_end is not None:
            return self.available_end
        last = max(int(t.records[t.clock].max()) for t in tapes if len(t.records))
        return (last // DAY + 2) * DAY

    def _resolved(self, asked: Asked) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for tape in self._tapes:
            for symbol in asked.symbols:
                for one in tape.mappings.get(self.aliases.get(symbol, symbol), []):
                    found.setdefault(symbol, []).append(
                        {
                            "d0": str(one["start_date"]),
                            "d1": str(one["end_date"]),
                            "s": one["symbol"],
                        }
                    )
        missing = [symbol for symbol in asked.symbols if symbol not in found]
        return {"result": found, "symbols": asked.symbols, "partial": [], "not_found": missing}

    # -- records ---------------------------------------------------------------------------------

    def _cut(self, asked: Asked, *, widened: bool = False) -> Cut:
        fields = asked.fields
        start, end = _ns(fields["start"]), _ns(fields["end"])
        if end <= start:
            raise Refusal(
                422, "data_time_range_start_on_or_after_end", "`start` is not before `end`"
            )
        tapes = [tape for tape in self._tapes if tape.dataset == fields["dataset"]]
        if not tapes:
            raise Refusal(422, "dataset_not_found", f"Unknown dataset {fields['dataset']!r}")
        if end > self._end(tapes):
            raise Refusal(
                422,
                "data_end_after_available_end",
                f"The dataset {fields['dataset']} has data available up to "
                f"'{_iso(self._end(tapes))}'. The `end` in the query is after the available range.",
            )
        if widened:
            start, end = start // TEN_MINUTES * TEN_MINUTES, -(-end // TEN_MINUTES) * TEN_MINUTES
        return self._found(asked, [t for t in tapes if t.schema == fields["schema"]], start, end)

    def _found(self, asked: Asked, tapes: Sequence[Tape], start: int, end: int) -> Cut:
        for tape in tapes:
            found = {
                symbol: intervals
                for symbol in asked.symbols
                if (intervals := _held(tape, self.aliases.get(symbol, symbol), start, end))
            }
            if not found:
                continue
            known = [int(one["symbol"]) for intervals in found.values() for one in intervals]
            clock = tape.records[tape.clock].astype(np.int64)
            kept = (clock >= start) & (clock < end) & np.isin(tape.records["instrument_id"], known)
            missing = [symbol for symbol in asked.symbols if symbol not in found]
            return Cut(tape, tape.records[kept], found, missing)
        raise Refusal(422, "symbology_invalid_request", "None of the symbols could be resolved")

    def _encoded(self, asked: Asked, cut: Cut) -> list[bytes]:
        """Return the answer as zstd frames: the first holds the metadata."""
        mappings = [
            Mapped(symbol, [Interval(**one) for one in found])
            for symbol, found in cut.found.items()
        ]
        head = dbn.Metadata(
            dataset=cut.tape.dataset,
            start=_ns(asked.fields["start"]),
            end=_ns(asked.fields["end"]),
            stype_in=dbn.SType.RAW_SYMBOL,
            stype_out=dbn.SType.INSTRUMENT_ID,
            schema=dbn.Schema.from_str(cut.tape.schema),
            symbols=asked.symbols,
            not_found=cut.missing,
            mappings=mappings,
            version=cut.tape.version,
        )
        rows = [cut.rows[at : at + FRAME_ROWS] for at in range(0, len(cut.rows), FRAME_ROWS)]
        pieces = [bytes(head), *(one.tobytes() for one in rows)]
        return [zstandard.ZstdCompressor(level=1).compress(piece) for piece in pieces]

    async def _stream(
        self, request: web.Request, asked: Asked, fault: Fault | None
    ) -> web.StreamResponse:
        cut = self._cut(asked)
        frames = self._encoded(asked, cut)
        with self._lock:
            for symbol in asked.symbols:
                self.downloads[(symbol, asked.day)] += 1
            self.billed += self.price(int(cut.rows.nbytes))
        return await _send(request, frames, fault)


# -- sending ---------------------------------------------------------------------------------------


async def _send(
    request: web.Request, frames: list[bytes], fault: Fault | None
) -> web.StreamResponse:
    body, kind = b"".join(frames), fault.kind if fault else ""
    if fault is None:
        return await _chunks(request, [body])
    half = body[: max(1, int(len(body) * fault.at))]
    border = b"".join(frames[: max(1, int(len(frames) * fault.at))])
    match kind:
        case "lost":
            return _abort(request)
        case "cut":
            return await _chunks(request, [half], broken=True)
        case "frame":
            return await _chunks(request, [border], broken=True)
        case "frame_clean":
            return await _chunks(request, [border])
        case "stall":
            await _chunks(request, [half, b""], wait=fault.seconds, broken=True)
            return _abort(request)
        case "drip":
            size = max(1, len(body) // 8)
            pieces = [body[at : at + size] for at in range(0, len(body), size)]
            return await _chunks(request, pieces, wait=fault.seconds)
        case "garbage":
            return await _chunks(request, [b"<html>gateway of the day</html>" * 40])
        case "empty":
            return await _chunks(request, [])
        case "short":
            return await _raw(request, len(half), body)
        case "long":
            return await _raw(request, len(body) + 1_000, body)
        case "warn":
            return await _chunks(request, [body], headers={"X-Warning": fault.text})
    raise AssertionError(kind)


async def _chunks(
    request: web.Request,
    pieces: Sequence[bytes],
    *,
    wait: float = 0.0,
    broken: bool = False,
    headers: Mapping[str, str] = {},
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "application/octet-stream", "request-id": "r-1", **headers}
    )
    response.enable_chunked_encoding()
    await response.prepare(request)
    for piece in pieces:
        if piece:
            await response.write(piece)
        await asyncio.sleep(wait)
    if broken:
        # What was written must be on its way before the connection goes.
        await asyncio.sleep(0.05)
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write_eof()
    return response


async def _raw(request: web.Request, announced: int, body: bytes) -> web.StreamResponse:
    """Answer with a length that is not the body's, past the web framework."""
    transport = request.transport
    assert transport is not None
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
        f"Connection: close\r\nContent-Length: {announced}\r\n\r\n"
    )
    transport.write(head.encode() + body)
    await asyncio.sleep(0.05)
    transport.close()
    return web.Response()


def _abort(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _error(status: int, case: str, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    detail = {"case": case, "message": message, "status_code": status, "docs": DOCS, "payload": {}}
    return web.json_response({"detail": detail}, status=status, headers=headers)


# -- values ----------------------------------------------------------------------------------------


def _held(tape: Tape, symbol: str, start: int, end: int) -> list[Any]:
    """Return the mappings of a symbol on the UTC days asked for."""
    first, last = _date(start), _date(end - 1)
    return [
        one
        for one in tape.mappings.get(symbol, [])
        if one["start_date"] <= last and one["end_date"] > first
    ]


def _ns(text: str) -> int:
    if text.isdigit():
        return int(text)
    return int(np.datetime64(text.removesuffix("Z").removesuffix("+00:00"), "ns").astype(np.int64))


def _iso(ts: int) -> str:
    return str(np.datetime64(ts, "ns"))


def _date(ts: int) -> dt.date:
    return dt.datetime.fromtimestamp(ts // 10**9, tz=dt.UTC).date()


@contextmanager
def history_server(
    files: Sequence[Path],
    *,
    unit_price: Decimal = Decimal(0),
    aliases: Mapping[str, str] = {},
) -> Iterator[HistoryServer]:
    server = HistoryServer(files, unit_price=unit_price, aliases=aliases)
    try:
        yield server
    finally:
        server.close()


def books(folder: Path) -> list[Path]:
    """Return the real books of the market data folder."""
    return sorted((folder / "dbn").glob("xnas-itch-*.mbp-10.dbn.zst"))


def warning(*texts: str) -> str:
    """Return a header as the vendor writes it."""
    return json.dumps([f"Warning: {text}" for text in texts])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another thread or process brings about."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.005)
