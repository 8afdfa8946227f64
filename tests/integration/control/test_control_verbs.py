"""The control server over a real socket: every verb, refusals, audit, permissions."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from tests.fakes.control_operator import FakeOperator
from tradingd.control import messages as m
from tradingd.control.client import UnixConnection
from tradingd.control.connection import Patience
from tradingd.control.server import ControlServer
from tradingd.control.verbs import ACTING, LOOKING
from tradingd.kits.failure import ExitCode, Failure

type Asked = tuple[int, dict[str, Any]]


def ask(path: Path, method: str, target: str, body: object = None) -> Asked:
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
    with closing(UnixConnection(path, 10.0)) as link:
        link.request(method, target, body=data)
        with link.getresponse() as answer:
            return answer.status, json.loads(answer.read())


def served(
    path: Path,
    operator: FakeOperator,
    use: Callable[[Callable[..., Awaitable[Asked]]], Awaitable[None]],
    **options: Any,
) -> None:
    """Serve, and run `use` with a function that asks from another thread."""

    async def main() -> None:
        server = ControlServer(operator, socket=path, **options)
        await server.start()
        try:
            await use(lambda *words: asyncio.to_thread(ask, path, *words))
        finally:
            await server.stop()

    uvloop.run(main())


GOOD: dict[str, dict[str, Any]] = {
    "pause": {"minutes": 5},
    "resume": {},
    "halt": {},
    "flatten": {"confirm": "paper"},
    "cancel": {"order_id": "O-1"},
    "arm": {"account": "SIM-1", "confirm": "SIM-1", "token": "very-secret"},
    "disarm": {},
    "limits": {"key": "risk.max_positions", "value": "10", "minutes": 5},
    "jobs": {"name": "nightly"},
    "record": {"symbol": "FROG"},
    "log-level": {"level": "DEBUG"},
    "approve": {"order_id": "O-9"},
    "reject": {"order_id": "O-9"},
    "acknowledge": {"key": "feed"},
    "drill": {"part": "feed", "seconds": 1.0, "confirm": "paper"},
    "adopt": {"confirm": "paper"},
    "reconcile": {},
    "cancel-foreign": {"broker_order_id": "B-7", "confirm": "paper"},
    "job-report": {"name": "nightly", "status": "done", "started": 1, "ended": 2},
}


def test_every_looking_verb_answers_in_its_published_type(short: Path) -> None:
    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        for verb in LOOKING:
            status, body = await get("GET", verb.path)
            assert status == 200, verb.name
            msgspec.convert(body, verb.answer)
        status, index = await get("GET", "/")
        assert {line["path"] for line in index["verbs"]} >= {verb.path for verb in ACTING}

    served(short / "s", FakeOperator(), use)


@pytest.mark.parametrize("name", [verb.name for verb in ACTING if verb.name != "reload"])
def test_every_acting_verb_acts_once_and_is_audited_before_and_after(
    name: str, short: Path
) -> None:
    operator = FakeOperator(mode="live" if name == "arm" else "paper")

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        status, body = await get("POST", f"/v1/{name}", {"reason": "a test", **GOOD[name]})
        assert (status, operator.acts) == (200, 1), body
        assert body["seconds"] > 0

    served(short / "s", operator, use)
    asked, done = operator.audits
    assert (asked.action, done.action) == (f"{name} asked", f"{name} done")
    assert json.loads(asked.detail)["reason"] == "a test"
    assert (asked.actor.uid, asked.actor.pid) == (os.getuid(), os.getpid())
    assert "very-secret" not in asked.detail + done.detail


def test_the_token_reaches_the_operator_only(short: Path) -> None:
    operator = FakeOperator(mode="live")

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        await get("POST", "/v1/arm", {"reason": "a test", **GOOD["arm"]})

    served(short / "s", operator, use)
    assert operator.armed_with == "very-secret"


def test_what_the_daemon_refuses_carries_its_exit_code_and_is_audited(short: Path) -> None:
    operator = FakeOperator()

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        status, body = await get("POST", "/v1/reload", {})
        assert (status, body["code"]) == (409, ExitCode.CONFIG)

    served(short / "s", operator, use)
    assert [one.action for one in operator.audits] == ["reload asked", "reload refused"]


@pytest.mark.parametrize(
    ("name", "body", "first"),
    [
        ("flatten", {}, "PAUSED"),
        ("drill", {"part": "feed", "seconds": 1}, None),
        ("cancel", {"scope": "account"}, None),
        ("resume", {}, "HALTED"),
        ("limits", {"key": "risk.max_positions", "value": "31", "minutes": 5}, None),
        ("limits", {"key": "risk.no_trade_open_minutes", "value": "4", "minutes": 5}, None),
        ("limits", {"key": "risk.max_positions", "value": "many", "minutes": 5}, None),
    ],
    ids=["flatten", "drill", "cancel", "resume", "above", "below", "no number"],
)
def test_a_dangerous_verb_needs_the_instance_named(
    name: str, body: dict[str, Any], first: str | None, short: Path
) -> None:
    operator = FakeOperator()
    peer = m.Peer(uid=0, pid=1, name="x")

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        if first is not None:
            await operator._set("account", first, "before", peer)
        acts = operator.acts
        for given in ("", "live"):
            asked = {"reason": "a test", "confirm": given, **body}
            status, refused = await get("POST", f"/v1/{name}", asked)
            assert (status, refused["code"], operator.acts) == (409, ExitCode.REFUSED, acts)
            assert refused["expected"] == "confirm: paper"
        status, _ = await get(
            "POST", f"/v1/{name}", {"reason": "a test", "confirm": "paper", **body}
        )
        assert (status, operator.acts) == (200, acts + 1)

    served(short / "s", operator, use)
    kinds = [one.action.rpartition(" ")[2] for one in operator.audits]
    assert kinds == ["asked", "refused", "asked", "refused", "asked", "done"]


CALMING = ("pause", "halt", "flatten", "cancel", "disarm")


@pytest.mark.parametrize("name", [*CALMING, "resume", "limits", "adopt"])
def test_a_verb_that_takes_risk_away_takes_any_reason_and_no_other_does(
    name: str, short: Path
) -> None:
    operator = FakeOperator()
    bodies: dict[str, dict[str, Any]] = {
        "cancel": {"scope": "account"},
        "limits": {"key": "risk.max_positions", "value": "1", "minutes": 5},
    }

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        body = bodies.get(name, {})
        confirm = {} if name in ("pause", "halt", "disarm") else {"confirm": "paper"}
        answers = [
            (await get("POST", f"/v1/{name}", {"reason": reason, **confirm, **body}))[0]
            for reason in ("", "x", "why")
        ]
        assert answers == [400, 200 if name in CALMING else 400, 200]

    served(short / "s", operator, use)


def test_arming_needs_the_account_typed_twice(short: Path) -> None:
    operator = FakeOperator(mode="live")

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        body = {"reason": "a test", "account": "SIM-1"}
        for given in ("", "paper", "SIM-2"):
            status, refused = await get("POST", "/v1/arm", {**body, "confirm": given})
            assert (status, refused["expected"], operator.acts) == (409, "confirm: SIM-1", 0)
        status, _ = await get("POST", "/v1/arm", {**body, "confirm": "SIM-1"})
        assert (status, operator.acts) == (200, 1)

    served(short / "s", operator, use)


def test_a_protective_order_is_cancelled_only_when_that_is_confirmed(short: Path) -> None:
    operator = FakeOperator()
    guarding = msgspec.structs.replace(operator.open_orders["O-2"], purpose="PROTECT")
    operator.open_orders["O-2"] = guarding

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        body = {"reason": "a test", "order_id": "O-2"}
        status, refused = await get("POST", "/v1/cancel", body)
        assert (status, refused["where"]) == (409, "O-2 protects a position")
        status, _ = await get("POST", "/v1/cancel", {**body, "confirm": "paper"})
        assert status == 200

    served(short / "s", operator, use)


def test_a_limit_named_without_its_group_is_judged_like_with_it(short: Path) -> None:
    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        looser = {"reason": "a test", "key": "max_positions", "value": "31", "minutes": 5}
        status, refused = await get("POST", "/v1/limits", looser)
        assert (status, refused["expected"]) == (409, "confirm: paper")

    served(short / "s", FakeOperator(), use)


def test_resuming_a_pause_or_a_tighter_limit_needs_no_confirmation(short: Path) -> None:
    operator = FakeOperator()

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        await get("POST", "/v1/pause", {"reason": "a test", "scope": "symbol:AAPL"})
        status, _ = await get("POST", "/v1/resume", {"reason": "a test", "scope": "symbol:AAPL"})
        assert status == 200
        tighter = {"key": "risk.drawdown_percent", "value": "1.0", "minutes": 5}
        status, _ = await get("POST", "/v1/limits", {"reason": "a test", **tighter})
        assert status == 200

    served(short / "s", operator, use)


def test_resuming_a_halted_symbol_needs_confirmation_whatever_the_account_is(short: Path) -> None:
    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        await get("POST", "/v1/halt", {"reason": "a test", "scope": "symbol:AAPL"})
        status, _ = await get("POST", "/v1/resume", {"reason": "a test", "scope": "symbol:AAPL"})
        assert status == 409

    served(short / "s", FakeOperator(), use)


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("GET", "/v1/nothing", None, 404),
        ("GET", "/v1/halt", None, 405),
        ("DELETE", "/v1/orders", None, 405),
        ("GET", "/v1/trades?last=0", None, 400),
        ("GET", "/v1/trades?latest=3", None, 400),
        ("GET", "/v1/trades?last=3&last=4", None, 400),
        ("POST", "/v1/resume", {"reason": "x"}, 400),
        ("POST", "/v1/halt", {"reason": "good", "scope": "everything"}, 400),
        ("POST", "/v1/cancel", {"reason": "good"}, 400),
        ("POST", "/v1/cancel", {"reason": "good", "order_id": "O-1", "scope": "account"}, 400),
        ("POST", "/v1/halt", b"\xff", 400),
        ("POST", "/v1/halt", b'{"reason":"' + b"x" * 70_000 + b'"}', 413),
    ],
    ids=[
        "no verb", "wrong method", "other method", "query range", "query name", "query twice",
        "short reason", "scope", "cancel nothing", "cancel both", "not UTF-8", "too large",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_status_and_changes_nothing(
    method: str, target: str, body: object, expected: int, short: Path
) -> None:
    operator = FakeOperator()

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        status, refused = await get(method, target, body)
        assert status == expected
        assert refused["what"]
        assert refused["code"] == ExitCode.USAGE

    served(short / "s", operator, use)
    assert operator.acts == 0


def test_a_bug_is_500_and_the_server_goes_on(short: Path) -> None:
    operator = FakeOperator()

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        operator.broken = True
        status, body = await get("GET", "/v1/status")
        assert (status, body["code"]) == (500, ExitCode.BUG)
        operator.broken = False
        assert (await get("GET", "/v1/status"))[0] == 200

    served(short / "s", operator, use)


def test_a_drill_with_real_money_is_refused_even_when_confirmed(short: Path) -> None:
    operator = FakeOperator("live", mode="live")

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        asked = {"reason": "a test", "part": "feed", "seconds": 1, "confirm": "live"}
        status, body = await get("POST", "/v1/drill", asked)
        assert (status, body["code"]) == (409, ExitCode.REFUSED)

    served(short / "s", operator, use)
    assert operator.acts == 0


def test_without_an_audit_only_verbs_that_take_risk_away_go_on(short: Path) -> None:
    operator = FakeOperator()
    operator.audit_broken = True

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        status, body = await get("POST", "/v1/jobs", {"name": "nightly", "reason": "a test"})
        assert (status, body["code"], operator.acts) == (409, ExitCode.JOURNAL, 0)
        status, _ = await get("POST", "/v1/halt", {"reason": "a test"})
        assert (status, operator.acts) == (200, 1)

    served(short / "s", operator, use)


def test_a_client_that_goes_away_takes_back_nothing(short: Path) -> None:
    operator = FakeOperator()
    operator.act_seconds = 0.3

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        link = UnixConnection(short / "s", 5.0)
        link.request("POST", "/v1/halt", body=b'{"reason":"a test"}')
        await until(lambda: bool(operator.states))
        link.close()
        await until(lambda: len(operator.audits) == 2)

    served(short / "s", operator, use)
    assert operator.audits[-1].action == "halt done"


def test_stopping_waits_for_what_is_under_way(short: Path) -> None:
    operator = FakeOperator()
    operator.act_seconds = 0.3

    async def main() -> Asked:
        server = ControlServer(operator, socket=short / "s")
        await server.start()
        asked = asyncio.create_task(
            asyncio.to_thread(ask, short / "s", "POST", "/v1/halt", {"reason": "a test"})
        )
        await until(lambda: bool(operator.states))
        await server.stop()
        return await asked

    status, body = asyncio.run(main())
    assert (status, body["done"]) == (200, "HALTED")
    assert not (short / "s").exists()


# -- who may what ----------------------------------------------------------------------------------


@pytest.mark.skipif(os.getuid() != 0, reason="changing the user needs root")
@pytest.mark.parametrize(
    ("groups", "look", "act"),
    [((), 403, 403), ((60_001,), 200, 403), ((60_002,), 200, 200)],
    ids=["stranger", "viewer", "operator"],
)
def test_groups_decide_who_looks_and_who_acts(
    groups: tuple[int, ...], look: int, act: int, short: Path
) -> None:
    operator = FakeOperator()
    short.chmod(0o755)
    path = short / "s"

    async def main() -> tuple[int, int]:
        server = ControlServer(operator, socket=path, viewers_gid=60_001, operators_gid=60_002)
        await server.start()
        # The server decides here, not the file's mode.
        path.chmod(0o666)
        try:
            return await asyncio.to_thread(as_other, path, groups)
        finally:
            await server.stop()

    assert asyncio.run(main()) == (look, act)
    forbidden = [one for one in operator.audits if one.action == "pause forbidden"]
    assert len(forbidden) == (1 if act == 403 and look == 200 else 0)
    assert all(one.actor.uid == 60_003 for one in operator.audits)


def as_other(path: Path, groups: tuple[int, ...]) -> tuple[int, int]:
    """Ask as user 60003 with exactly these groups, from a process of its own."""
    code = (
        "import os, socket, sys\n"
        # Changed here, not by subprocess: the interpreter may lie where others cannot start it.
        "os.setgroups([int(word) for word in sys.argv[2:]])\n"
        "os.setgid(60_003); os.setuid(60_003)\n"
        "def ask(head, body=b''):\n"
        "    link = socket.socket(socket.AF_UNIX); link.connect(sys.argv[1])\n"
        "    link.sendall(head + b' HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n'\n"
        "                 + b'Content-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "    return int(link.makefile('rb').readline().split()[1])\n"
        "print(ask(b'GET /v1/status'), ask(b'POST /v1/pause', b'{\"reason\":\"a test\"}'))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(path), *map(str, groups)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    look, act = ended.stdout.split()
    return int(look), int(act)


# -- the socket ------------------------------------------------------------------------------------


def test_the_own_socket_is_for_user_and_group_only(short: Path) -> None:
    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        assert (short / "s").stat().st_mode & 0o777 == 0o660

    served(short / "s", FakeOperator(), use)


def test_the_socket_of_a_dead_daemon_is_replaced_and_that_of_a_live_one_is_not(
    short: Path,
) -> None:
    path = short / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        second = ControlServer(FakeOperator(), socket=path)
        with pytest.raises(Failure) as refused:
            await second.start()
        assert refused.value.code is ExitCode.SECOND_INSTANCE
        await second.stop()
        assert (await get("GET", "/v1/status"))[0] == 200

    served(path, FakeOperator(), use)


def test_something_else_in_the_sockets_place_is_left_alone(short: Path) -> None:
    path = short / "s"
    path.write_text("precious")
    with pytest.raises(Failure) as refused:
        served(path, FakeOperator(), lambda get: asyncio.sleep(0))
    assert refused.value.code is ExitCode.CONFIG
    assert path.read_text() == "precious"


def test_a_socket_that_was_passed_stays_in_place(short: Path) -> None:
    path = short / "s"

    async def main(passed: socket.socket) -> int:
        server = ControlServer(FakeOperator(), socket=passed)
        await server.start()
        status, _ = await asyncio.to_thread(ask, path, "GET", "/v1/status")
        await server.stop()
        return status

    for run in (asyncio.run, uvloop.run):
        with socket.socket(socket.AF_UNIX) as passed:
            path.unlink(missing_ok=True)
            passed.bind(str(path))
            passed.listen()
            assert run(main(passed)) == 200
            assert path.is_socket()


def test_who_says_nothing_makes_room_for_who_does(short: Path) -> None:
    path = short / "s"

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for link in silent:
            link.connect(str(path))
        assert (await get("GET", "/v1/status"))[0] == 200
        for link in silent:
            link.close()

    served(path, FakeOperator(), use, patience=Patience(most=2))


def test_a_full_house_answers_503_to_who_comes(short: Path) -> None:
    path = short / "s"

    async def use(get: Callable[..., Awaitable[Asked]]) -> None:
        readers = [UnixConnection(path, 5.0) for _ in range(2)]
        answers: list[http.client.HTTPResponse] = []
        for reader in readers:
            reader.request("GET", "/v1/events")
            answers.append(await asyncio.to_thread(reader.getresponse))
        try:
            assert await refused(get) == (503, "too many connections")
        finally:
            for link in (*answers, *readers):
                link.close()
        await asyncio.to_thread(until_answered, path)

    served(path, FakeOperator(), use, patience=Patience(most=2))


async def refused(get: Callable[..., Awaitable[Asked]]) -> tuple[int, str]:
    """Ask until the answer is read: it comes before the question, which may meet a closed door."""
    for _ in range(100):
        try:
            status, body = await get("GET", "/v1/status")
        except ConnectionError:
            continue
        return status, body["what"]
    raise AssertionError("never an answer")


def until_answered(path: Path) -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if ask(path, "GET", "/v1/status")[0] == 200:
                return
        except (ConnectionError, http.client.HTTPException):
            pass
        time.sleep(0.01)
    raise AssertionError("still no room")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the operator knows nothing of its watchers
            await asyncio.sleep(0.01)
