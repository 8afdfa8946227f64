"""A store of its own for every test, whose tables were made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.registry.models_made import manifest_for, model_text
from tradingd.config.registry import RegistryConfig
from tradingd.domain.manifest import ModelManifest
from tradingd.registry.client import DATABASE
from tradingd.registry.open import Registry, open_registry

type Keep = Callable[..., int]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without a row: making its tables takes seconds."""
    root = tmp_path_factory.mktemp("registry")
    assert open_registry(RegistryConfig(root=str(root))).names() == []
    return root / DATABASE


@pytest.fixture
def root(tmp_path: Path, empty_store: Path) -> Path:
    folder = tmp_path / "registry"
    folder.mkdir()
    shutil.copyfile(empty_store, folder / DATABASE)
    return folder


@pytest.fixture
def registry(root: Path) -> Registry:
    return open_registry(RegistryConfig(root=str(root)))


@pytest.fixture(scope="session")
def content() -> bytes:
    return model_text()


@pytest.fixture
def keep(registry: Registry, tmp_path: Path, content: bytes) -> Keep:
    """Register a model, one trial each; keywords change its manifest."""

    def register(**changes: object) -> int:
        manifest: ModelManifest = manifest_for(content, **changes)
        place = tmp_path / "made"
        place.mkdir(exist_ok=True)
        (place / manifest.artifact.path).write_bytes(content)
        with registry.run(manifest.name) as run:
            registry.log_trial(run, number=0, parameters={}, score=0.5, sharpe=0.1)
            return registry.register(run, place, manifest)

    return register
