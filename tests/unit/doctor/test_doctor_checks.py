"""Each health check, on both sides of its line."""

import datetime as dt
import socket
from pathlib import Path

import pytest

from tradingd.app.doctor import access, environment, freshness, storage
from tradingd.app.doctor.check import Check, diagnosis
from tradingd.config.environment import Environment
from tradingd.kits.failure import ExitCode


def test_only_a_failed_critical_check_makes_the_installation_unfit() -> None:
    minor = Check(name="a", status="fail", detail="")
    warned = Check(name="b", status="warn", detail="", critical=True)
    critical = Check(name="c", status="fail", detail="", critical=True)
    assert diagnosis([minor, warned]).exit_code == ExitCode.OK
    assert diagnosis([minor, warned, critical]).exit_code == ExitCode.DOCTOR


@pytest.mark.parametrize(
    ("version", "status"), [((3, 13, 4), "ok"), ((3, 12, 9), "fail"), ((3, 14, 0), "fail")]
)
def test_only_the_tested_python_is_fit(version: tuple[int, ...], status: str) -> None:
    assert environment.python(version).status == status


def test_a_missing_module_is_named() -> None:
    found = environment.modules(("json", "no_such_module_here"))
    assert (found.status, found.critical) == ("fail", True)
    assert "no_such_module_here" in found.detail
    assert "json" not in found.detail


