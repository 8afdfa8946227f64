"""Abuse a control socket from a process of its own, and say what held.

`python -m tests.control_abuse SOCKET [--patience SECONDS]` works against any daemon: nothing it
sends changes trading. While it attacks, a bystander goes on asking and acting as a person would;
every one of its requests must be answered. Prints one JSON line a fact; ends with 1 if one failed.
"""

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import HealthView
from tradingd.control.client import ControlClient
from tradingd.kits.failure import Failure

BIG = 10_000_000
CROWD = 200


class Fact(msgspec.Struct, frozen=True):
    """One thing that had to hold."""

    name: str
    held: bool
    found: str


class Attacker:
    """Knows the socket, and how long a slow client may at most hold its place."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.patience = patience

    def connect(self) -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(self.patience)
        end = time.monotonic() + self.patience
        while True:
            try:
                link.connect(str(self.path))
            except BlockingIOError:
                # The queue of connections is full; a blocking connect would wait, so wait.
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return link

    def exchange(self, *parts: bytes, half_close: bool = False) -> bytes:
        """Send parts, return all that comes until the other end closes or falls silent."""
        with self.connect() as link:
            try:
                for part in parts:
                    link.sendall(part)
                if half_close:
                    link.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return drained(link)


def drained(link: socket.socket) -> bytes:
    got = bytearray()
    try:
        while part := link.recv(65_536):
            got += part
    except (ConnectionResetError, TimeoutError):
        pass
    return bytes(got)


def status_of(answer: bytes) -> int:
    """Return the HTTP status, 0 where nothing came, -1 for what is no HTTP."""
    if not answer:
        return 0
    words = answer.split(b" ", 2)
    return int(words[1]) if words[0].startswith(b"HTTP/") and words[1].isdigit() else -1


def post(body: bytes, *, path: str = "/v1/acknowledge", head: str = "") -> bytes:
    line = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return f"{line}{head or f'Content-Length: {len(body)}'}\r\n\r\n".encode() + body


# -- attacks ---------------------------------------------------------------------------------------


def large_bodies(attacker: Attacker) -> list[Fact]:
    """10 MB with a stated length, in chunks, and stated but never sent."""
    body = b'{"key":"' + b"x" * BIG + b'"}'
    stated = attacker.exchange(post(body))
    chunks = b"".join(
        b"10000\r\n" + body[at : at + 65_536] + b"\r\n" for at in range(0, BIG, 65_536)
    )
    chunked = attacker.exchange(post(b"", head="Transfer-Encoding: chunked"), chunks, b"0\r\n\r\n")
    began = time.monotonic()
    promised = attacker.exchange(post(b"", head=f"Content-Length: {BIG}"))
    return [
        Fact("10 MB with a stated length is refused", status_of(stated) == 413, head_of(stated)),
        Fact("10 MB in chunks is refused", status_of(chunked) == 413, head_of(chunked)),
        Fact(
            "10 MB that never comes is refused",
            status_of(promised) == 413 and time.monotonic() - began < attacker.patience,
            head_of(promised),
        ),
    ]


def malformed_bodies(attacker: Attacker) -> list[Fact]:
    """Bodies that are no request."""
    bodies = {
        "half an object": b'{"key":',
        "an array": b"[]",
        "null": b"null",
        "a deep nest": b"[" * 60_000,
        "a deep object": b'{"key":' * 9_000,
        "invalid UTF-8": b'{"key":"\xff\xfe"}',
        "a lone surrogate": b'{"key":"\\ud800","reason":"abc"}',
        "zero bytes": b"\x00" * 1_000,
        "an unknown field": b'{"key":"a","reason":"abc","extra":1}',
        "a number for text": b'{"key":1}',
        "a number without end": b'{"key":' + b"9" * 60_000 + b"}",
        "not JSON": b"key=abuse&reason=abc",
        "two values": b'{"key":"a"}{"key":"b"}',
    }
    return [
        Fact(f"{name} is refused as malformed", status_of(answer) == 400, head_of(answer))
        for name, body in bodies.items()
        for answer in [attacker.exchange(post(body))]
    ]


def junk(attacker: Attacker) -> list[Fact]:
    """What is no HTTP, or HTTP that two readers could take differently."""
    lines = {
        "binary": bytes(range(256)) * 8,
        "a lone line end": b"\r\n" * 5_000,
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "length and chunks": b"POST /v1/acknowledge HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "two lengths": b"POST /v1/acknowledge HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Content-Length: 40\r\n\r\nabcd",
        "a negative length": b"POST /v1/acknowledge HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "a length too long": b"POST /v1/acknowledge HTTP/1.1\r\nContent-Length: "
        + b"9" * 400
        + b"\r\n\r\n",
        "an odd encoding": b"POST /v1/acknowledge HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "a bad chunk": b"POST /v1/acknowledge HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "a head without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
        "a thousand heads": b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 1_000 + b"\r\n",
        "a zero byte": b"GET /v1/\x00status HTTP/1.1\r\nHost: x\r\n\r\n",
        "an endless path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n\r\n",
        "a way up": b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "another method": b"DELETE /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "a tunnel": b"CONNECT example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "an upgrade": b"GET /v1/flatten HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\n\r\n",
    }
    facts = []
    for name, line in lines.items():
        status = status_of(attacker.exchange(line, half_close=True))
        held = status == 0 or 400 <= status < 500
        facts.append(Fact(f"{name} is refused or dropped", held, str(status)))
    return facts


def half_open(attacker: Attacker) -> list[Fact]:
    """Who closed its own way still gets its answer; who goes in the middle harms nobody."""
    answer = attacker.exchange(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", half_close=True)
    for _ in range(50):
        with attacker.connect() as link:
            link.sendall(b'POST /v1/acknowledge HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"key"')
    return [Fact("a half-closed client is answered", status_of(answer) == 200, head_of(answer))]


def pipelined(attacker: Attacker) -> list[Fact]:
    """Two thousand requests in one go; whatever is answered is answered in order and whole."""
    many = b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with attacker.connect() as link:
        sender = threading.Thread(target=_push, args=(link, many + last), daemon=True)
        sender.start()
        got = drained(link)
        sender.join(attacker.patience)
    answers = got.count(b"HTTP/1.1 ")
    good = got.count(b"HTTP/1.1 200 OK")
    return [Fact("pipelined requests are answered", good == answers == 2_001, f"{good}/{answers}")]


def _push(link: socket.socket, data: bytes) -> None:
    try:
        link.sendall(data)
    except OSError:
        pass


def slow_heads(attacker: Attacker) -> list[Fact]:
    """A request's head, a byte at a time."""
    return [
        _until_dropped(attacker, "a slow head", b"GET /v1/status HTTP/1.1\r\nHost: " + b"x" * 999)
    ]


