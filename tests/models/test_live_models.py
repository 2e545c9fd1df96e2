"""Which model plays live."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import InvalidRequest, ModelNotInstalled
from tunesmith.models.live_models import live_model


def test_where_none_is_installed_it_is_said_which_to_pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    with pytest.raises(ModelNotInstalled, match="install one with: tunesmith pull magenta-rt2-small"):
        live_model(None)
    with pytest.raises(ModelNotInstalled, match="magenta-rt2-small is not installed"):
        live_model("magenta-rt2-small")
    with pytest.raises(InvalidRequest, match="composer cannot play live"):
        live_model("composer")
