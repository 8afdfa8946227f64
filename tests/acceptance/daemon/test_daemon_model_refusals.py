"""A model that must not be served is refused with the reason, and the daemon goes on without it."""

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.model_market import NAME, ModelMarket
from tests.acceptance.daemon.paper import Paper
from tradingd.registry.published import folder_of

pytestmark = pytest.mark.slow

WEEKS = ("feed.start=2004-08-02", "feed.end=2004-08-27")
PACED = ("feed.speed=1000000", "feed.longest_wait=0.02")
END = int(dt.datetime(2004, 8, 28, tzinfo=dt.UTC).timestamp()) * 1_000_000_000

type Make = Callable[..., Paper]
type Damage = Callable[[ModelMarket, Path], Path]


def other_hash(market: ModelMarket, home: Path) -> Path:
    return market.damaged(home, features_hash="1" * 64)


def unknown_schema(market: ModelMarket, home: Path) -> Path:
    return market.damaged(home, schema_version="9.0.0")


def expired(market: ModelMarket, home: Path) -> Path:
    return market.damaged(home, expires="2004-06-01T00:00:00Z")


def truncated(market: ModelMarket, home: Path) -> Path:
    """Half a model, whose manifest knows no more."""
    half = folder_of(market.registry, NAME, 1).joinpath("model.txt").read_bytes()[:20_000]
    artifact = {
        "path": "model.txt",
        "format": "lightgbm-text",
        "sha256": hashlib.sha256(half).hexdigest(),
        "bytes": len(half),
    }
    registry = market.damaged(home, artifact=artifact)
    (folder_of(registry, NAME, 1) / "model.txt").write_bytes(half)
    return registry


def changed(market: ModelMarket, home: Path) -> Path:
    model = folder_of(market.damaged(home), NAME, 1) / "model.txt"
    model.write_bytes(model.read_bytes().replace(b"shrinkage=0.1", b"shrinkage=0.2"))
    return home / "registry"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (other_hash, "trained on features that are computed otherwise"),
        (unknown_schema, "schema_version"),
        (expired, "has expired"),
        (truncated, "damaged"),
        (changed, "not the one its manifest describes"),
    ],
)
def test_a_model_that_must_not_be_served_is_refused_and_the_session_goes_on(
    paper: Make, home: Path, model_market: ModelMarket, damage: Damage, reason: str
) -> None:
    registry = damage(model_market, home)
    paced = (*model_market.of_daemon(registry), *WEEKS, *PACED)
    daemon = paper(*paced).start().ready()
    check = daemon.check("model")
    assert check.grade == "DEGRADED"
    assert reason in check.value
    assert daemon.wait() == 0, daemon.errors()
    errors = daemon.errors()
    assert errors.count("no model is served: ") >= 1
    assert reason in errors
    assert daemon.rows("SELECT * FROM orders") == []
    stamps = model_market.frame.ts
    assert int(daemon.mark("feed_position")) == stamps[stamps < END].max()
