import array
import asyncio
import contextlib
import io
import json
import logging
import os
import pty
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure
from tradingd.telemetry.logs import Logging, configure
from tradingd.telemetry.metrics import Metrics

SECRET = 'tok"en/1+ü'
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def restored_levels() -> Iterator[None]:
    yield
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).disabled = False


@contextlib.contextmanager
def logging_to(stream: io.StringIO, **options: Any) -> Iterator[tuple[Logging, logging.Logger]]:
    logs = configure(
        "paper", "R-1", secrets=[Secret("env:TOKEN", SECRET)], stream=stream,
        **{"level": "DEBUG", **options},
    )  # fmt: skip
    try:
        yield logs, logging.getLogger("tradingd.test")
    finally:
        logs.close()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def parse(entry: bytes) -> dict[str, str]:
    """Parse journald's native format."""
    fields = {}
    while entry:
        head, _, rest = entry.partition(b"\n")
        if b"=" in head:
            name, _, value = head.partition(b"=")
            entry = rest
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            name, value, entry = head, rest[8 : 8 + length], rest[9 + length :]
        fields[name.decode()] = value.decode()
    return fields


class Journal:
    """journald's end of its socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(5)

    def take(self) -> dict[str, str]:
        data, ancillary, _, _ = self.socket.recvmsg(1 << 20, socket.CMSG_SPACE(4))
        for _, _, content in ancillary:
            descriptors = array.array("i")
            descriptors.frombytes(content[:4])
            with os.fdopen(descriptors[0], "rb") as stream:
                stream.seek(0)
                return parse(stream.read())
        return parse(data)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sock")
    yield journal
    journal.socket.close()


def test_a_record_reaches_the_journal_with_its_facts_as_fields(journal: Journal) -> None:
    with logging_to(io.StringIO(), style="journal", journal_socket=journal.path) as (_, log):
        log.info("filled %d", 10, extra={"fields": {"event": "fill", "order_id": "O-17"}})
        log.warning("two\nlines", extra={"symbol": "BRK.B", "odd-name!": "x\ny", "none": None})
    entry = journal.take()
    assert entry["MESSAGE"] == "filled 10"
    assert entry["PRIORITY"] == "6"
    assert entry["TRADING_EVENT"] == "fill"
    assert entry["TRADING_ORDER_ID"] == "O-17"
    assert entry["TRADING_INSTANCE"] == "paper"
    assert entry["TRADING_RUN_ID"] == "R-1"
    assert entry["SYSLOG_IDENTIFIER"] == "tradingd"
    second = journal.take()
    assert second["MESSAGE"] == "two\nlines"
    assert second["PRIORITY"] == "4"
    assert second["TRADING_SYMBOL"] == "BRK.B"
    assert second["TRADING_ODD_NAME_"] == "x\ny"
    assert "TRADING_NONE" not in second


def test_an_entry_too_large_for_a_datagram_arrives_whole(journal: Journal) -> None:
    with logging_to(io.StringIO(), style="journal", journal_socket=journal.path) as (_, log):
        log.error("big", extra={"fields": {"blob": "x" * 12_000_000}})
    assert len(journal.take()["TRADING_BLOB"]) == 12_000_000


def test_a_journal_that_does_not_keep_up_costs_records_and_never_time(journal: Journal) -> None:
    with logging_to(io.StringIO(), style="journal", journal_socket=journal.path) as (logs, log):
        done = threading.Event()

        def flood() -> None:
            for number in range(20_000):
                log.info("tick %d", number)
            done.set()

        threading.Thread(target=flood, daemon=True).start()
        assert done.wait(20), "logging blocked"
        dropped = logs.dropped
        assert dropped > 0
        for _ in range(20_000 - dropped):
            journal.take()
        log.info("on we go")
        note = journal.take()
        assert note["TRADING_EVENT"] == "log_dropped"
        assert note["TRADING_COUNT"] == str(dropped)
        assert journal.take()["MESSAGE"] == "on we go"


def test_a_journal_that_was_restarted_is_found_again(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.sock")
    with logging_to(io.StringIO(), style="journal", journal_socket=first.path) as (logs, log):
        log.info("one")
        first.socket.close()
        log.info("lost")
        assert logs.dropped == 1
        first.path.unlink()
        second = Journal(first.path)
        log.info("two")
        assert second.take()["TRADING_EVENT"] == "log_dropped"
        assert second.take()["MESSAGE"] == "two"
        second.socket.close()


def leaky(log: logging.Logger) -> None:
    """Let the secret out by every door there is."""
    quoted = json.dumps({"key": SECRET})
    log.info("plain " + SECRET)  # noqa: G003
    log.info("argument %s", SECRET)
    log.info("mapping %s", {"key": SECRET})
    log.info("json %s", quoted)
    log.info("field", extra={"fields": {"token": SECRET, "deep": {"list": [SECRET]}}})
    log.info("extra", extra={"token": Path(SECRET)})
    log.info("bad format %d", SECRET)
    log.info("stack", stack_info=True)
    try:
        local = SECRET
        raise ValueError(local)
    except ValueError:
        log.exception("failed with %s", SECRET)
    logging.getLogger("elsewhere").error("from another library: %s", SECRET)
    warnings.warn(f"deprecated {SECRET}", stacklevel=1)


def test_no_secret_passes_by_any_door_to_any_output(
    tmp_path: Path, journal: Journal, recwarn: pytest.WarningsRecorder
) -> None:
    outputs = []
    for style in ("json", "human", "journal"):
        stream = io.StringIO()
        options = {"style": style, "journal_socket": journal.path, "folder": tmp_path / style}
        with logging_to(stream, **options) as (_, log), warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            leaky(log)
        outputs.append(stream.getvalue())
    journal.socket.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        while True:
            outputs.append(str(journal.take()))
    for path in tmp_path.rglob("*.log"):
        outputs.append(path.read_text())
    text = "\n".join(outputs)
    assert text.count("failed with ***") >= 5
    assert "deprecated ***" in text
    assert "bad format" in text
    assert "en/1+" not in text, "every form of the secret holds this part of it"


def test_json_lines_are_objects_with_context_fields_and_traceback() -> None:
    stream = io.StringIO()
    with logging_to(stream, style="json") as (_, log):
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            log.exception("boom", extra={"fields": {"event": "oops", "level": "mine"}})
        log.info("nan", extra={"fields": {"ratio": float("nan"), "when": Path("/x")}})
    boom, nan = lines(stream)
    assert boom["level"] == "ERROR"
    assert boom["level_"] == "mine"
    assert (boom["instance"], boom["run_id"], boom["event"]) == ("paper", "R-1", "oops")
    assert boom["exception"] == "ZeroDivisionError"
    assert boom["traceback"].startswith("Traceback")
    assert boom["ts"].endswith("+00:00")
    assert (nan["ratio"], nan["when"]) == ("nan", "/x")


def test_the_level_can_be_changed_while_running() -> None:
    stream = io.StringIO()
    with logging_to(stream, style="json", level="WARNING") as (logs, log):
        log.info("unheard")
        assert logs.set_level("INFO") == "WARNING"
        log.info("heard")
    assert [line["message"] for line in lines(stream)] == ["heard"]


def test_files_keep_everything_and_errors_apart(tmp_path: Path) -> None:
    with logging_to(io.StringIO(), style="json", folder=tmp_path) as (_, log):
        log.info("fine")
        log.error("bad")
    application = (tmp_path / "application.log").read_text().splitlines()
    errors = (tmp_path / "errors.log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in application] == ["fine", "bad"]
    assert [json.loads(line)["message"] for line in errors] == ["bad"]


def test_a_folder_that_cannot_be_written_is_refused_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as refused:
        configure("paper", "R-1", folder=tmp_path / "file" / "logs")
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == "telemetry.log_folder"


def test_records_are_counted_in_the_metrics(tmp_path: Path) -> None:
    metrics = Metrics(version="1", mode="paper", folder=tmp_path)
    with logging_to(io.StringIO(), style="json") as (logs, log):
        logs.count_in(metrics)
        log.error("one")
        log.error("two")
    assert 'tradingd_log_records_total{level="ERROR"} 2.0' in metrics.text()


def test_a_task_that_fails_unseen_is_logged() -> None:
    stream = io.StringIO()
    with logging_to(stream, style="json") as (logs, _):

        async def main() -> None:
            logs.watch(asyncio.get_running_loop())

            async def fail() -> None:
                raise ValueError(SECRET)

            task = asyncio.create_task(fail(), name="doomed")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            asyncio.get_running_loop().call_soon(lambda: 1 / 0)
            await asyncio.sleep(0)

        asyncio.run(main())
    found = [line for line in lines(stream) if line.get("event") == "loop_exception"]
    assert {line["exception"] for line in found} == {"ValueError", "ZeroDivisionError"}
    assert any("doomed" in line["message"] for line in found)
    assert SECRET not in stream.getvalue()


CRASH = textwrap.dedent("""
    import sys, threading
    from tradingd.config.secrets import Secret
    from tradingd.telemetry.logs import configure
    configure("paper", "R-1", secrets=[Secret("env:T", "hunter2hunter2")])
    thread = threading.Thread(target=lambda: {}["hunter2hunter2"], name="worker")
    thread.start()
    thread.join()
    import warnings
    warnings.warn("beware of hunter2hunter2")
    class Bad:
        def __del__(self):
            raise ValueError("hunter2hunter2")
    Bad()
    raise RuntimeError("with hunter2hunter2")
