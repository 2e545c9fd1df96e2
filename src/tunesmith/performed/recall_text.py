"""The measures of a performance in words, from the metadata of its sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def recall_in_words(metadata: Mapping[str, Any]) -> str | None:
    """Return ``0.97 of the notes and 0.95 of the onsets, best of 3`` of a performed piece; None of any other."""
    settings = metadata.get("settings")
    if not isinstance(settings, Mapping) or not settings.get("perform"):
        return None
    classes, onsets = settings.get("pitch_class_recall"), settings.get("onset_recall")
    performances = settings.get("performances")
    # The metadata of a foreign file may hold anything.
    if not isinstance(classes, int | float) or not isinstance(onsets, int | float):
        return None
    of = f", best of {len(performances)}" if isinstance(performances, list) and len(performances) > 1 else ""
    return f"{classes:.2f} of the notes and {onsets:.2f} of the onsets{of}"
