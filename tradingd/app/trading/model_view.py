"""The session's model as it is shown."""

from tradingd.app.trading.serving import SessionModel
from tradingd.control.answers import FeatureDrift, ModelView


def model_words(serving: SessionModel) -> str:
    """Return the model in force, why it abstains where it does, and what is watched for it."""
    model, why = serving.state
    words = [f"{model} abstains: {why}" if why else model]
    if serving.watched:
        words.append(f"watches {', '.join(sorted(serving.watched))}")
    if serving.kept:
        words.append(f"not exchanged: {serving.kept}")
    return "; ".join(words)


def model_view(
    serving: SessionModel | None, *, instance: str, mode: str, synthetic: bool
) -> ModelView:
    """Return the control socket's picture of it."""
    if serving is None:
        return ModelView(
            instance=instance, mode=mode, synthetic=synthetic, configured="none", model="",
            why="no model is configured", since=None, expires=None,
        )  # fmt: skip
    advisor, shadow, settings = serving.advisor, serving.shadow, serving.settings
    bundle, drift, challenger = advisor.coming, advisor.drift, shadow.challenger
    return ModelView(
        instance=instance,
        mode=mode,
        synthetic=synthetic,
        configured=serving.name,
        model="" if bundle is None else bundle.id,
        why=serving.state[1],
        since=serving.since or None,
        expires=None if bundle is None else bundle.expires_ns,
        answers={
            str(reason) or "opinion": count for reason, count in sorted(advisor.answers.items())
        },
        latency_p99_us=serving.slowest_us,
        drift=None if drift is None else drift.index,
        drift_limit=max(settings.drift_limit, 0.0 if drift is None else drift.chance),
        drift_sessions=advisor.drift_days,
        drift_needs=settings.drift_sessions,
        worst=tuple(
            FeatureDrift(feature=name, index=index)
            for name, index in (() if drift is None else drift.worst)
        ),
        challenger="" if challenger is None else challenger.id,
        challenger_why=shadow.refused,
        challenger_predictions=shadow.challenged,
        recorded=shadow.written,
        unrecorded=shadow.lost,
        records=str(serving.folder) if settings.record_days else "",
        trouble=shadow.trouble,
    )
