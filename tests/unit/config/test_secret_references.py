"""Secrets are looked up late, from private places only, and never show themselves."""

import copy
import logging
import pickle
from pathlib import Path

import pytest

from tradingd.config.environment import Environment
from tradingd.config.secrets import Secret, resolve
from tradingd.kits.failure import ExitCode, Failure

NOTHING = Environment(values={})


def _file(folder: Path, content: str = "hunter2\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_variable_is_looked_up_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hunter2")
    assert resolve("env:MY_KEY").reveal() == "hunter2"


def test_a_variable_may_stand_in_the_dotenv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("MY_KEY=hunter2\n")
    assert resolve("env:MY_KEY").reveal() == "hunter2"


def test_a_systemd_credential_is_read_from_its_directory(tmp_path: Path) -> None:
    _file(tmp_path, mode=0o440)  # systemd hands credentials out as 0440 in a private folder
    environment = Environment(values={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert resolve("credential:secret", environment=environment).reveal() == "hunter2"


def test_a_variable_that_is_not_set_is_looked_for_among_systemds_credentials(
    tmp_path: Path,
) -> None:
    _file(tmp_path)
    sealed = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = resolve("env:secret", environment=Environment(values=sealed))
    assert (found.label, found.reveal()) == ("env:secret", "hunter2")
    both = Environment(values={**sealed, "secret": "stated"})
    assert resolve("env:secret", environment=both).reveal() == "stated"
    with pytest.raises(Failure, match="not set or empty"):
        resolve("env:absent", environment=Environment(values=sealed))


@pytest.mark.parametrize("mode", [0o600, 0o400], ids=oct)
def test_a_private_file_is_read_without_its_line_end(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, mode=mode)
    assert resolve(f"file:{path}", environment=NOTHING).reveal() == "hunter2"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777], ids=oct)
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, mode=mode)
    with pytest.raises(Failure, match=f"mode {mode:04o}") as refused:
        resolve(f"file:{path}", environment=NOTHING)
    assert refused.value.code is ExitCode.CONFIG


@pytest.mark.parametrize(
    "reference",
    [
        "env:ABSENT",
        "credential:secret",
        "credential:../secret",
        "file:relative/path",
        "file:/nowhere/at/all",
        "file:/",
        "env:",
    ],
)
def test_what_cannot_be_looked_up_is_refused(reference: str) -> None:
    with pytest.raises(Failure) as refused:
        resolve(reference, environment=NOTHING)
    assert refused.value.code is ExitCode.CONFIG


@pytest.mark.parametrize("name", ["../secret", "..", ".", "a/b"])
def test_a_credentials_name_cannot_leave_its_directory(tmp_path: Path, name: str) -> None:
    _file(tmp_path)
    inner = tmp_path / "credentials"
    inner.mkdir()
    environment = Environment(values={"CREDENTIALS_DIRECTORY": str(inner)})
    with pytest.raises(Failure, match="no name of a credential"):
        resolve(f"credential:{name}", environment=environment)


@pytest.mark.parametrize("content", ["", "\n", "   \n"], ids=repr)
def test_an_empty_secret_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Failure, match="not set or empty"):
        resolve(f"file:{_file(tmp_path, content)}", environment=NOTHING)


def test_a_file_too_large_for_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="too large"):
        resolve(f"file:{_file(tmp_path, 'x' * 65_537)}", environment=NOTHING)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Failure, match="not UTF-8"):
        resolve(f"file:{path}", environment=NOTHING)


def test_a_literal_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(Failure) as refused:
        resolve("hunter2", environment=NOTHING)
    assert "hunter2" not in refused.value.line()


def test_a_secret_shows_its_reference_only(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("env:MY_KEY", "hunter2")
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("using %s and %r", secret, secret)
    texts = [repr(secret), str(secret), f"{secret}", f"{secret:>60}", str([secret]), caplog.text]
    assert all("hunter2" not in text and "env:MY_KEY" in text for text in texts)


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_cannot_be_stored_or_sent(store: object) -> None:
    with pytest.raises(TypeError, match="resolve it again"):
        store(Secret("env:MY_KEY", "hunter2"))  # type: ignore[operator]
