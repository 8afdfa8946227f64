"""Whether features across symbols compare as many symbols as those a model has learned from."""

from collections.abc import Collection

from tradingd.domain.manifest import ModelManifest
from tradingd.features.feature_set import FeatureSet

_SHOWN = 3


def other_universe(
    manifest: ModelManifest, feature_set: FeatureSet, symbols: Collection[str]
) -> str:
    """Return in words that the traded symbols are not the training's; empty where nobody can tell.

    A rank among five means something else than among five hundred. A manifest states how many
    symbols had rows, not which: another universe of the same size goes unnoticed.
    """
    across = [feature_set.names[index] for index, _ in feature_set.crosses()]
    learned, here = manifest.training.symbols, len(set(symbols))
    if not across or learned is None or learned == here:
        return ""
    names = ", ".join(across[:_SHOWN]) + (" ..." if len(across) > _SHOWN else "")
    return (
        f"{manifest.id} learned among {learned} symbols and is asked among {here}: "
        f"features across symbols compare others ({names})"
    )
