"""An entry of the catalog whose licence must be accepted; the real catalog may have none."""

from __future__ import annotations

from tunesmith.licences import terms_of
from tunesmith.models.catalog import ModelInfo, Origin

LICENCE = "stability-ai-community; gemma"
GATED = ModelInfo(
    "gated", Origin.PULLABLE, "text to music", LICENCE, terms_of(LICENCE), parameters=1_000_000, hub_id="org/gated",
    download_gb=1.5, about="asks first", accept_licence=True,
)  # fmt: skip
TABLE = {GATED.name: GATED}
TARGET = "tunesmith.models.catalog.pullable_models"
"""What a test replaces by a function that returns TABLE."""
