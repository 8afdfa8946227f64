"""Versions of models: files and manifests in the store, published to this machine's folder.

A version counts once the digest of its manifest is on record; what a crash left behind before that
is not seen again.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import ModelManifest
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.scratch import scratch
from tradingd.registry import published
from tradingd.registry.client import asking
from tradingd.registry.files import check_files, copy_files
from tradingd.registry.state import VersionState, manifest_of
from tradingd.registry.trials import RunHandle

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

STATE: Final = "tradingd.state"
DIGEST: Final = "tradingd.manifest_sha256"
REGISTERED: Final = ".registered.json"
"""The manifest as it was registered, beside the one that is in force."""

_MODEL: Final = "model"
_PAGE: Final = 200


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A version: its manifest as it stands now, its files, the aliases that point to it."""

    name: str
    version: int
    manifest: ModelManifest
    folder: Path
    aliases: tuple[str, ...]
    run: str
    registered: ModelManifest
    state: VersionState

    @property
    def path(self) -> Path:
        """Return the manifest's file."""
        return self.folder / manifests.FILE_NAME


class Versions:
    """Versions of a store.

    Parameters
    ----------
    client : MlflowClient
    where : str
        What a person shall read as its place.
    root : Path
        Folder that versions are published to.
    """

    def __init__(self, client: "MlflowClient", where: str, root: Path) -> None:
        self._client = client
        self._where = where
        self._root = root

    def names(self) -> list[str]:
        """Return the names of all models."""
        found: list[str] = []
        token = None
        with asking("list models", self._where):
            while True:
                page = self._client.search_registered_models(max_results=_PAGE, page_token=token)
                found += [one.name for one in page]
                token = page.token
                if not token:
                    return sorted(found)

    def aliases(self, name: str) -> dict[str, int]:
        """Return where each alias points, as the store says.

        Raises
        ------
        Failure
            REGISTRY when there is no such model.
        """
        with asking("find a model", self._where):
            model = self._client.get_registered_model(name)
        return {alias: int(version) for alias, version in model.aliases.items()}

    def publish(self, name: str) -> dict[str, int]:
        """Bring this machine's folder up to the store, and return where each alias points.

        Versions first, then the aliases to them; an alias to a damaged version is left out.
        """
        pointed = self.aliases(name)
        whole = {alias: one for alias, one in pointed.items() if self._is_whole(name, one)}
        published.write_aliases(self._root, name, whole)
        return pointed

    def _is_whole(self, name: str, version: int) -> bool:
        try:
            self.get(name, version)
        except Failure as failure:
            log.warning("an alias is not published: %s", failure.line())
            return False
        return True

    def numbers(self, name: str) -> list[int]:
        """Return the versions of a name, oldest first."""
        return [int(one.version) for one in self._found(name)]

    def get(self, name: str, version: int) -> Entry:
        """Return a version whose files are as its manifest says, in this machine's folder.

        Raises
        ------
        Failure
            REGISTRY when there is none; CONTRACT when its files are damaged.
        """
        try:
            with asking("find a model", self._where):
                found = self._client.get_model_version(name, str(version))
        except Failure as failure:
            numbers = self.numbers(name)
            if version in numbers:
                raise
            raise _no_number(name, version, numbers) from failure
        entry = self._entry(found, self.aliases(name))
        check_files(entry.folder, entry.registered)
        return entry

    def entries(self, name: str) -> Iterator[Entry | Failure]:
        """Yield every version of a name, oldest first; a failure for one that is damaged."""
        pointed = self.aliases(name)
        for one in self._found(name):
            try:
                yield self._entry(one, pointed)
            except Failure as failure:
                yield failure

    def register(self, run: RunHandle, folder: Path, manifest: ModelManifest) -> int:
        """Keep the files that a manifest names, and the manifest as a candidate's.

        Raises
        ------
        Failure
            CONTRACT when the files are not those of the manifest.
        """
        check_files(folder, manifest)
        with asking("register a model", self._where):
            if not self._client.search_registered_models(f"name = '{run.name}'"):
                self._client.create_registered_model(run.name)
            source = f"{self._client.get_run(run.id).info.artifact_uri}/{_MODEL}"
            made = self._client.create_model_version(run.name, source, run_id=run.id)
            version = int(made.version)
            kept = msgspec.structs.replace(
                manifest, version=str(version), status="candidate", production=None
            )
            self._upload(run, folder, kept)
            digest = hashlib.sha256(manifests.encode(kept)).hexdigest()
            self._client.set_model_version_tag(run.name, str(version), DIGEST, digest)
        return version

    def write_state(self, name: str, version: int, state: VersionState) -> None:
        """Lay something else over a version's manifest."""
        with asking("write the state of a model", self._where):
            text = msgspec.json.encode(state).decode()
            self._client.set_model_version_tag(name, str(version), STATE, text)

    def point(self, name: str, alias: str, version: int) -> None:
        """Let an alias point to a version."""
        with asking("move an alias", self._where):
            self._client.set_registered_model_alias(name, alias, str(version))

    def unpoint(self, name: str, alias: str) -> None:
        """Take an alias away."""
        with asking("remove an alias", self._where):
            self._client.delete_registered_model_alias(name, alias)

    def _found(self, name: str) -> list[Any]:
        with asking("list versions", self._where):
            found: list[Any] = []
            token = None
            while True:
                page = self._client.search_model_versions(
                    f"name = '{name}'", max_results=_PAGE, page_token=token
                )
                found += [one for one in page if DIGEST in one.tags]
                token = page.token
                if not token:
                    return sorted(found, key=lambda one: int(one.version))

    def _entry(self, found: Any, pointed: dict[str, int]) -> Entry:
        version = int(found.version)
        digest = found.tags.get(DIGEST)
        if digest is None:
            raise _no_version(found.name, version)
        folder = published.publish_files(
            self._root, found.name, version, lambda to: self._download(found.run_id, to)
        )
        registered = _registered(folder, digest)
        state = msgspec.json.decode(found.tags.get(STATE, "{}"), type=VersionState)
        manifest = manifest_of(registered, state, pointed)
        published.write_manifest(self._root, manifest)
        return Entry(
            name=found.name,
            version=version,
            manifest=manifest,
            folder=folder,
            aliases=tuple(alias for alias, one in sorted(pointed.items()) if one == version),
            run=found.run_id or "",
            registered=registered,
            state=state,
        )

    def _upload(self, run: RunHandle, folder: Path, manifest: ModelManifest) -> None:
        with scratch("model") as place:
            copy_files(folder, manifest, place)
            (place / REGISTERED).write_bytes(manifests.encode(manifest))
            self._client.log_artifacts(run.id, str(place), _MODEL)

    def _download(self, run: str, to: Path) -> None:
        with asking("fetch a model's files", self._where):
            with scratch("model") as place:
                fetched = Path(self._client.download_artifacts(run, _MODEL, str(place)))
                content = (fetched / REGISTERED).read_bytes()
                manifest = manifests.decode(content)
                check_files(fetched, manifest)
                copy_files(fetched, manifest, to)
            (to / REGISTERED).write_bytes(content)


def _registered(folder: Path, digest: str) -> ModelManifest:
    path = folder / REGISTERED
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise Failure(
            "the manifest of a model is not the one that was registered",
            code=ExitCode.CONTRACT,
            where=str(path),
            expected=f"SHA-256 {digest}",
            found="another content" if content else "no file",
            next_step=f"remove {folder}; it is fetched anew",
        )
    return manifests.decode(content)


def _no_number(name: str, version: int, numbers: Sequence[int]) -> Failure:
    return Failure(
        "the registry has no such model",
        code=ExitCode.REGISTRY,
        where=f"{name}@{version}",
        expected=f"a version up to {name}@{numbers[-1]}" if numbers else "a trained model",
        found="none of that number" if numbers else "none of that name",
        next_step=f"tradingd model list --name {name}" if numbers else "tradingd model list",
    )


def _no_version(name: str, version: int) -> Failure:
    return Failure(
        "the registry has no such model",
        code=ExitCode.REGISTRY,
        where=f"{name}@{version}",
        expected="a version that was registered whole",
        found="one without a manifest",
        next_step="tradingd model list",
    )