""")


def test_a_crashing_process_logs_its_end_without_its_secrets() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert [record["level"] for record in records] == ["CRITICAL", "WARNING", "ERROR", "CRITICAL"]
    assert records[0]["ended_thread"] == "worker"
    assert records[-1]["message"] == "uncaught: with ***"
    assert "RuntimeError" in records[-1]["traceback"]
    assert "hunter2" not in done.stderr + done.stdout


CHOICE = textwrap.dedent("""
    import logging, os, sys
    from pathlib import Path
    from tradingd.telemetry.logs import configure
    facts = os.fstat(2)
    if sys.argv[2] == "right":
        os.environ["JOURNAL_STREAM"] = f"{facts.st_dev}:{facts.st_ino}"
    elif sys.argv[2] == "wrong":
        os.environ["JOURNAL_STREAM"] = "1:1"
    configure("paper", "R-1", journal_socket=Path(sys.argv[1]))
    logging.getLogger("x").warning("here I am")
""")


def test_the_journal_is_used_only_where_stderr_leads_to_it(journal: Journal) -> None:
    command = [sys.executable, "-c", CHOICE, str(journal.path)]
    wrong = subprocess.run(
        [*command, "wrong"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert json.loads(wrong.stderr)["message"] == "here I am"
    right = subprocess.run(
        [*command, "right"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert right.stderr == ""
    assert journal.take()["MESSAGE"] == "here I am"


def test_a_terminal_gets_lines_for_people(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", CHOICE, str(tmp_path / "none"), "none"],
        stderr=terminal, cwd=ROOT, check=True,
    )  # fmt: skip
    shown = os.read(controller, 4096).decode()
    os.close(terminal)
    os.close(controller)
    assert "WARNING here I am" in shown
    assert "{" not in shown
