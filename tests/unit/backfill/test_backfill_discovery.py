"""Which tasks a trade log asks for."""

import datetime as dt
import json
from pathlib import Path

import pytest

from tradingd.backfill.discovery import Discovery, discover
from tradingd.backfill.mapping import read_mapping
from tradingd.backfill.tasks import Filters, Task
from tradingd.backfill.tradelog.reading import Format
from tradingd.kits.failure import ExitCode, Failure

ROWS = (
    ("2025-04-03", "FROG"),
    ("2025-04-01", "AAPL"),
    ("2025-04-03", "FROG"),
    ("2025-04-02", "TSLA"),
    ("2025-04-03", "AAPL"),
    ("2025-03-31", "FROG"),
)


def found(tmp_path: Path, **filters: object) -> Discovery:
    path = tmp_path / "log.csv"
    path.write_text("Date,Symbol\n" + "".join(f"{day},{symbol}\n" for day, symbol in ROWS))
    return discover(path, Format(), Filters(**filters), today=dt.date(2025, 4, 3))


def names(discovery: Discovery) -> list[str]:
    return [f"{one.symbol} {one.day:%m-%d}" for one in discovery.tasks]


def test_tasks_are_in_the_order_of_the_log_each_once(tmp_path: Path) -> None:
    discovery = found(tmp_path)
    assert names(discovery) == [
        "FROG 04-03",
        "AAPL 04-01",
        "TSLA 04-02",
        "AAPL 04-03",
        "FROG 03-31",
    ]
    assert (discovery.entries, discovery.found) == (6, 5)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"symbols": ("FROG",)}, ["FROG 04-03", "FROG 03-31"]),
        ({"first": dt.date(2025, 4, 2)}, ["FROG 04-03", "TSLA 04-02", "AAPL 04-03"]),
        ({"last_day": dt.date(2025, 4, 1)}, ["AAPL 04-01", "FROG 03-31"]),
        ({"last": 1}, ["FROG 04-03", "AAPL 04-03"]),
        ({"last": 2, "last_day": dt.date(2025, 4, 2)}, ["AAPL 04-01", "TSLA 04-02"]),
        ({"max_tasks": 2}, ["FROG 04-03", "AAPL 04-01"]),
        ({"last": 1, "max_tasks": 1}, ["FROG 04-03"]),
        ({"symbols": ("NONE",)}, []),
    ],
    ids=str,
)
def test_filters_keep_what_they_say(
    tmp_path: Path, filters: dict[str, object], kept: list[str]
) -> None:
    assert names(found(tmp_path, **filters)) == kept


def test_a_symbol_that_nobody_traded_is_told(tmp_path: Path) -> None:
    assert found(tmp_path, symbols=("FROG", "FRGO")).notes == ("no row names FRGO",)


def test_a_day_that_has_not_come_is_a_mistake_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Date,Symbol\n2025-04-04,FROG\n")
    discovery = discover(path, Format(), Filters(), today=dt.date(2025, 4, 3))
    assert discovery.tasks == ()
    (one,) = discovery.rejected
    assert (one.place, one.reason) == ("line 2", "2025-04-04 has not come yet")


@pytest.mark.parametrize("symbol", ["../x", "aapl", "", "A/B", "A" * 16, "A\n"])
def test_a_task_cannot_name_a_path(symbol: str) -> None:
    with pytest.raises(Failure) as refused:
        Task(symbol=symbol, day=dt.date(2025, 4, 3))
    assert refused.value.code is ExitCode.USAGE


def test_a_mapping_renames_what_it_lists(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps({"brk.b": " BRK B "}))
    mapping = read_mapping(path)
    assert (mapping.of("BRK.B"), mapping.of("AAPL"), mapping.warning) == ("BRK B", "AAPL", "")
    assert mapping.unlisted(["BRK.B", "AAPL", "AAPL"]) == ["AAPL"]


def test_a_mapping_that_is_not_there_is_the_same_symbols_and_a_warning(tmp_path: Path) -> None:
    mapping = read_mapping(tmp_path / "none.json")
    assert mapping.of("AAPL") == "AAPL"
    assert "none.json" in mapping.warning
    assert mapping.unlisted(["AAPL"]) == []
    assert read_mapping(None).warning == ""


@pytest.mark.parametrize("content", ["[]", "{", '{"A": 1}', '{"A": " "}', ""])
def test_a_mapping_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(content)
    with pytest.raises(Failure) as refused:
        read_mapping(path)
    assert refused.value.code is ExitCode.UNREADABLE_INPUT


@pytest.mark.parametrize("name", ["AAPL,MSFT", "ALL_SYMBOLS", "all_symbols"])
def test_a_symbol_that_means_several_of_the_vendor_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"FB": name}))
    with pytest.raises(Failure) as refused:
        read_mapping(path)
    assert refused.value.found == f"{name} for FB, which is not one symbol"


@pytest.mark.parametrize("text", ['{"FB": "META", "FB": "FB"}', '{"FB": "META", "fb ": "FB"}'])
def test_a_symbol_with_two_names_of_the_vendor_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(Failure) as refused:
        read_mapping(path)
    assert refused.value.found == "FB is META, and FB too"
    path.write_text('{"FB": "META", "fb": "META", "META": "META"}')
    assert read_mapping(path).names == {"FB": "META", "META": "META"}
