"""Which files of a store the test server reads."""

import json
import os
from pathlib import Path

from tradingd.simalpaca.marketdata.catalog import Catalog

EVER = (-(2**62), 2**62)


def file(name: str, first: int, last: int, **more: object) -> dict[str, object]:
    folder = "bars/resolution=1m/symbol=SPY/year=2024"
    facts = {"table": "bars", "symbol": "SPY", "resolution": "1m", "rows": 1, "source": "x"}
    return {"path": f"{folder}/{name}", "first_ts": first, "last_ts": last, **facts, **more}


def write(root: Path, *commits: object, torn: str = "") -> None:
    lines = "".join(json.dumps(one) + "\n" for one in commits)
    (root / "manifest.jsonl").write_text(lines + torn)


def names(root: Path, low: int = EVER[0], high: int = EVER[1]) -> list[str]:
    found = Catalog(root).bars("SPY", "1m", low, high)
    return [one.path.rpartition("/")[2] for one in found]


def test_the_manifest_says_which_files_count(tmp_path: Path) -> None:
    a, b, c = file("a", 1, 10), file("b", 11, 20), file("c", 11, 25)
    torn = json.dumps({"at": "", "source": "", "add": [file("torn", 30, 40)]})
    write(tmp_path, {"add": [b, a]}, {"add": [c], "remove": [b["path"]]}, torn=torn)
    assert names(tmp_path) == ["a", "c"]
    assert names(tmp_path, 11, 12) == ["c"]
    assert names(tmp_path, 26) == []
    assert Catalog(tmp_path).symbols("1m") == ["SPY"]
    assert Catalog(tmp_path).span(["SPY", "NONE"], "1m") == (1, 25)
    assert Catalog(tmp_path).span(["NONE"], "1m") is None


def test_a_grown_manifest_is_seen(tmp_path: Path) -> None:
    write(tmp_path, {"add": [file("a", 1, 10)]})
    catalog = Catalog(tmp_path)
    assert len(catalog.bars("SPY", "1m", *EVER)) == 1
    write(tmp_path, {"add": [file("a", 1, 10)]}, {"add": [file("b", 11, 20)]})
    os.utime(tmp_path / "manifest.jsonl", ns=(1, 1))
    assert len(catalog.bars("SPY", "1m", *EVER)) == 2


def test_a_store_without_a_manifest_is_read_by_its_folders(tmp_path: Path) -> None:
    for path in (
        "bars/resolution=1d/symbol=SPY/x.parquet",
        "quotes/symbol=SPY/date=2024-01-02/x.parquet",
        "reference/actions/x.parquet",
        ".retired/bars/resolution=1d/symbol=OLD/x.parquet",
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    catalog = Catalog(tmp_path)
    assert catalog.symbols("1d") == ["SPY"]
    assert [one.path for one in catalog.ticks("quotes", "SPY", *EVER)] == [
        "quotes/symbol=SPY/date=2024-01-02/x.parquet"
    ]
    assert [one.path for one in catalog.actions()] == ["reference/actions/x.parquet"]
