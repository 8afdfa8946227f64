"""A mail server on loopback, just enough of RFC 5321 for a client to hand over a message."""

import asyncio
import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage


class SmtpPeer:
    """Keeps (sender, recipients, message); `refuse` makes it answer RCPT with 550."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[str], EmailMessage]] = []
        self.logins: list[str] = []
        self.refuse = False
        self.offer_login = False
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", []

        def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")

        say("220 peer ready")
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "EHLO" if self.offer_login:
                    say("250-peer")
                    say("250 AUTH PLAIN")
                case "EHLO" | "HELO":
                    say("250 peer")
                case "AUTH":
                    self.logins.append(rest)
                    say("235 welcome")
                case "MAIL":
                    sender = rest.partition(":<")[2].partition(">")[0]
                    say("250 ok")
                case "RCPT" if self.refuse:
                    say("550 no such user")
                case "RCPT":
                    recipients.append(rest.partition(":<")[2].rstrip(">"))
                    say("250 ok")
                case "DATA":
                    say("354 go on")
                    await writer.drain()
                    body = b""
                    while (part := await reader.readline()) != b".\r\n":
                        body += part
                    message = email.message_from_bytes(body, policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    self.received.append((sender, recipients, message))
                    recipients = []
                    say("250 taken")
                case "RSET" | "NOOP":
                    say("250 ok")
                case "QUIT":
                    say("221 bye")
                    await writer.drain()
                    break
                case _:
                    say("502 what?")
            await writer.drain()
        writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@contextmanager
def smtp_peer() -> Iterator[SmtpPeer]:
    peer = SmtpPeer()
    try:
        yield peer
    finally:
        peer.close()
