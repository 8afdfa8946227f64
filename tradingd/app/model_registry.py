"""What `tradingd model` does with the registry: look, let decide, take back, take in."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tradingd.app.model_gates import judge_by, problems_of
from tradingd.app.trial import with_backtest_mode
from tradingd.config.load import load
from tradingd.config.secrets import resolve
from tradingd.config.system import SystemConfig
from tradingd.contracts.reading import read_document
from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import ModelManifest, Origin
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.diff import Difference, differences
from tradingd.registry.files import check_files
from tradingd.registry.foreign import check_foreign
from tradingd.registry.gates import Verdict
from tradingd.registry.open import Registry, open_registry
from tradingd.registry.promotion import PRODUCTION, Decision, Promotion
from tradingd.registry.versions import Entry
from tradingd.serving.probe import probe


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version; `trials` counts what was tried under its name by now."""

    name: str
    version: int
    status: str
    aliases: tuple[str, ...]
    task: str
    framework: str
    trained: str
    created: dt.datetime
    expires: dt.datetime
    expired: bool
    sharpe: float | None
    deflated_sharpe: float | None
    pbo: float | None
    gates: bool | None
    trials: int


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model list`; `damaged` has a line for each that cannot be read."""

    registry: str
    models: tuple[ModelRow, ...]
    damaged: tuple[str, ...] = ()


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model show`: `verdict` is what the rules say of it as if promoted."""

    manifest: ModelManifest
    folder: str
    aliases: tuple[str, ...]
    run: str
    expired: bool
    trials: int
    verdict: Verdict


class PromotionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model promote`."""

    exit_code: int
    model: str
    alias: str
    promoted: bool
    dry_run: bool
    previous: str | None
    verdict: Verdict
    notes: tuple[str, ...] = ()


class RollbackReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model rollback`: `model` is the one in force again."""

    model: str
    alias: str
    taken_back: str
    verdict: Verdict
    notes: tuple[str, ...] = ()


class ChallengeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model challenge`."""

    model: str
    champion: str | None


class ExpiryReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model expire`."""

    model: str
    expires: dt.datetime
    aliases: tuple[str, ...]


class DiffReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model diff`."""

    left: str
    right: str
    differences: tuple[Difference, ...]


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model import`."""

    model: str
    version: int
    stated_version: str
    format: str
    features: int
    folder: str
    trials: int
    notes: tuple[str, ...] = ()


def configured(overrides: Sequence[str], overlay: str | None) -> SystemConfig:
    """Return the configuration that names the registry and the gates."""
    place = Path(overlay) if overlay else None
    return load(with_backtest_mode(overrides), overlay=place).config


def registry_of(config: SystemConfig) -> Registry:
    """Return the configured registry."""
    token = resolve(config.registry.token) if config.registry.token else None
    return open_registry(config.registry, token=token)


def parse(model: str) -> tuple[str, str]:
    """Split ``NAME@WHICH``."""
    name, _, which = model.partition("@")
    return name, which


def model_list(config: SystemConfig, name: str | None, *, now: dt.datetime) -> ModelList:
    """List versions, those of one name newest first.

    Raises
    ------
    Failure
        REGISTRY when a name is asked for that is not there.
    """
    registry = registry_of(config)
    names = registry.names()
    if name is not None:
        registry.number(name)
        names = [name]
    rows, damaged = [], []
    for one in names:
        trials = registry.trials(one).count
        for entry in reversed(list(registry.entries(one))):
            if isinstance(entry, Failure):
                damaged.append(entry.line())
            else:
                rows.append(_row(entry, trials, now))
    return ModelList(registry=registry.where, models=tuple(rows), damaged=tuple(damaged))


def _row(entry: Entry, trials: int, now: dt.datetime) -> ModelRow:
    manifest = entry.manifest
    return ModelRow(
        name=entry.name,
        version=entry.version,
        status=manifest.status,
        aliases=entry.aliases,
        task=manifest.task,
        framework=f"{manifest.framework.name} {manifest.framework.version}",
        trained=f"{manifest.training.start} – {manifest.training.end}",
        created=manifest.created,
        expires=manifest.expires,
        expired=manifest.expired(now),
        sharpe=manifest.metrics.get("sharpe"),
        deflated_sharpe=manifest.metrics.get("deflated_sharpe"),
        pbo=manifest.metrics.get("pbo"),
        gates=manifest.gates.passed if manifest.gates else None,
        trials=trials,
    )


def model_show(config: SystemConfig, model: str, *, now: dt.datetime) -> ModelReport:
    """Describe one version."""
    registry = registry_of(config)
    name, which = parse(model)
    entry = registry.get(name, which)
    return ModelReport(
        manifest=entry.manifest,
        folder=str(entry.folder),
        aliases=entry.aliases,
        run=entry.run,
        expired=entry.manifest.expired(now),
        trials=registry.trials(name).count,
        verdict=_verdict(registry, config, entry, now),
    )


def _verdict(registry: Registry, config: SystemConfig, entry: Entry, now: dt.datetime) -> Verdict:
    """Ask the rules about it where it stands, or as if it were promoted now."""
    judge = judge_by(config.training.gates.rules)
    if entry.manifest.status == "promoted" or entry.manifest.expired(now):
        return judge(manifests.to_document(entry.manifest))
    decision = Decision(by="nobody", at=now)
    asked = registry.promote(
        entry.name, entry.version, decision=decision, judge=judge, dry_run=True
    )
    return asked.verdict


def model_promote(
    config: SystemConfig,
    model: str,
    decision: Decision,
    *,
    alias: str = PRODUCTION,
    dry_run: bool = False,
) -> PromotionReport:
    """Promote a version if every rule passes; the report has every clause either way."""
    registry = registry_of(config)
    name, which = parse(model)
    version = _newest(registry, name) if not which else registry.number(name, which)
    done = registry.promote(
        name,
        version,
        decision=decision,
        judge=judge_by(config.training.gates.rules),
        alias=alias,
        dry_run=dry_run,
    )
    return PromotionReport(
        exit_code=ExitCode.OK if done.verdict.passed else ExitCode.CONTRACT,
        model=done.manifest.id,
        alias=alias,
        promoted=done.promoted,
        dry_run=dry_run,
        previous=done.previous,
        verdict=done.verdict,
        notes=tuple(_promotion_notes(registry, done)),
    )


def _newest(registry: Registry, name: str) -> int:
    """Return the latest version: what a person means who promotes a name without a number."""
    registry.number(name)
    return max(one.version for one in registry.entries(name) if isinstance(one, Entry))


def _promotion_notes(registry: Registry, done: Promotion) -> Iterator[str]:
    stated = done.manifest.validation.trials
    counted = registry.trials(done.manifest.name).count
    if stated is not None and stated < counted:
        yield (
            f"{counted - stated} more models of this name were tried since its metrics were "
            f"deflated by {stated} trials"
        )
    if done.manifest.origin is not None and done.manifest.origin.imported is not None:
        yield "its metrics are its maker's word: nothing here measured them"


def model_rollback(
    config: SystemConfig, name: str, decision: Decision, *, alias: str = PRODUCTION
) -> RollbackReport:
    """Put the previous version back."""
    registry = registry_of(config)
    taken = registry.aliases(name).get(alias)
    done = registry.rollback(
        name, decision=decision, judge=judge_by(config.training.gates.rules), alias=alias
    )
    notes = []
    if done.manifest.expired(decision.at):
        notes.append(
            f"{done.manifest.id} expired at {done.manifest.expires:%F %TZ}: who serves it abstains"
        )
    if not done.verdict.passed:
        notes.append("the rules would not promote it today; a rollback does not wait for them")
    return RollbackReport(
        model=done.manifest.id,
        alias=alias,
        taken_back=f"{name}@{taken}",
        verdict=done.verdict,
        notes=tuple(notes),
    )


def model_challenge(config: SystemConfig, model: str, *, now: dt.datetime) -> ChallengeReport:
    """Let a version run in the shadow of the champion."""
    registry = registry_of(config)
    name, which = parse(model)
    version = _newest(registry, name) if not which else registry.number(name, which)
    entry = registry.challenge(name, version, at=now)
    champion = registry.aliases(name).get(PRODUCTION)
    return ChallengeReport(
        model=entry.manifest.id, champion=None if champion is None else f"{name}@{champion}"
    )


def model_expire(config: SystemConfig, model: str, *, now: dt.datetime) -> ExpiryReport:
    """End a version's time."""
    registry = registry_of(config)
    name, which = parse(model)
    entry = registry.expire(name, registry.number(name, which), at=now)
    return ExpiryReport(
        model=entry.manifest.id, expires=entry.manifest.expires, aliases=entry.aliases
    )


