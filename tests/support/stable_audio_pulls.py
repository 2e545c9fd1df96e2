"""A hub on loopback and a store, to pull tiny models of Stable Audio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_server import HubServer, hub_server

from tunesmith.models.hub import Hub
from tunesmith.models.licence_acceptance import FILE
from tunesmith.models.manifest import Manifest
from tunesmith.models.pull import PullPlan, PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import InstalledModel, Store
from tunesmith.stable_audio.networks import StableAudioNetworks

OPTIMIZED, GATED = "stabilityai/stable-audio-3-optimized", "stabilityai/stable-audio-3-small-music"
NAME = "stable-audio-3-small-music"


def only_decode(folder: Path, manifest: Manifest) -> None:
    """Open a model and decode silence, in place of a whole trial."""
    channels = manifest.sizes.latent_channels
    assert channels is not None
    assert np.isfinite(StableAudioNetworks(folder).decode(np.zeros((4, channels), np.float32))).all()


@dataclass
class PullBench:
    """A hub, a store, and what a pull announced."""

    hub: HubServer
    tools: PullTools
    offers: list[PullPlan]

    def pull(self, source: str, **options: Any) -> InstalledModel:
        request = PullRequest(source, **{"accept_licence": True, **options})
        return pull(request, self.tools, self.offers.append, lambda _: None)

    def left(self) -> set[str]:
        """Return the names of all files below the store but the locks and the accepted licences."""
        files = (path for path in self.tools.store.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path.name for path in files} - {FILE}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PullBench]:
    with hub_server() as hub:
        tools = PullTools(Store(tmp_path / "data"), Hub(hub.url, tmp_path / "cache"), try_out=only_decode)
        yield PullBench(hub, tools, [])
