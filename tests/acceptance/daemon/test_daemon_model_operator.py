"""An operator sees the session's model and its challenger, and exchanges it by a reload."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.model_market import NAME, ModelMarket
from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Paper
from tradingd.domain.manifest import FILE_NAME
from tradingd.registry.published import folder_of, write_aliases

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

PACED = ("feed.speed=1000000", "feed.longest_wait=0.1", "feed.start=2004-08-02",
         "feed.end=2005-12-30", "model.drift_limit=1000")  # fmt: skip


@pytest.fixture
def registry(model_market: ModelMarket, home: Path) -> Path:
    """A registry of the test's own, with a champion and a challenger."""
    root = model_market.damaged(home)
    assert (folder_of(root, NAME, 2) / FILE_NAME).exists()
    write_aliases(root, NAME, {"production": 1, "challenger": 2})
    return root


def test_the_model_its_challenger_and_its_exchange_are_shown(
    paper: Make, model_market: ModelMarket, registry: Path
) -> None:
    daemon = paper(*model_market.of_daemon(registry), *PACED).start().ready()

    def view() -> dict[str, object]:
        found: dict[str, object] = json.loads(daemon.ctl("model", "--json").stdout)
        return found

    eventually(
        lambda: int(str(view()["challenger_predictions"])) > 0, "a prediction of the challenger"
    )
    shown = view()
    assert (shown["model"], shown["challenger"]) == (f"{NAME}@1", f"{NAME}@2")
    assert shown["why"] == ""
    printed = daemon.ctl("model")
    assert printed.returncode == 0, printed.stderr
    assert f"{NAME}@1 ({NAME}@production)" in printed.stdout
    assert "opinion" in printed.stdout
    assert printed.stdout.splitlines()[-1].startswith(f"SUMMARY model={NAME}@1 abstains=no")
    status = daemon.status()
    assert status.model == f"{NAME}@1"
    assert f"model {NAME}@1" in status.status_line

    write_aliases(registry, NAME, {"production": 2})
    done = daemon.ctl("reload", "--json")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    assert ["model.champion", f"{NAME}@1", f"{NAME}@2"] in changes
    assert ["model.challenger", f"{NAME}@2", "none"] in changes
    assert view()["model"] == f"{NAME}@2"
    daemon.stop()
    days = sorted(path.name for path in (daemon.state / "predictions").glob("*"))
    assert days
    assert all(name.endswith(".parquet") for name in days), "every day is one file"
