"""A local server of responses in Alpaca's recorded shapes, which misbehaves on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

type Answer = tuple[int, dict[str, str], str]


class AlpacaRestPeer:
    """Answers GETs: first what `next_answers` holds, then bars, actions, latest, calendar."""

    def __init__(self) -> None:
        self.bars: dict[tuple[str, str], list[str]] = {}
        self.actions: dict[str, list[dict[str, Any]]] = {}
        self.latest: dict[str, dict[str, Any]] = {}
        self.sessions: list[dict[str, str]] = []
        self.page = 10_000
        self.next_answers: list[Answer | Callable[[BaseHTTPRequestHandler], None]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                with peer._lock:
                    peer.asked.append((parts.path, query))
                    peer.headers.append(dict(self.headers.items()))
                    planned = peer.next_answers.pop(0) if peer.next_answers else None
                if callable(planned):
                    planned(self)
                    return
                self.reply(*(planned or peer.answer(parts.path, query)))

            def reply(self, status: int, headers: dict[str, str], body: str) -> None:
                content = body.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def put_bar(self, symbol: str, timeframe: str, text: str) -> None:
        """Add a bar as the JSON text that is to be sent, digit by digit."""
        self.bars.setdefault((symbol, timeframe), []).append(text)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/stocks/bars":
            return self._bars(query)
        if path == "/v1/corporate-actions":
            return 200, {}, json.dumps({"corporate_actions": self.actions, "next_page_token": None})
        if path == "/v2/calendar":
            return 200, {}, json.dumps(self.sessions)
        if path.endswith("/latest"):
            kind = path.split("/")[3]
            wanted = query["symbols"].split(",")
            return (
                200,
                {},
                json.dumps(
                    {kind: {name: row for name, row in self.latest.items() if name in wanted}}
                ),
            )
        return 404, {}, json.dumps({"message": "not found"})

    def _bars(self, query: dict[str, str]) -> Answer:
        low, high = query["start"], query.get("end", "9999")
        rows = [
            (symbol, text)
            for symbol in sorted(query["symbols"].split(","))
            for text in self.bars.get((symbol, query["timeframe"]), [])
            if low[:19] <= json.loads(text)["t"][:19] <= high[:19]
        ]
        first = int(query.get("page_token", "0"))
        shown = rows[first : first + self.page]
        grouped: dict[str, list[str]] = {}
        for symbol, text in shown:
            grouped.setdefault(symbol, []).append(text)
        inner = ",".join(f'"{name}":[{",".join(texts)}]' for name, texts in grouped.items())
        following = first + self.page
        token = f'"{following}"' if following < len(rows) else "null"
        return 200, {}, f'{{"bars":{{{inner}}},"next_page_token":{token}}}'

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def alpaca_rest_peer() -> Iterator[AlpacaRestPeer]:
    peer = AlpacaRestPeer()
    try:
        yield peer
    finally:
        peer.close()
