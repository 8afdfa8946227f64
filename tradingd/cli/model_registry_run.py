"""Run `tradingd model` on the registry; imported when one of the commands runs."""

import datetime as dt
import getpass
from pathlib import Path

from tradingd.app import model_registry as app
from tradingd.app.model_compare import ComparisonReport, compare_models
from tradingd.cli import model as parameters
from tradingd.cli import screen
from tradingd.config.paths import state_root
from tradingd.domain.manifest import ModelManifest
from tradingd.learning.report import Interval
from tradingd.registry.gates import Clause, Verdict
from tradingd.registry.promotion import Decision


def run_list(params: parameters.ListParams) -> app.ModelList:
    """List versions."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_list(config, params.name, now=_now())


def render_list(found: app.ModelList) -> None:
    """Print one line a version."""
    if not found.models:
        _say(f"no models in {found.registry}; tradingd model train makes one")
    else:
        columns = (
            "model", "status", "aliases", "task", "trained on", "expires",
            "Sharpe", "DSR", "PBO", "gates", "tried",
        )  # fmt: skip
        screen.table(found.registry, columns, [_list_row(one) for one in found.models])
    for line in found.damaged:
        _say(f"DAMAGED {line}")
    counts = {
        "names": len({one.name for one in found.models}),
        "models": len(found.models),
        "promoted": sum(one.status == "promoted" for one in found.models),
        "expired": sum(one.expired for one in found.models),
        "damaged": len(found.damaged),
    }
    screen.summary(counts)


def _list_row(one: app.ModelRow) -> tuple[object, ...]:
    gates = {True: "passed", False: "failed", None: ""}[one.gates]
    return (
        f"{one.name}@{one.version}",
        one.status,
        ", ".join(one.aliases),
        one.task,
        one.trained,
        f"{one.expires:%Y-%m-%d}" + (" EXPIRED" if one.expired else ""),
        _number(one.sharpe),
        _number(one.deflated_sharpe),
        _number(one.pbo),
        gates,
        one.trials,
    )


def run_show(params: parameters.ShowParams) -> app.ModelReport:
    """Describe a version."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_show(config, params.model, now=_now())


def render_show(found: app.ModelReport) -> None:
    """Print what a person asks first, the metrics, and the gates."""
    manifest = found.manifest
    screen.table("", ("model", manifest.id), list(_identity(found)))
    rows = [
        (name, _number(value), _interval(manifest, name))
        for name, value in sorted(manifest.metrics.items())
    ]
    screen.table("Out of sample, after costs", ("metric", "value", "95 %"), rows)
    _show_verdict(found.verdict)
    screen.summary(
        {
            "model": manifest.id,
            "status": manifest.status,
            "expired": str(found.expired).lower(),
            "gates": "passed" if found.verdict.passed else "failed",
            "folder": found.folder,
        }
    )


def _identity(found: app.ModelReport) -> list[tuple[str, str]]:
    one = found.manifest
    training, validation = one.training, one.validation
    deflated = f"deflated by {validation.trials}" if validation.trials else "deflation not stated"
    trials = f"{deflated}, {found.trials} by now"
    rows = [
        ("status", ", ".join((one.status, *(f"alias {alias}" for alias in found.aliases)))),
        ("expires", f"{one.expires:%Y-%m-%d %H:%M} UTC" + (" EXPIRED" if found.expired else "")),
        ("task", f"{one.task} of {one.target.name}, {one.framework.name} {one.framework.version}"),
        ("trained on", f"{training.start} – {training.end}, {training.rows} rows"),
        ("judged by", f"{validation.method}, {validation.start} – {validation.end}"),
        ("trials", trials),
        ("features", f"{len(one.features)}, hash {one.features_hash[:12]}"),
        ("data", training.fingerprint[:12]),
        ("code", training.commit or "not stated"),
        ("file", f"{one.artifact.path} ({one.artifact.format})"),
    ]
    if one.production is not None:
        said = one.production
        rows.append(
            (
                "promoted",
                f"{said.promoted_at:%Y-%m-%d %H:%M} UTC by {said.promoted_by}, before it "
                f"{said.previous or 'none'}" + (f": {said.reason}" if said.reason else ""),
            )
        )
    return rows


def _interval(manifest: ModelManifest, name: str) -> str:
    bounds = manifest.intervals.get(name)
    return f"{bounds[0]:.4g} – {bounds[1]:.4g}" if bounds else ""


def run_promote(params: parameters.PromoteParams) -> app.PromotionReport:
    """Promote a version, or refuse it with every clause."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_promote(
        config,
        params.model,
        _decision(params.by, params.reason),
        alias=params.alias,
        dry_run=params.dry_run,
    )


def render_promote(done: app.PromotionReport) -> None:
    """Print every clause with its value and bound."""
    _show_verdict(done.verdict)
    if done.promoted:
        _say(f"{done.model} is in production as {done.alias}; before it: {done.previous or 'none'}")
    elif not done.verdict.passed:
        _say(f"{done.model} is REFUSED: {_count(done.verdict)}")
    for note in done.notes:
        _say(f"note: {note}")
    failed = len(done.verdict.failed) + len(done.verdict.problems)
    screen.summary(
        {
            "model": done.model,
            "alias": done.alias,
            "promoted": str(done.promoted).lower(),
            "clauses": len(done.verdict.clauses),
            "failed": failed,
            "previous": done.previous or "none",
        }
    )


def run_challenge(params: parameters.ChallengeParams) -> app.ChallengeReport:
    """Let a version run in the champion's shadow."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_challenge(config, params.model, now=_now())