def test_the_lock_is_compared_with_what_is_installed(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    real = environment.installed()["msgspec"]
    lock.write_text(
        f"msgspec=={real} \\\n    --hash=sha256:00\nNumPy==0.0.1 ; python_version > '3'\n"
    )
    found = environment.lock(lock)
    assert found.status == "warn"
    assert "numpy" in found.detail
    assert "locked 0.0.1" in found.detail
    assert "msgspec" not in found.detail
    lock.write_text(f"msgspec=={real}\nnot-installed-here==1.0\n")
    assert environment.lock(lock).status == "ok"
    assert environment.lock(tmp_path / "absent").status == "unknown"


def test_more_threads_than_cores_is_a_warning() -> None:
    assert environment.threads({"OMP_NUM_THREADS": "8"}, 2).status == "warn"
    assert environment.threads({"OMP_NUM_THREADS": "2"}, 2).status == "ok"
    assert environment.threads({}, 2).status == "ok"


@pytest.mark.parametrize(
    ("free", "total", "status"),
    [
        (999_999_999, 2_000_000_000, "fail"),
        (1_000_000_000, 10_000_000_000, "ok"),
        (1_000_000_000, 10_000_000_001, "warn"),
    ],
)
def test_disk_space_fails_below_a_gigabyte_and_warns_below_a_tenth(
    free: int, total: int, status: str
) -> None:
    assert storage.judge_space(free, total, Path("/x")).status == status


def test_a_secret_file_that_others_can_read_fails(tmp_path: Path) -> None:
    secret = tmp_path / ".env"
    secret.write_text("APCA_API_SECRET_KEY=hunter2")
    secret.chmod(0o640)
    found = storage.secret_files([secret, tmp_path / "absent"])
    assert (found.status, found.critical) == ("fail", True)
    assert f"chmod 600 {secret}" in found.next_step
    assert "hunter2" not in found.detail
    secret.chmod(0o600)
    assert storage.secret_files([secret]).status == "ok"


def test_a_data_folder_open_to_others_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert storage.data_folders([tmp_path]).status == "warn"
    tmp_path.chmod(0o700)
    assert storage.data_folders([tmp_path, tmp_path / "absent"]).status == "ok"


def test_an_absent_or_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    assert "data import" in storage.store(tmp_path / "absent").next_step
    assert storage.store(tmp_path / "absent").status == "warn"
    assert storage.store(tmp_path).status == "warn"


def test_a_store_whose_manifest_cannot_be_read_fails(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"nonsense": 1}\n{"at": "x"}\n')
    found = storage.store(tmp_path)
    assert (found.status, found.critical) == ("fail", True)


def test_a_listening_port_is_seen_without_connecting_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert "listening" not in access.describe_ports({port}).detail
        assert "4002 (IB Gateway paper) listening" in access.describe_ports({4002}).detail
        assert access.ports().status in ("ok", "unknown")
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_references_are_found_by_their_declaration() -> None:
    tree = {"broker": {"kind": "alpaca", "key_id": "env:A", "secret_key": "file:/b", "fees": "x"}}
    assert dict(access.references(tree)) == {
        "broker.key_id": "env:A",
        "broker.secret_key": "file:/b",
    }


def test_missing_credentials_fail_only_where_they_are_needed_and_show_labels_only() -> None:
    found = {"broker.key_id": "env:KEY", "broker.secret_key": "env:SECRET"}
    variables = Environment(values={"KEY": "the-key-itself"})
    for needed, status in ((True, "fail"), (False, "warn")):
        check = access.credentials(found, variables, needed=needed)
        assert (check.status, check.critical) == (status, needed)
        assert "broker.secret_key: the secret env:SECRET is not set or empty" in check.detail
        assert "broker.key_id" not in check.detail
        assert "the-key-itself" not in check.detail
    both = Environment(values={"KEY": "a", "SECRET": "b"})
    assert access.credentials(found, both, needed=True).status == "ok"


def test_a_secret_in_a_file_that_others_can_read_does_not_count(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("hunter2")
    found = {"broker.key_id": f"file:{secret}"}
    secret.chmod(0o600)
    assert access.credentials(found, Environment(values={}), needed=True).status == "ok"
    secret.chmod(0o644)
    check = access.credentials(found, Environment(values={}), needed=True)
    assert check.status == "fail"
    assert "may be read by others" in check.detail
    assert "hunter2" not in check.detail


def test_the_kernels_word_on_its_clock_is_judged() -> None:
    assert freshness.judge_clock(0x0040, 0, 16_000_000).status == "warn"
    assert freshness.judge_clock(0x2001, 1_500_000, 20_000).status == "ok"
    # The offset is in nanoseconds with STA_NANO (0x2000): 1,500,000 ns are 1.5 ms.
    assert "+1.500 ms" in freshness.judge_clock(0x2001, 1_500_000, 20_000).detail
    assert "+1500.000 ms" in freshness.judge_clock(0x0001, 1_500_000, 20_000).detail
    assert freshness.judge_clock(0x2001, 0, 500_001).status == "warn"
    assert freshness.clock().status in ("ok", "warn", "unknown")


def test_a_calendar_that_ends_soon_warns_and_one_that_ended_fails() -> None:
    today = dt.date(2026, 11, 20)
    assert freshness.calendar("XNYS", "4", dt.date(2027, 11, 20), today).status == "ok"
    assert freshness.calendar("XNYS", "4", dt.date(2027, 11, 19), today).status == "warn"
    ended = freshness.calendar("XNYS", "4", today, today)
    assert (ended.status, ended.critical) == ("fail", True)


def test_only_the_tables_a_broker_uses_make_its_fees_old() -> None:
    ages = {"regulatory": 10, "ibkr_fixed": 400, "ibkr_tiered": 365}
    assert freshness.fees("ibkr_fixed", ages, 0).status == "warn"
    assert freshness.fees("ibkr_tiered", ages, 0).status == "ok"
    assert freshness.fees("alpaca", ages, 0).status == "ok"
    assert freshness.fees("alpaca", {**ages, "regulatory": 366}, 0).status == "warn"
    assert freshness.fees("none", ages, 0).detail == "this broker charges nothing"


def test_a_results_folder_that_exists_or_can_be_made_is_fit(tmp_path: Path) -> None:
    there, absent = storage.results(tmp_path), storage.results(tmp_path / "a" / "b")
    assert (there.status, absent.status) == ("ok", "ok")
    assert "does not exist yet" in absent.detail
    assert not list(tmp_path.iterdir())


def test_a_results_folder_that_cannot_be_made_is_unfit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = storage.results(tmp_path / "file" / "runs")
    assert (found.status, found.critical) == ("fail", True)
    assert "mode.results" in found.next_step
