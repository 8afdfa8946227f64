"""Requests over real sockets: each sent once, every way to fail judged, no key in any text."""

import asyncio
import contextlib
import logging
import shutil
import ssl
import subprocess
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from tests.integration.brokers_alpaca.script import (
    ENTRY,
    KEYS,
    NAME,
    ORDER_ID,
    Script,
    connected,
    order,
    until,
)
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.alpaca.client import Client
from tradingd.brokers.alpaca.commands import Commands
from tradingd.brokers.alpaca.finder import Finder
from tradingd.brokers.alpaca.reader import Reader
from tradingd.brokers.alpaca.registry import Registry
from tradingd.brokers.alpaca.replies import Lost, NothingSent, Refused
from tradingd.domain.broker import Accepted, BrokerUnavailable, Outcome, Rejected, Unknown
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.keys import Keys

type Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

POST = ("POST", "/v2/orders")


@contextlib.asynccontextmanager
async def commands(
    url: str, *, patience: float = 0.5, per_minute: int = 60_000, keys: Keys = KEYS
) -> AsyncIterator[Commands]:
    client = Client(keys, rest=url, timeout=patience, per_minute=per_minute)
    client.start()
    registry = Registry()
    finder = Finder(registry, Reader(client), lambda _changes: None)
    try:
        yield Commands(client, registry, finder)
    finally:
        await client.stop()


def test_of_many_symbols_the_list_is_read_once_and_only_what_it_lacks_is_asked_for() -> None:
    script = Script()
    asset = {"tradable": True, "status": "active", "shortable": True}
    listed: list[object] = [{"symbol": f"S{number}", **asset} for number in range(40)]
    listed += [{"symbol": None}, {"symbol": ["S1"]}, {}, "nothing", {"symbol": "OTHER", **asset}]
    script.answers["GET", "/v2/assets"] = (200, listed)
    script.answers["GET", "/v2/assets/GONE"] = (200, {"symbol": "GONE", "status": "inactive"})
    wanted = ["GONE", *(f"S{number}" for number in range(25)), "NEVER"]

    async def scene() -> None:
        async with connected(script) as (broker, _):
            script.asked.clear()
            few = await broker.assets(wanted[:1])
            assert [(one.symbol, one.tradable) for one in few] == [("GONE", False)]
            assert script.count("GET", "/v2/assets") == 0
            script.asked.clear()
            many = await broker.assets(wanted)
            assert [one.symbol for one in many] == wanted[:-1]
            assert [one.symbol for one in many if not one.tradable] == ["GONE"]
            assert [one[1:] for one in script.asked if one[1].startswith("/v2/assets")] == [
                ("/v2/assets", {"status": "active", "asset_class": "us_equity"}),
                ("/v2/assets/GONE", {}),
                ("/v2/assets/NEVER", {}),
            ]

    asyncio.run(scene())


def submitted(answer: object) -> tuple[Outcome, int]:
    """Return what became of an order, and how often the server was sent it."""

    async def scene() -> tuple[Outcome, int]:
        script = Script()
        script.answers[POST] = answer  # type: ignore[assignment]
        async with script.running() as url, commands(url) as made:
            outcome = await made.submit(ENTRY)
            return outcome, script.count(*POST)

    return asyncio.run(scene())


def met(peer: Peer, *, scheme: str = "http", tls: ssl.SSLContext | None = None) -> Outcome:
    """Return what becomes of an order that is sent to a peer of bare sockets."""

    async def scene() -> Outcome:
        server = await asyncio.start_server(peer, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        async with server, commands(f"{scheme}://127.0.0.1:{port}", patience=0.3) as made:
            return await made.submit(ENTRY)

    return asyncio.run(scene())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_order_is_sent_once_whatever_the_server_says(status: int) -> None:
    outcome, times = submitted((status, {"message": "try again"}))
    assert times == 1
    assert isinstance(outcome, Unknown)


def test_a_rate_limit_of_alpacas_is_a_rejection_and_slows_what_follows() -> None:
    async def scene() -> tuple[Outcome, float]:
        script = Script()
        limited = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "Retry-After": "0.4"}
        script.answers[POST] = lambda _data: web.json_response(
            {"message": "too many requests."}, status=429, headers=limited
        )
        clock = asyncio.get_running_loop().time
        async with script.running() as url, commands(url, patience=2) as made:
            outcome = await made.submit(ENTRY)
            begun = clock()
            await made.cancel_at_broker(ORDER_ID)
            return outcome, clock() - begun

    outcome, waited = asyncio.run(scene())
    assert isinstance(outcome, Rejected)
    assert waited >= 0.35


