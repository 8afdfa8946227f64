"""Variables of earlier systems set keys: above every file, below the command line."""

from pathlib import Path

import pytest

from tradingd.config.environment import (
    REFERENCED,
    TABLE,
    Environment,
    Mapped,
    environment_keys,
    read_environment,
)
from tradingd.config.keys import describe
from tradingd.config.load import load
from tradingd.kits.failure import ExitCode, Failure

CONF_README = Path(__file__).parents[3] / "conf" / "README.md"


def test_a_variable_sets_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IB_HOST", "gateway.lan")
    monkeypatch.setenv("IB_CLIENT_ID", "17")
    broker = load(["broker=ibkr"]).tree["broker"]
    assert (broker["host"], broker["client_id"]) == ("gateway.lan", 17)


def test_a_variable_of_another_broker_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load().hash
    monkeypatch.setenv("IB_HOST", "gateway.lan")
    assert load().hash == before


@pytest.mark.parametrize(
    ("mode", "port"),
    [((), 4002 + 10), (("mode=live", "mode.account=U1"), 4001 + 10)],
    ids=["paper", "live"],
)
def test_the_port_is_taken_from_the_variable_of_the_mode(
    mode: tuple[str, ...], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IB_GATEWAY_PAPER_PORT", "4012")
    monkeypatch.setenv("IB_GATEWAY_LIVE_PORT", "4011")
    assert load(["broker=ibkr", *mode]).tree["broker"]["port"] == port


def test_the_command_line_wins_over_a_variable_and_the_variable_over_the_overlay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.yaml").write_text("broker: {client_id: 3, host: site}\n")
    monkeypatch.setenv("IB_CLIENT_ID", "17")
    by_variable = load(["broker=ibkr"], overlay=tmp_path).tree["broker"]
    by_command_line = load(["broker=ibkr", "broker.client_id=5"], overlay=tmp_path).tree["broker"]
    assert (by_variable["host"], by_variable["client_id"]) == ("site", 17)
    assert by_command_line["client_id"] == 5


@pytest.mark.parametrize(("text", "shown"), [("abc", '"abc"'), ("1000", "1000"), ("1.5", '"1.5"')])
def test_a_bad_value_names_the_variable(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IB_CLIENT_ID", text)
    with pytest.raises(Failure) as refused:
        load(["broker=ibkr"])
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == "environment IB_CLIENT_ID: broker.client_id"
    assert shown in refused.value.found


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IB_CLIENT_ID", "")
    assert load(["broker=ibkr"]).tree["broker"]["client_id"] == 1


def test_a_dotenv_file_is_read_and_the_real_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("# earlier system\nexport IB_HOST='from-file'\nIB_CLIENT_ID=8\n")
    monkeypatch.setenv("IB_CLIENT_ID", "9")
    broker = load(["broker=ibkr"]).tree["broker"]
    assert (broker["host"], broker["client_id"]) == ("from-file", 9)


def test_a_bad_value_in_a_dotenv_file_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("A=1\nIB_CLIENT_ID=many\n")
    with pytest.raises(Failure) as refused:
        load(["broker=ibkr"])
    assert f"{tmp_path}/.env:2 IB_CLIENT_ID" in refused.value.where


def test_a_line_that_is_no_assignment_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n{ hunter2 ;;\n")
    with pytest.raises(Failure) as refused:
        read_environment(tmp_path)
    assert refused.value.where.endswith(".env:2")
    assert "hunter2" not in refused.value.line()


def test_a_dotenv_value_is_literal(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=a$HOME#b\n")
    assert read_environment(tmp_path).values["KEY"] == "a$HOME#b"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        ("TRUE", True),
        ("0", False),
        ("false", False),
        ("no", False),
        ("maybe", "maybe"),
        ("2", "2"),
    ],
)
def test_booleans_are_read_in_every_usual_spelling(text: str, value: object) -> None:
    row = Mapped(variable="SHORT_OK", key="strategy.allow_short")
    found = environment_keys(load().tree, Environment(values={"SHORT_OK": text}), (row,))
    assert [one.value for one in found] == [value]


def test_every_mapped_key_exists_in_the_configuration() -> None:
    tree = load(["broker=ibkr"]).tree
    assert all(describe(tuple(one.key.split(".")), tree) for one in TABLE)


def test_a_referenced_secret_is_the_default_of_its_key() -> None:
    tree = load(["broker=alpaca"]).tree
    for variable, key in REFERENCED.items():
        known = describe(tuple(key.split(".")), tree)
        assert known is not None
        assert known.default == f"env:{variable}"


def test_a_secret_in_the_environment_never_reaches_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "hunter2")
    assert "hunter2" not in str(load(["broker=alpaca"]))


@pytest.mark.parametrize("variable", [*(one.variable for one in TABLE), *REFERENCED])
def test_every_known_variable_is_documented(variable: str) -> None:
    assert f"`{variable}`" in CONF_README.read_text(encoding="utf-8")


def test_a_range_of_times_sets_both_ends_of_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (
        "09:30-10:15",
        "9:30 - 10:15",
        "09:30,10:15",
        "09:30 to 10:15",
        "09:30\N{EN DASH}10:15",
    ):
        monkeypatch.setenv("L2_BACKFILL_WINDOW_ET", text)
        backfill = load().tree["backfill"]
        assert (backfill["window_start"], backfill["window_end"]) == ("09:30:00", "10:15:00")


@pytest.mark.parametrize("text", ["09:30", "0930/1015", "-", "morning"])
def test_what_is_no_range_of_times_is_refused_by_the_name_of_its_variable(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L2_BACKFILL_WINDOW_ET", text)
    with pytest.raises(Failure) as refused:
        load()
    assert refused.value.code is ExitCode.CONFIG
    assert "L2_BACKFILL_WINDOW_ET" in refused.value.line()
    assert "09:00-11:00" in refused.value.line()


def test_an_end_of_the_window_on_the_command_line_wins_over_the_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("L2_BACKFILL_WINDOW_ET", "09:30-10:15")
    backfill = load(["backfill.window_end=10:45"]).tree["backfill"]
    assert (backfill["window_start"], backfill["window_end"]) == ("09:30:00", "10:45:00")