def render_challenge(done: app.ChallengeReport) -> None:
    """Print both."""
    _say(f"{done.model} challenges {done.champion or 'nobody: no model is in production yet'}")
    screen.summary({"challenger": done.model, "champion": done.champion or "none"})


def run_rollback(params: parameters.RollbackParams) -> app.RollbackReport:
    """Put the previous version back."""
    config = app.configured(params.overrides, params.overlay)
    decision = _decision(params.by, params.reason)
    return app.model_rollback(config, params.name, decision, alias=params.alias)


def render_rollback(done: app.RollbackReport) -> None:
    """Print which is in force again."""
    _say(f"{done.model} is in production again as {done.alias}; taken back: {done.taken_back}")
    for note in done.notes:
        _say(f"note: {note}")
    screen.summary({"model": done.model, "alias": done.alias, "taken_back": done.taken_back})


def run_expire(params: parameters.ExpireParams) -> app.ExpiryReport:
    """End a version's time."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_expire(config, params.model, now=_now())


def render_expire(done: app.ExpiryReport) -> None:
    """Print since when, and who still points to it."""
    if done.aliases:
        _say(f"alias {', '.join(done.aliases)} still points to it: who serves it abstains")
    expires = f"{done.expires:%Y-%m-%dT%H:%M:%SZ}"
    screen.summary({"model": done.model, "expires": expires})


def run_diff(params: parameters.DiffParams) -> app.DiffReport:
    """Compare two versions."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_diff(config, params.left, params.right)


def render_diff(found: app.DiffReport) -> None:
    """Print what differs."""
    rows = [
        (one.path, _cell(one.left), _cell(one.right), _number(one.change))
        for one in found.differences
    ]
    if rows:
        screen.table("", ("differs in", found.left, found.right, "change"), rows)
    else:
        _say("they are the same")
    screen.summary({"left": found.left, "right": found.right, "differences": len(rows)})


def run_compare(params: parameters.CompareParams) -> ComparisonReport:
    """Compare champion and challenger."""
    config = app.configured(params.overrides, params.overlay)
    stated = Path(params.state).expanduser() if params.state else state_root(params.instance)
    return compare_models(config, params.name, params.instance, stated)


def render_compare(found: ComparisonReport) -> None:
    """Print each score of both, and by how much they differ."""
    rows = [
        (
            one.score,
            _bounded(one.champion),
            _bounded(one.challenger),
            _bounded(one.difference),
            one.better,
        )
        for one in found.scores
    ]
    columns = ("score", found.champion, found.challenger, "difference", "better")
    screen.table(f"{found.label}, {found.first} to {found.last}", columns, rows)
    _say(found.verdict)
    for reason, count in found.left_out.items():
        _say(f"left out: {count:,} {reason.replace('_', ' ')}")
    for note in found.notes:
        _say(f"note: {note}")
    screen.summary(
        {
            "champion": found.champion,
            "challenger": found.challenger,
            "rows": found.rows,
            "sessions": found.sessions,
            "better": sum(one.better == "challenger" for one in found.scores),
            "worse": sum(one.better == "champion" for one in found.scores),
        }
    )


def _bounded(one: Interval) -> str:
    if one.value is None:
        return ""
    if one.low is None or one.high is None:
        return f"{one.value:.4f}"
    return f"{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]"


def run_import(params: parameters.ImportParams) -> app.ImportReport:
    """Take a foreign model in."""
    config = app.configured(params.overrides, params.overlay)
    return app.model_import(config, Path(params.path).expanduser())


def render_import(done: app.ImportReport) -> None:
    """Print what it is called here."""
    _say(f"{done.model}: {done.format}, {done.features} features, in {done.folder}")
    for note in done.notes:
        _say(f"note: {note}")
    values = {"model": done.model, "stated_version": done.stated_version, "trials": done.trials}
    screen.summary(values)


def _show_verdict(verdict: Verdict) -> None:
    for line in verdict.problems:
        _say(f"CONTRACT {line}")
    rows = [
        (one.rule, one.clause, one.value, one.bound, _answer(one), one.reason)
        for one in verdict.clauses
    ]
    if rows:
        screen.table("Gates", ("rule", "clause", "value", "bound", "answer", "why"), rows)


def _answer(clause: Clause) -> str:
    if clause.passed:
        return "passed"
    if not clause.needed:
        return "not needed"
    return "UNKNOWN" if clause.passed is None else "FAILED"


def _count(verdict: Verdict) -> str:
    failed = len(verdict.failed)
    parts = [f"{failed} of {len(verdict.clauses)} clauses do not pass"] if failed else []
    if verdict.problems:
        parts.append(f"{len(verdict.problems)} breaches of its contract")
    return ", ".join(parts) or "a rule does not pass"


def _decision(by: str | None, reason: str) -> Decision:
    return Decision(by=by or getpass.getuser(), at=_now(), reason=reason)


def _now() -> dt.datetime:
    """Return the moment at which the command runs: a person's decisions are of the wall clock."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cell(value: object) -> str:
    return _number(value) if isinstance(value, float) else "" if value is None else str(value)


def _say(text: str) -> None:
    screen.console().print(text, markup=False)