def test_an_accepted_order_is_known_by_its_id() -> None:
    outcome, times = submitted((200, order(status="accepted")))
    assert outcome == Accepted(ORDER_ID)
    assert times == 1


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>hello</html>"), (200, None), (200, {}), (302, None), (200, '{"id": "cut o')],
    ids=["garbled", "empty", "no order", "redirect", "cut off"],
)
def test_an_answer_that_proves_nothing_is_unknown(answer: object) -> None:
    outcome, times = submitted(answer)
    assert isinstance(outcome, Unknown)
    assert times == 1


def test_nobody_there_is_a_rejection_because_nothing_was_sent() -> None:
    async def scene() -> Outcome:
        async with commands("http://127.0.0.1:1") as made:
            return await made.submit(ENTRY)

    outcome = asyncio.run(scene())
    assert isinstance(outcome, Rejected)
    assert "nothing was sent" in outcome.reason


def test_a_connection_that_breaks_after_the_write_is_unknown() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert isinstance(met(peer), Unknown)


def test_a_connection_that_is_reset_before_the_answer_ends_is_unknown() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()

    assert isinstance(met(peer), Unknown)


def test_silence_is_unknown_in_time() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    outcome = met(peer)
    assert isinstance(outcome, Unknown)
    assert "no answer in time" in outcome.why


def test_an_answer_byte_by_byte_does_not_hold_a_command_up_for_ever() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(25):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    outcome = met(peer)
    assert isinstance(outcome, Unknown)
    assert "no whole answer" in outcome.why


def test_tls_that_fails_in_another_way_is_unknown() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"this is not TLS\r\n\r\n")
        writer.close()

    assert isinstance(met(peer, scheme="https"), Unknown)


def test_a_certificate_that_is_not_trusted_is_a_rejection(tmp_path: Path) -> None:
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("no openssl to make a certificate with")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        (
            f"{tool} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
            f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {cert}"
        ).split(),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    outcome = met(peer, scheme="https", tls=context)
    assert isinstance(outcome, Rejected)
    assert "nothing was sent" in outcome.reason


def test_an_entry_that_would_wait_too_long_is_not_sent_and_an_exit_waits() -> None:
    async def scene() -> tuple[list[Outcome], int, Outcome]:
        script = Script()
        script.answers[POST] = lambda data: (
            200,
            order(client_order_id=data["client_order_id"]),
        )
        async with script.running() as url, commands(url, per_minute=40) as made:
            named = [
                msgspec.structs.replace(ENTRY, client_order_id=f"{NAME[:-2]}{number:02d}")
                for number in range(20)
            ]
            entries = await asyncio.gather(*(made.submit(one) for one in named[:15]))
            sent = script.count(*POST)
            urgent = msgspec.structs.replace(named[19], urgent=True)
            return list(entries), sent, await made.submit(urgent)

    entries, sent, urgent = asyncio.run(scene())
    accepted = [one for one in entries if isinstance(one, Accepted)]
    assert sent == len(accepted) == 10  # the burst of forty a minute
    refused = next(one for one in entries if isinstance(one, Rejected))
    assert "nothing was sent" in refused.reason
    assert isinstance(urgent, Accepted)


def test_a_question_without_an_answer_of_alpacas_proves_no_absence() -> None:
    async def scene() -> None:
        script = Script()
        script.answers["GET", "/v2/orders:by_client_order_id"] = (404, "<html>no page</html>")
        async with connected(script) as (broker, _):
            with pytest.raises(BrokerUnavailable):
                await broker.order(NAME)
            del script.answers["GET", "/v2/orders:by_client_order_id"]
            assert await broker.order(NAME) is None

    asyncio.run(scene())


