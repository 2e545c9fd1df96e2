"""The measures of a performance, from the metadata of its sound, as plain JSON values and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHARES = ("pitch_class_recall", "onset_recall", "onset_chance")


def recall_json(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the shares of SHARES and the number of ``performances`` of a performed piece; None of any other."""
    settings = metadata.get("settings")
    if not isinstance(settings, Mapping) or not settings.get("perform"):
        return None
    shares = {name: settings.get(name) for name in SHARES}
    performances = settings.get("performances")
    # The metadata of a foreign file may hold anything.
    if not all(isinstance(share, int | float) for share in shares.values()) or not isinstance(performances, list):
        return None
    return {**shares, "performances": len(performances)}


def recall_in_words(metadata: Mapping[str, Any]) -> str | None:
    """Return ``0.97 of the notes and 0.95 of the onsets (0.40 by chance), best of 3``; None for no performed piece."""
    recall = recall_json(metadata)
    if recall is None:
        return None
    classes, onsets, chance = (recall[name] for name in SHARES)
    of = f", best of {recall['performances']}" if recall["performances"] > 1 else ""
    return f"{classes:.2f} of the notes and {onsets:.2f} of the onsets ({chance:.2f} by chance){of}"
