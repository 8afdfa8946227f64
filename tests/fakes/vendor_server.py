"""A vendor's web server on loopback: answers by path, misbehaves when told to, remembers all."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """One request, as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: Mapping[str, str]


class Reply(NamedTuple):
    """One answer; `cut` closes the connection halfway through the body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    cut: bool = False


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(
        json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers}
    )


class VendorServer:
    """`answer` decides on every request; replies in `first` are given before it is asked."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.first: list[Reply] = []
        self.asked: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._serve("GET")

            def do_POST(self) -> None:
                self._serve("POST")

            def _serve(self, method: str) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                form = dict(parse_qsl(self.rfile.read(size).decode())) if size else {}
                parts = urlsplit(self.path)
                asked = Asked(method, parts.path, dict(parse_qsl(parts.query)), form, self.headers)
                reply = server.reply(asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if reply.cut:
                    self.wfile.write(reply.body[: len(reply.body) // 2])
                    self.wfile.flush()
                    self.connection.close()
                    self.close_connection = True
                    return
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.first.pop(0) if self.first else self.answer(asked)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def vendor_server(answer: Callable[[Asked], Reply]) -> Iterator[VendorServer]:
    server = VendorServer(answer)
    try:
        yield server
    finally:
        server.close()
