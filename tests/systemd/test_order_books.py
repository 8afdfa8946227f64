"""Order books under the units: recorded beside the session, and fetched for the days of a log."""

import datetime as dt
from pathlib import Path

import pytest

from tests.fakes import dbn_records as made
from tests.fakes.book_shelf import BOOK
from tests.fakes.invented_book import DAY, invented_book
from tests.systemd.machine import Machine
from tests.systemd.trading import Trading, seal

pytestmark = pytest.mark.systemd

BOOKS = "/var/lib/tradingd/level2"
KEY = "DATABENTO_API_KEY"

RECORDED = """
depth: {{option: replay, path: {path}, speed: 100}}
record: {{enabled: true, symbols: [FROG], levels: 2, flush_seconds: 0.2}}
"""
FETCHED = """
backfill:
  enabled: true
  log: /etc/tradingd/{name}.csv
  tries: 1
  provider: {provider}
"""
ELSEWHERE = "{kind: databento, endpoint: 'http://127.0.0.1:9', spending_limit: 5}"
"""Nobody answers at that port."""

SITE_JOB = """#!/bin/sh
exec /usr/lib/tradingd/launch "$1" tradingd backfill l2 --instance "$1" --since 2025-04-01 \\
    backfill.window_start=09:30 backfill.window_end=10:30
"""


def last_week(weekday: int) -> dt.date:
    """Return the last such day before today, Monday is 0."""
    today = dt.datetime.now(dt.UTC).date()
    return today - dt.timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)


@pytest.fixture
def log_of(machine: Machine, instance: str) -> "Backfill":
    return Backfill(machine, instance)


class Backfill:
    """The backfill of an instance, whatever day it is."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine = machine
        self.name = name
        self.unit = f"tradingd-backfill@{name}.service"

    def configure(self, provider: str, *days: dt.date) -> None:
        """Write the configuration and a log of one trade in FROG a day."""
        self.machine.write_config(self.name, FETCHED.format(name=self.name, provider=provider))
        rows = "".join(f"{day},FROG\n" for day in days)
        self.machine.path(f"/etc/tradingd/{self.name}.csv").write_text(f"Date,Symbol\n{rows}")
        self.machine.drop_in(self.unit, "ExecCondition=")

    def run(self) -> str:
        """Run the unit to its end; return its journal so far."""
        self.machine.systemctl("start", self.unit, check=False)
        return self.machine.messages(self.unit)


def test_a_daemon_publishes_the_books_it_recorded_when_it_is_stopped(
    machine: Machine, tmp_path: Path
) -> None:
    book = invented_book(tmp_path)
    there = f"/etc/tradingd/{book.name}"
    machine.path(there).parent.mkdir(parents=True, exist_ok=True)
    machine.path(there).write_bytes(book.read_bytes())
    desk = Trading(machine, "books")
    desk.install()
    desk.configure(more=RECORDED.format(path=there))
    desk.start()
    listed = ("record", "list", "--json")
    desk.eventually(lambda: '"rows":600' in desk.ctl(*listed).stdout.replace(" ", ""), "all books")
    machine.stop(desk.name)
    assert machine.show(desk.unit, "Result") == "success", desk.said()
    (published,) = machine.path(f"{BOOKS}/FROG").glob(f"{DAY}_snapshots_*.parquet")
    assert machine.exec("stat", "-c", "%a %U", BOOKS).stdout == "750 tradingd\n"
    seen = machine.exec("runuser", "-u", "tradingd", "--", "tradingd", "record", "list").stdout
    assert "SUMMARY files=1 symbols=1 snapshots=600" in seen, f"{published}\n{seen}"
    machine.exec("rm", "-r", f"{BOOKS}/FROG")
    machine.forget("books")


def test_the_backfill_looks_at_the_last_week_and_keeps_its_manifest_with_the_books(
    machine: Machine, log_of: Backfill
) -> None:
    log_of.configure("{kind: folder, path: /etc/tradingd}", last_week(5), dt.date(2025, 4, 3))
    said = log_of.run()
    assert "EMPTY=1 ERROR=0 total=1" in said
    assert machine.show(log_of.unit, "Result") == "success"
    assert list(machine.path(BOOKS).glob("*manifest*"))


def test_a_job_of_the_site_fetches_what_it_wants_within_the_same_walls(
    machine: Machine, log_of: Backfill
) -> None:
    jobs = machine.path("/etc/tradingd/jobs")
    jobs.mkdir(parents=True, exist_ok=True)
    (jobs / "backfill").write_text(SITE_JOB)
    (jobs / "backfill").chmod(0o755)
    folder = machine.path("/etc/tradingd/dbn")
    folder.mkdir()
    rows = made.records(*(made.record(n * made.SECOND, BOOK) for n in range(3)))
    made.write_dbn(folder / "frog.dbn", rows, symbols={"FROG": 7})
    log_of.configure("{kind: folder, path: /etc/tradingd/dbn}", dt.date(2025, 4, 3))
    said = log_of.run()
    machine.exec("rm", "-r", "/etc/tradingd/jobs/backfill", "/etc/tradingd/dbn")
    assert "WRITE=1" in said, said
    assert machine.path(f"{BOOKS}/FROG/2025-04-03_snapshots_folder.parquet").exists()
    machine.exec("rm", "-r", f"{BOOKS}/FROG")


def test_the_vendors_key_is_found_under_its_own_name_once_it_is_sealed(
    machine: Machine, log_of: Backfill
) -> None:
    log_of.configure(ELSEWHERE, *map(last_week, (1, 2, 3)))  # no three holidays in a row
    without = log_of.run()
    assert "UNAVAIL=" in without
    assert KEY in without
    assert machine.show(log_of.unit, "Result") == "exit-code", "strict: somebody is told"
    seal(machine, KEY, "db-32-characters-of-an-invented-key")
    try:
        said = log_of.run().removeprefix(without)
    finally:
        machine.exec("rm", f"/etc/credstore.encrypted/{KEY}")
    assert "the vendor does not say what the backfill would cost" in said
    assert KEY not in said
    assert "db-32" not in said
