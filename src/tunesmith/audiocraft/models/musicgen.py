"""MusicGen: texts, and melodies to follow, to music."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.audiocraft.arrays import Tensor, to_array, to_samples
from tunesmith.audiocraft.data.audio_utils import check_rate, converted
from tunesmith.audiocraft.errors import ArgumentError, UnsupportedUse
from tunesmith.audiocraft.models.genmodel import BaseGenModel, ConditionedItem, check_texts
from tunesmith.audiocraft.pretrained import PretrainedModel

MelodyList = list[Tensor | None]
MelodyType = Tensor | MelodyList
SHORT_NAMES = ("small", "medium", "large", "melody")
"""Names of AudioCraft's first version, which stand for musicgen-small and so on."""


class MusicGen(BaseGenModel):
    """A MusicGen model, made by ``get_pretrained``."""

    def __init__(self, pretrained: PretrainedModel) -> None:
        super().__init__(pretrained)
        # A window shorter than 30 s keeps the overlap's share of AudioCraft's defaults.
        stride = min(18.0, 0.6 * self.max_duration)
        self.set_generation_params(duration=15, extend_stride=stride)

    @staticmethod
    def get_pretrained(name: str | Path = "facebook/musicgen-melody", device: Any = None) -> MusicGen:
        """Open a model by its name, hub id or folder; a missing one is pulled: see ``open_pretrained``."""
        if name in SHORT_NAMES:
            full = f"facebook/musicgen-{name}"
            warnings.warn(f"the name {name!r} is deprecated; use {full!r}", UserWarning, stacklevel=2)
            name = full
        return MusicGen._open(name, device)

    def set_generation_params(
        self, use_sampling: bool = True, top_k: int = 250, top_p: float = 0.0, temperature: float = 1.0,
        duration: float = 30.0, cfg_coef: float = 3.0, two_step_cfg: bool = False, extend_stride: float = 18,
        *, cfg_coef_beta: float | None = None,
    ) -> None:  # fmt: skip
        """Set the parameters of the next calls.

        Without ``use_sampling`` the most likely code is taken. ``top_p`` above 0 replaces ``top_k``. ``duration`` and
        ``extend_stride``, the step of windows beyond the trained length, are in seconds. ``cfg_coef`` is the guidance
        scale. ``two_step_cfg`` changes nothing: both runs of guidance always share a step. Raises ArgumentError for a
        stride that is not below the trained length, UnsupportedUse for ``cfg_coef_beta``, which is of the style models.
        """
        if cfg_coef_beta is not None:
            raise UnsupportedUse("cfg_coef_beta", f"only the style models have it, got {cfg_coef_beta!r}")
        self._set_params(use_sampling, top_k, top_p, temperature, duration, cfg_coef, two_step_cfg, extend_stride)

    def generate_with_chroma(
        self, descriptions: Sequence[str | None], melody_wavs: MelodyType, melody_sample_rate: int,
        progress: bool = False, return_tokens: bool = False,
    ) -> Any:  # fmt: skip
        """Generate music for texts that follows melodies: see ``generate``.

        ``melody_wavs`` is audio (batch, channels, samples), (channels, samples) for one text, or a list with (channels,
        samples) or None for each text. Raises ArgumentError, and UnsupportedUse for a model without melodies.
        """
        texts = check_texts(descriptions)
        check_rate("melody_sample_rate", melody_sample_rate)
        melodies = [self._melody(wav, melody_sample_rate) for wav in _split(melody_wavs)]
        if self._engine.architecture.chroma is None:
            problem = f"{self.name} does not support melodies; use a melody model such as facebook/musicgen-melody"
            raise UnsupportedUse("melody_wavs", problem)
        if len(melodies) != len(texts):
            raise ArgumentError(
                "melody_wavs", f"must be as many as the descriptions, {len(texts)}, got {len(melodies)}"
            )
        items = [ConditionedItem(text, melody=melody) for text, melody in zip(texts, melodies, strict=True)]
        return self._generated(items, progress, return_tokens)

    def _melody(self, wav: object, sample_rate: int) -> NDArray[np.float32] | None:
        if wav is None:
            return None
        samples = to_samples(wav, "melody_wavs")
        if samples.ndim != 2 or not samples.size:
            raise ArgumentError("melody_wavs", f"must have the shape (channels, samples) each, got {samples.shape}")
        melody: NDArray[np.float32] = converted(samples, sample_rate, self.sample_rate, 1)[0]
        return melody


def _split(melody_wavs: MelodyType) -> Sequence[Any]:
    if isinstance(melody_wavs, list | tuple):
        return melody_wavs
    wavs = to_array(melody_wavs, "melody_wavs")
    if wavs.ndim not in (2, 3):
        raise ArgumentError("melody_wavs", f"must have the shape (batch, channels, samples), got {wavs.shape}")
    return list(wavs.reshape(-1, *wavs.shape[-2:]))
