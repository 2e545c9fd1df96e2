"""Names of AudioCraft that are not supported: each raises an ImportError that says so and what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

PACKAGE = "tunesmith.audiocraft"
TRAINING = "this is for training and for taking models apart, and Tunesmith only runs them: use Meta's audiocraft"
DIFFUSION = "the diffusion decoder is not here: leave the import out and use the sound of generate"
MAGNET = "MAGNeT is not here: use MusicGen, or AudioGen for sound effects"
JASCO = "JASCO is not here: use MusicGen with generate_with_chroma, or the composer for exact chords and drums"
STYLE = "the style models are not here: use MusicGen with generate_with_chroma"
LOADERS = (
    "checkpoints are loaded as a whole: use MusicGen.get_pretrained or AudioGen.get_pretrained, also with a folder"
)
CODECS = "codecs are not here by themselves: use the compression_model of a MusicGen or AudioGen"

UNSUPPORTED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "adversarial", "grids", "losses", "metrics", "modules", "optim", "quantization", "solvers", "train",
                "environment", "data.audio_dataset", "data.info_audio_dataset", "data.music_dataset",
                "data.sound_dataset", "data.zip", "data.jasco_dataset", "models.builders", "models.lm",
                "models.LMModel", "utils.autocast", "utils.best_state", "utils.cache",
                "utils.checkpoint", "utils.cluster", "utils.deadlock", "utils.export", "utils.export_legacy",
                "utils.profiler", "utils.samples", "utils.utils", "models.watermark",
            ),
            TRAINING,
        ),
        **dict.fromkeys(
            ("models.multibanddiffusion", "models.MultiBandDiffusion", "models.unet", "models.DiffusionUnet"), DIFFUSION
        ),
        **dict.fromkeys(
            ("models.magnet", "models.MAGNeT", "models.lm_magnet", "models.MagnetLMModel"), MAGNET
        ),
        **dict.fromkeys(("models.jasco", "models.JASCO"), JASCO),
        **dict.fromkeys(("models.loaders",), LOADERS),
        **dict.fromkeys(
            (
                "models.EncodecModel", "models.DAC", "models.HFEncodecModel", "models.HFEncodecCompressionModel",
                "models.encodec.EncodecModel", "models.encodec.DAC", "models.encodec.HFEncodecModel",
                "models.encodec.HFEncodecCompressionModel", "models.encodec.InterleaveStereoCompressionModel",
            ),
            CODECS,
        ),
    }
)  # fmt: skip
"""What to use instead, by the name below ``audiocraft``; a package stands for all modules in it."""


def reason(name: str) -> str | None:
    """Return why a name below ``audiocraft`` is not here, or None if it is unknown."""
    parts = name.split(".")
    stems = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((UNSUPPORTED[stem] for stem in stems if stem in UNSUPPORTED), None)


def refuse(name: str) -> NoReturn:
    """Raise the ImportError of a name below ``audiocraft``."""
    problem = reason(name) or "Tunesmith has no such name: docs/audiocraft.md lists all"
    raise ImportError(f"audiocraft.{name}: {problem}", name=f"audiocraft.{name}")


def attribute_finder(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module, which refuses the absent names of AudioCraft."""
    place = module.removeprefix(PACKAGE).lstrip(".")

    def find(name: str) -> Any:
        full = f"{place}.{name}" if place else name
        if reason(full):
            refuse(full)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return find