def model_diff(config: SystemConfig, left: str, right: str) -> DiffReport:
    """Compare two manifests."""
    registry = registry_of(config)
    first, second = (registry.get(*parse(one)).manifest for one in (left, right))
    return DiffReport(left=first.id, right=second.id, differences=tuple(differences(first, second)))


def model_import(config: SystemConfig, path: Path) -> ImportReport:
    """Register a stranger's model as a candidate.

    Its file is hashed, looked into as plain data, and read by its library in a process of its
    own; its manifest must satisfy the contract.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when there is no manifest; CONTRACT when it, or the file, is not accepted.
    """
    place = path / manifests.FILE_NAME if path.is_dir() else path
    stated = _foreign_manifest(place)
    check_files(place.parent, stated)
    check_foreign(place.parent, stated)
    artifact = place.parent / stated.artifact.path
    probe(
        artifact.read_bytes(),
        stated.artifact.format.replace("-ubj", "-json"),
        len(stated.features),
        where=str(artifact),
    )
    registry = registry_of(config)
    with registry.run(stated.name, "import", {"tradingd.source": place.name}) as run:
        # Whoever tried it: one more model that could have been chosen by luck.
        registry.log_trial(
            run,
            number=0,
            parameters={"imported": stated.version},
            score=None,
            sharpe=None,
        )
        version = registry.register(run, place.parent, _taken_in(stated))
    return ImportReport(
        model=f"{stated.name}@{version}",
        version=version,
        stated_version=stated.version,
        format=stated.artifact.format,
        features=len(stated.features),
        folder=str(registry.get(stated.name, version).folder),
        trials=registry.trials(stated.name).count,
        notes=tuple(_import_notes(stated, f"{stated.name}@{version}", dt.datetime.now(dt.UTC))),
    )


def _import_notes(stated: ModelManifest, model: str, now: dt.datetime) -> Iterator[str]:
    yield (
        "its metrics are its maker's word: nothing here measured them; "
        f"`tradingd model evaluate {model}` does, on the days after its training"
    )
    if stated.expired(now):
        yield f"it expired on {stated.expires:%Y-%m-%d}: who serves it abstains"
    if stated.calibration is None:
        yield (
            "it states no calibration, so it has no probability: a strategy that asks how sure it "
            "is never enters (calibration.kind none: the score is the probability)"
        )


def _foreign_manifest(place: Path) -> ModelManifest:
    document = read_document(place)
    if isinstance(document, dict) and document.get("status") == "promoted":
        # Who may trade here is decided here.
        document = {**document, "status": "candidate"}
    if problems := problems_of(document):
        raise Failure(
            "a model's manifest breaks its contract",
            code=ExitCode.CONTRACT,
            where=str(place),
            expected="contract model-manifest",
            found="; ".join(problems[:3]),
            next_step=f"tradingd contracts validate {place} --as model-manifest",
        )
    return manifests.from_document(document)


def _taken_in(stated: ModelManifest) -> ModelManifest:
    """Return a manifest without what only this registry may say."""
    origin = msgspec.structs.replace(stated.origin or Origin(), imported=stated.version)
    # Rules for models of our own training ask who trained it.
    origin = msgspec.structs.replace(origin, trainer=origin.trainer or "unknown")
    return msgspec.structs.replace(
        stated, status="candidate", production=None, champion=None, gates=None, origin=origin
    )
