"""The base of MusicGen and AudioGen: parameters, prompts, and a batch of descriptions to audio."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.audiocraft.arrays import Tensor, draw_seeds, has_torch, to_samples, to_tensor
from tunesmith.audiocraft.data.audio_utils import check_rate, converted
from tunesmith.audiocraft.errors import ArgumentError
from tunesmith.audiocraft.models.encodec import CompressionModel
from tunesmith.audiocraft.pretrained import PretrainedModel, open_pretrained
from tunesmith.audiocraft.unsupported_names import TRAINING

if TYPE_CHECKING:
    from tunesmith.audiocraft.generation import StepCallback


@dataclass(frozen=True, slots=True)
class ConditionedItem:
    """One item of a batch: its text (None or "": none), codes to continue (codebooks, frames), melody (samples,)."""

    description: str | None
    given: NDArray[np.int64] | None = None
    melody: NDArray[np.float32] | None = None


class BaseGenModel(ABC):
    """A model with the parameters of its next call; made by ``get_pretrained``.

    ``duration`` and ``extend_stride`` are in seconds; they and ``generation_params`` may be set like attributes, and
    are checked when something is generated.
    """

    def __init__(self, pretrained: PretrainedModel) -> None:
        if not isinstance(pretrained, PretrainedModel):
            raise ArgumentError(type(self).__name__, "is made by get_pretrained, also from a checkpoint's folder")
        self.name = pretrained.name
        self.compression_model = CompressionModel(pretrained.engine)
        self.max_duration: float = pretrained.engine.architecture.window_seconds
        self.duration: float = self.max_duration
        self.extend_stride: float = self.max_duration / 2
        self.generation_params: dict[str, Any] = {}
        self._pretrained, self._engine = pretrained, pretrained.engine
        self._progress_callback: StepCallback | None = None

    @classmethod
    def _open(cls, name: str | Path, device: object) -> Self:
        return cls(open_pretrained(name, device))

    @abstractmethod
    def set_generation_params(self, *args: Any, **kwargs: Any) -> None:
        """Set the generation parameters."""

    @property
    def frame_rate(self) -> float:
        """The number of steps per second of audio."""
        return self._engine.architecture.frame_rate

    @property
    def sample_rate(self) -> int:
        """The sample rate of the audio in Hz."""
        return self._engine.architecture.codec.sample_rate

    @property
    def audio_channels(self) -> int:
        """The number of channels of the audio."""
        return self._engine.architecture.audio_channels

    @property
    def device(self) -> Any:
        """The device of the results: the processor, as a ``torch.device`` where PyTorch is installed."""
        if not has_torch():
            return "cpu"
        import torch

        return torch.device("cpu")

    @property
    def lm(self) -> NoReturn:
        """Raise AttributeError: the network runs as a graph, which has no modules."""
        raise AttributeError(f"lm: {TRAINING}")

    @property
    def cfg(self) -> NoReturn:
        """Raise AttributeError: the settings of the training are not kept."""
        raise AttributeError(f"cfg: {TRAINING}")

    def set_custom_progress_callback(self, progress_callback: StepCallback | None = None) -> None:
        """Call this with the codes so far and the steps of the window when ``progress`` is set; None prints them."""
        self._progress_callback = progress_callback

    def generate_unconditional(self, num_samples: int, progress: bool = False, return_tokens: bool = False) -> Any:
        """Generate ``num_samples`` items without a text: see ``generate``."""
        if isinstance(num_samples, bool) or not isinstance(num_samples, int) or num_samples < 1:
            raise ArgumentError("num_samples", f"must be a whole number from 1, got {num_samples!r}")
        return self._generated([ConditionedItem(None)] * num_samples, progress, return_tokens)

    def generate(self, descriptions: Sequence[str | None], progress: bool = False, return_tokens: bool = False) -> Any:
        """Generate audio (batch, channels, samples) for a list of texts, as one batch.

        A text that is None or empty stands for none. With ``return_tokens``, returns the audio and its codes (batch,
        codebooks, frames). Raises ArgumentError.
        """
        return self._generated([ConditionedItem(text) for text in check_texts(descriptions)], progress, return_tokens)

    def generate_continuation(
        self, prompt: Tensor, prompt_sample_rate: int, descriptions: Sequence[str | None] | None = None,
        progress: bool = False, return_tokens: bool = False,
    ) -> Any:  # fmt: skip
        """Continue audio (batch, channels, samples), or (channels, samples) for one item: see ``generate``.

        The result begins with the prompt, decoded from its codes.
        """
        samples = to_samples(prompt, "prompt")
        if samples.ndim == 2:
            samples = samples[None]
        if samples.ndim != 3 or not samples.size:
            raise ArgumentError("prompt", f"must have the shape (batch, channels, samples), got {samples.shape}")
        check_rate("prompt_sample_rate", prompt_sample_rate)
        samples = converted(samples, prompt_sample_rate, self.sample_rate, self.audio_channels)
        texts = [None] * len(samples) if descriptions is None else check_texts(descriptions)
        if len(texts) != len(samples):
            raise ArgumentError("descriptions", f"must be as many as the prompts, {len(samples)}, got {len(texts)}")
        given = [self.compression_model.codes_of(one) for one in samples]
        items = [ConditionedItem(text, codes) for text, codes in zip(texts, given, strict=True)]
        return self._generated(items, progress, return_tokens)

    def generate_audio(self, gen_tokens: Tensor) -> Tensor:
        """Decode codes (batch, codebooks, frames) to audio (batch, channels, samples). Raises ArgumentError."""
        return self.compression_model.decode(gen_tokens)

    def _set_params(
        self, use_sampling: bool, top_k: int, top_p: float, temperature: float, duration: float, cfg_coef: float,
        two_step_cfg: bool, extend_stride: float,
    ) -> None:  # fmt: skip
        if not extend_stride < self.max_duration:
            problem = f"must be below the {self.max_duration:g} s that the model was trained on, got {extend_stride!r}"
            raise ArgumentError("extend_stride", problem)
        self.extend_stride, self.duration = extend_stride, duration
        self.generation_params = {
            "use_sampling": use_sampling, "temp": temperature, "top_k": top_k, "top_p": top_p, "cfg_coef": cfg_coef,
            "two_step_cfg": two_step_cfg,
        }  # fmt: skip

    def _generated(self, items: Sequence[ConditionedItem], progress: bool, return_tokens: bool) -> Any:
        # The engine's modules take a third of a second to import, which only this call needs.
        from tunesmith.audiocraft.generation import GenerationParams, ProgressSteps, make_requests, run_batch

        params = GenerationParams.checked(
            self.generation_params, self.duration, self.extend_stride, self._engine.architecture
        )
        requests = make_requests(self._engine, items, draw_seeds(len(items)), params)
        steps = ProgressSteps(requests[0], self._engine.architecture, self._progress_callback)
        codes: NDArray[np.int64] = np.stack(run_batch(self._engine, requests, steps if progress else _ignore))
        audio = to_tensor(self.compression_model.samples_of(codes))
        return (audio, to_tensor(codes)) if return_tokens else audio


def check_texts(descriptions: object) -> list[str | None]:
    """Return a list of texts, None for no text. Raises ArgumentError for one text, an empty list, or anything else."""
    if isinstance(descriptions, str):
        raise ArgumentError("descriptions", f"must be a list of texts, got one text: write [{descriptions[:40]!r}]")
    if isinstance(descriptions, Mapping) or not isinstance(descriptions, Iterable):
        raise ArgumentError("descriptions", f"must be a list of texts, got {type(descriptions).__name__}")
    texts = list(descriptions)
    if not texts:
        raise ArgumentError("descriptions", "must be at least one text, got an empty list")
    for text in texts:
        if text is not None and not isinstance(text, str):
            raise ArgumentError("descriptions", f"must be texts or None, got {type(text).__name__}")
    return texts


def _ignore(_done: int, _total: int) -> None:
    """Report nothing."""