def slow_bodies(attacker: Attacker) -> list[Fact]:
    """A request's body, a byte at a time."""
    head = post(b"", head="Content-Length: 1000")
    return [_until_dropped(attacker, "a slow body", b'{"key":"' + b"x" * 900, head)]


def silence(attacker: Attacker) -> list[Fact]:
    """Nothing at all."""
    return [_until_dropped(attacker, "a silent client", b"")]


def _until_dropped(attacker: Attacker, name: str, drip: bytes, head: bytes = b"") -> Fact:
    began = time.monotonic()
    with attacker.connect() as link:
        link.sendall(head)
        link.settimeout(0.1)
        for at in range(10_000):
            held = time.monotonic() - began
            if held > attacker.patience:
                return Fact(f"{name} is let go", False, f"still in after {held:.1f} s")
            try:
                link.sendall(drip[at : at + 1])
                said = link.recv(4096)
                if status_of(said) in (429, 503):
                    return Fact(f"{name} is let go", False, "never let in")
                if not said:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return Fact(f"{name} is let go", True, f"after {time.monotonic() - began:.1f} s")


def deaf_readers(attacker: Attacker) -> list[Fact]:
    """Who asks for events, or for much, and never reads."""
    links = [attacker.connect() for _ in range(8)]
    for link in links[:4]:
        link.sendall(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    for link in links[4:]:
        link.setblocking(False)
        try:
            link.send(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000)
        except BlockingIOError:
            pass
    time.sleep(min(2.0, attacker.patience))
    for link in links:
        link.close()
    return [Fact("deaf readers were there", True, str(len(links)))]


def crowd(attacker: Attacker) -> list[Fact]:
    """Two hundred connections at once that say nothing."""
    links: list[socket.socket] = []
    turned_away = 0
    for _ in range(CROWD):
        links.append(attacker.connect())
    for link in links:
        link.settimeout(0.02)
        try:
            turned_away += status_of(link.recv(4096)) in (0, 429, 503)
        except TimeoutError:
            pass
        except OSError:
            turned_away += 1
    for link in links:
        link.settimeout(attacker.patience)
    dropped = sum(_ended(link) for link in links)
    for link in links:
        link.close()
    return [
        Fact("of two hundred most are turned away", turned_away >= CROWD // 2, str(turned_away)),
        Fact("the silent rest is let go", dropped == CROWD, str(dropped)),
    ]


def _ended(link: socket.socket) -> bool:
    try:
        while link.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def storm(attacker: Attacker) -> list[Fact]:
    """Five hundred connections that come and go."""
    for _ in range(500):
        attacker.connect().close()
    return [Fact("a storm of connections passes", True, "500")]


def head_of(answer: bytes) -> str:
    return answer[:60].partition(b"\r\n")[0].decode("latin-1")


# -- the bystander ---------------------------------------------------------------------------------


class Bystander(threading.Thread):
    """Looks and acts all the time, as a person with `tradingctl` would."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._client = ControlClient("bystander", paths=[path], timeout=20.0, wait=20.0)
        self._ended = threading.Event()
        self.looks = self.acts = 0
        self.slowest = 0.0
        self.lost: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(0.05):
            began = time.monotonic()
            try:
                self._client.get("health", HealthView)
                self.looks += 1
            except Failure as failure:
                self.lost.append(failure.line())
            try:
                request = m.AcknowledgeRequest(key=f"abuse-{self.acts}", reason="bystander")
                self._client.post("acknowledge", request)
                self.acts += 1
            except Failure as failure:
                # A daemon that knows no such alert refuses, which is an answer too.
                self.acts += failure.what != "the daemon went away before it answered"
                if "does not answer" in failure.what or "no daemon" in failure.what:
                    self.lost.append(failure.line())
            self.slowest = max(self.slowest, time.monotonic() - began)

    def end(self) -> list[Fact]:
        self._ended.set()
        self.join(30.0)
        asked = f"{self.looks} looks, {self.acts} acts, slowest pair {self.slowest:.2f} s"
        lost = "; ".join(self.lost[:3])
        return [Fact("every request of a bystander is answered", not self.lost, lost or asked)]


QUICK: tuple[Callable[[Attacker], list[Fact]], ...] = (
    large_bodies, malformed_bodies, junk, half_open, pipelined, storm,
)  # fmt: skip
SLOW: tuple[Callable[[Attacker], list[Fact]], ...] = (
    *(slow_heads for _ in range(8)), *(slow_bodies for _ in range(8)),
    *(silence for _ in range(4)), deaf_readers,
)  # fmt: skip


def settle(attacker: Attacker) -> None:
    """Wait until what came before is over: a new connection is let in."""
    end = time.monotonic() + attacker.patience
    while time.monotonic() < end:
        links = [attacker.connect() for _ in range(30)]
        for link in links:
            link.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answered = [status_of(drained(link)) == 200 for link in links]
        for link in links:
            link.close()
        if all(answered):
            return
        time.sleep(0.1)


def abuse(path: Path, patience: float) -> tuple[list[Fact], Bystander]:
    """Run every attack; slow ones at the same time, the crowd at the end."""
    attacker = Attacker(path, patience)
    bystander = Bystander(path)
    bystander.start()
    facts = [fact for attack in QUICK for fact in attack(attacker)]
    settle(attacker)
    with ThreadPoolExecutor(len(SLOW)) as pool:
        facts += [
            fact for found in pool.map(lambda attack: attack(attacker), SLOW) for fact in found
        ]
    settle(attacker)
    facts += crowd(attacker)
    return facts + bystander.end(), bystander


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("socket", type=Path)
    parser.add_argument(
        "--patience", type=float, default=20.0, help="seconds a slow client may hold its place"
    )
    given = parser.parse_args()
    facts, bystander = abuse(given.socket, given.patience)
    for fact in facts:
        sys.stdout.write(json.dumps(msgspec.to_builtins(fact)) + "\n")
    sys.stdout.write(json.dumps({"looks": bystander.looks, "acts": bystander.acts}) + "\n")
    return int(not all(fact.held for fact in facts))


if __name__ == "__main__":
    sys.exit(main())