def test_keys_that_are_refused_stop_the_start_at_once() -> None:
    async def scene() -> Failure:
        script = Script()
        script.answers["GET", "/v2/account"] = (401, {"message": "unauthorized."})
        async with script.running() as url:
            broker = AlpacaBroker(KEYS, rest=url, timeout=1, connect_seconds=5)
            with pytest.raises(Failure) as caught:
                await broker.connect()
            assert script.count("GET", "/v2/account") == 1
            return caught.value

    failure = asyncio.run(scene())
    assert failure.code is ExitCode.BROKER
    assert "unauthorized" in str(failure)


def test_nobody_there_stops_the_start_in_time() -> None:
    async def scene() -> Failure:
        broker = AlpacaBroker(KEYS, rest="http://127.0.0.1:1", timeout=0.2, connect_seconds=0.5)
        with pytest.raises(Failure) as caught:
            await broker.connect()
        return caught.value

    failure = asyncio.run(scene())
    assert "cannot be reached" in str(failure)
    assert "refused" in failure.found


def test_commands_and_questions_need_no_stream() -> None:
    async def scene() -> None:
        script = Script()
        script.refuse = True
        script.answers["DELETE", "/v2/orders"] = (207, [{"id": ORDER_ID, "status": 200}])
        async with script.running() as url:
            broker = AlpacaBroker(KEYS, rest=url, timeout=1, connect_seconds=2, listen=False)
            account = await broker.connect()
            assert account.account_id == "PA3SIM000001"
            assert await broker.cancel_all() == 1
            assert await broker.positions() == []
            assert not broker.connected
            await broker.close()

    asyncio.run(scene())


def test_a_stream_that_lets_nobody_in_stops_the_start() -> None:
    async def scene() -> Failure:
        script = Script()
        script.let_in = False
        async with script.running() as url:
            broker = AlpacaBroker(KEYS, rest=url, timeout=0.5, connect_seconds=0.8)
            with pytest.raises(Failure) as caught:
                await broker.connect()
            return caught.value

    assert "unauthorized" in str(asyncio.run(scene()))


def test_the_start_waits_for_a_server_that_comes_up() -> None:
    async def scene() -> None:
        script = Script()
        answers = iter([(503, "busy"), (500, "busy")])
        script.answers["GET", "/v2/account"] = lambda _data: next(
            answers, (200, {"account_number": "PA1", "cash": "1", "equity": "1"})
        )
        async with connected(script) as (broker, _):
            assert broker.connected
            await until(lambda: script.count("GET", "/v2/account") == 3)

    asyncio.run(scene())


@pytest.mark.parametrize(
    "keys",
    [
        KEYS,
        Keys("PKNOBODYMAYREADTHIS1\n", KEYS.secret),
        Keys(KEYS.key_id, KEYS.secret + "\r\n"),
        Keys(KEYS.key_id, " " + KEYS.secret),
        Keys(KEYS.key_id, KEYS.secret + "\N{EURO SIGN}"),
    ],
    ids=["good", "line end in the id", "line end in the secret", "space", "not latin-1"],
)
def test_no_key_is_in_any_reply_log_or_traceback(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []

    async def scene() -> None:
        script = Script()
        script.answers[POST] = (403, {"message": f"no: {keys.key_id} {keys.secret}"})
        async with script.running() as url:
            for where in (url, "http://127.0.0.1:1", "https://127.0.0.1:1", "gopher://x"):
                client = Client(keys, rest=where, timeout=0.5, per_minute=6_000)
                client.start()
                reply = await client.command("POST", "/orders", {"qty": "1"})
                assert isinstance(reply, NothingSent | Refused | Lost)
                texts.append(f"{reply} {reply!r}")
                texts.append(f"{client} {client!r} {keys} {keys!r}")
                await client.stop()
            script.answers["GET", "/v2/account"] = (403, {"message": f"{keys.secret}"})
            broker = AlpacaBroker(keys, rest=url, timeout=0.5, connect_seconds=0.6)
            try:
                await broker.connect()
            except Failure as failure:
                trace = traceback.TracebackException.from_exception(failure, capture_locals=False)
                texts.append("".join(trace.format()))
                texts.append(repr(failure) + str(failure))
            texts.append(f"{broker!r}")

    asyncio.run(scene())
    texts += [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    said = "\n".join(texts)
    for secret in (KEYS.key_id, KEYS.secret):
        assert secret not in said
