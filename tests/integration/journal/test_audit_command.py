import json
import shutil
from pathlib import Path

import pytest

from tests.integration.journal.test_audit_chain import FIX_HEAD, audited, tampered
from tradingd.cli.audit import COMMANDS
from tradingd.cli.main import run
from tradingd.journal.audit import verify
from tradingd.kits.failure import ExitCode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    audited(path, 1, 2, 3)
    return path


def tradingctl(*words: str) -> int:
    return run("tradingctl", COMMANDS, ["audit", *words])


def test_a_sound_audit_verifies_and_says_how_long_it_is(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingctl("verify", "--file", str(path)) == ExitCode.OK
    assert capsys.readouterr().out == f"SUMMARY audit=ok rows=4 missing=0 gaps=0 file={path}\n"


def test_a_broken_audit_ends_with_its_own_code_and_names_the_row(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(path, "UPDATE audit SET detail = 'nothing [red]happened[/red]' WHERE number = 3")
    assert tradingctl("verify", "--file", str(path)) == ExitCode.AUDIT
    out = capsys.readouterr().out
    assert "BROKEN at row 3: the row is not what was written" in out
    assert "SUMMARY audit=broken rows=2" in out
    assert tradingctl("verify", "--file", str(path), "--json") == ExitCode.AUDIT
    told = json.loads(capsys.readouterr().out)
    assert told["report"]["broken"]["number"] == 3


def test_gaps_are_refused_until_their_number_is_known(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(path, "DELETE FROM audit WHERE number > 2", FIX_HEAD)
    audited(path, 4)
    assert tradingctl("verify", "--file", str(path)) == ExitCode.AUDIT
    assert "GAP noted by row 3" in capsys.readouterr().out
    assert tradingctl("verify", "--file", str(path), "--known-gaps", "1") == ExitCode.OK


def test_the_tail_is_shown_oldest_first_in_exchange_time(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingctl("tail", "--last", "2", "--file", str(path)) == ExitCode.OK
    out = capsys.readouterr().out
    assert out.index("anna2") < out.index("anna3")
    assert "anna1" not in out
    assert "2024-01-02 09:30:00" in out


def test_an_export_says_what_it_wrote(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "audit.jsonl"
    assert tradingctl("export", "--to", str(target), "--file", str(path)) == ExitCode.OK
    assert len(target.read_text().splitlines()) == 4
    assert "rows=4" in capsys.readouterr().out


def test_a_copy_without_the_head_file_cannot_prove_its_end(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy" / "journal.sqlite"
    copy.parent.mkdir()
    shutil.copy(path, copy)
    assert tradingctl("verify", "--file", str(copy)) == ExitCode.AUDIT
    assert "head file is missing" in capsys.readouterr().out
    assert verify(path).broken is None
