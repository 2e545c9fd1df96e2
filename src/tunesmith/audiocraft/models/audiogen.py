"""AudioGen: texts to sound effects and ambience."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.audiocraft.errors import UnsupportedUse
from tunesmith.audiocraft.models.genmodel import BaseGenModel
from tunesmith.audiocraft.pretrained import PretrainedModel


class AudioGen(BaseGenModel):
    """An AudioGen model, made by ``get_pretrained``."""

    def __init__(self, pretrained: PretrainedModel) -> None:
        super().__init__(pretrained)
        if pretrained.engine.architecture.chroma is not None:
            raise UnsupportedUse("name", f"{pretrained.name} follows melodies, which AudioGen cannot: use MusicGen")
        self.set_generation_params(duration=5)

    @staticmethod
    def get_pretrained(name: str | Path = "facebook/audiogen-medium", device: Any = None) -> AudioGen:
        """Open a model by its name, hub id or folder; a missing one is pulled: see ``open_pretrained``."""
        return AudioGen._open(name, device)

    def set_generation_params(
        self, use_sampling: bool = True, top_k: int = 250, top_p: float = 0.0, temperature: float = 1.0,
        duration: float = 10.0, cfg_coef: float = 3.0, two_step_cfg: bool = False, extend_stride: float = 2,
    ) -> None:  # fmt: skip
        """Set the parameters of the next calls: see ``MusicGen.set_generation_params``."""
        self._set_params(use_sampling, top_k, top_p, temperature, duration, cfg_coef, two_step_cfg, extend_stride)
