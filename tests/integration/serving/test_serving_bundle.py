"""A model is served only as its manifest describes it."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.serving.serving_kit import booster_text, bundle, document, frame, write
from tests.integration.serving.serving_kit import feature_set as features
from tradingd.app.advisor import checked_bundle
from tradingd.kits.failure import ExitCode, Failure

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_a_model_beside_its_manifest_is_read_by_file_or_folder(tmp_path: Path) -> None:
    by_file = bundle(tmp_path, NOW)
    by_folder = checked_bundle(tmp_path, features(), NOW)
    row = frame().x[-1]
    assert by_file.id == "small@1"
    assert by_file.predictor.one(row) == by_folder.predictor.one(row)


def test_scores_become_probabilities_and_intervals_as_the_manifest_says(tmp_path: Path) -> None:
    found = bundle(tmp_path).opinion(0.5)
    assert (found.probability, found.low, found.high) == (0.5, 0.25, 1.0)
    plain = document()
    del plain["calibration"], plain["interval"]
    (tmp_path / "model-manifest.json").write_bytes(msgspec.json.encode(plain))
    found = checked_bundle(tmp_path, features(), NOW).opinion(0.7)
    assert (found.probability, found.low) == (0.7, None)


def refusal(path: Path, now: dt.datetime | None = NOW) -> Failure:
    with pytest.raises(Failure) as caught:
        checked_bundle(path, features(), now)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features_hash": "1" * 64}, "computed otherwise"),
        ({"schema_version": "9.0.0"}, "contract"),
        ({"expires": "2025-12-31T00:00:00Z"}, "expired"),
        ({"status": "retired"}, "retired"),
        ({"task": "policy"}, "policy"),
        ({"features": [{"name": "other", "dtype": "float64"}]}, "other features"),
        ({"features": list(reversed(document()["features"]))}, "in another order"),
        ({"artifact": {**document()["artifact"], "sha256": "2" * 64}}, "not the one"),
        ({"artifact": {**document()["artifact"], "path": "../model.txt"}}, "contract"),
        ({"artifact": {**document()["artifact"], "format": "skops"}}, "format"),
        ({"label": {"kind": "forward_return", "resolution": "1m", "bars": 1}}, "other bars"),
        ({"calibration": {"kind": "isotonic"}}, "contract"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    found = refusal(write(tmp_path, **changes))
    assert found.code is ExitCode.CONTRACT
    assert words in str(found)


def test_a_truncated_model_is_refused_by_its_hash_and_by_its_text(tmp_path: Path) -> None:
    half = booster_text().encode()[:3_000]
    assert "truncated" in str(refusal(write(tmp_path, half)))
    artifact = {
        **document()["artifact"],
        "sha256": hashlib.sha256(half).hexdigest(),
        "bytes": 3_000,
    }
    assert "damaged" in str(refusal(write(tmp_path, half, artifact=artifact)))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path)
    path.write_bytes(content)
    assert refusal(path).code is ExitCode.CONTRACT


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.json").code is ExitCode.UNREADABLE_INPUT
    path = write(tmp_path)
    (tmp_path / "model.txt").unlink()
    assert refusal(path).code is ExitCode.UNREADABLE_INPUT


def test_an_expired_model_may_be_asked_about_the_past(tmp_path: Path) -> None:
    path = write(tmp_path, expires="2024-02-01T00:00:00Z")
    assert checked_bundle(path, features(), None).id == "small@1"
