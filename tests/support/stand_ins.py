"""Small stand-ins for a checkpoint and its conversion, for tests of what happens around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.models.families.family import ModelSummary
from tunesmith.models.families.musicgen import summarize
from tunesmith.models.integrity import digest_folder
from tunesmith.models.manifest import Manifest, Source, write_manifest
from tunesmith.models.store import InstalledModel, Store
from tunesmith.musicgen.architecture import Architecture, CodecShape, TransformerShape
from tunesmith.musicgen.model_folder import write_architecture
from tunesmith.neural.t5 import T5Shape

TINY = Architecture(
    decoder=TransformerShape(hidden_size=128, num_layers=2, num_heads=2, ffn_size=512, num_codebooks=4),
    text_encoder=T5Shape(32, 2, 2, 16, 64, vocabulary_size=128),
    codec=CodecShape(32000, (8, 5, 4, 4), num_filters=4, latent_size=16, num_codebooks=4, codebook_size=2048),
    delays=(0, 1, 2, 3),
)


def write_stand_in(folder: Path, *, kibibytes: int = 64, model_type: str = "musicgen") -> Path:
    """Write what looks like a checkpoint in Hugging Face's layout from outside."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 4 * kibibytes)
    return folder


@dataclass
class CopyingConverter:
    """Copies the weights; ``lacks`` are the companions it asks for, ``fails`` is raised after half of the work.

    ``unusable`` is raised when the model is tried out.
    """

    lacks: tuple[str, ...] = ()
    fails: BaseException | None = None
    unusable: BaseException | None = None

    def tools(self) -> dict[str, Any]:
        """Return its methods as the fields of PullTools."""
        return {"find_companions": self.companions, "convert": self.convert, "try_out": self.try_out}

    def companions(self, folder: Path) -> tuple[str, ...]:
        """Return what the test said is lacking."""
        return self.lacks if folder.is_dir() else ()

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> ModelSummary:  # fmt: skip
        """Copy the weights of the checkpoint and of its companions."""
        for number, source in enumerate((folder, *companions.values())):
            for weights in sorted([*source.glob("*.safetensors"), *source.glob("*.bin")]):
                (target / f"{number}-{weights.name}").write_bytes(weights.read_bytes())
        progress(0.5)
        if self.fails:
            raise self.fails
        write_architecture(target, TINY)
        (target / "quantization").write_text(quantization, encoding="utf-8")
        progress(1.0)
        return summarize(TINY)

    def try_out(self, folder: Path, manifest: Manifest) -> None:  # noqa: ARG002
        """Raise ``unusable`` where the test said so."""
        if self.unusable:
            raise self.unusable


def install(store: Store, name: str, content: bytes = b"weights", *, licence: str = "mit") -> InstalledModel:
    """Put a model into the store whose one graph is ``content``."""
    with store.building(name) as folder:
        (folder / "decoder").write_bytes(content)
        write_architecture(folder, TINY)
        manifest = Manifest(
            name=name, source=Source("org/x", "c0ffee" * 6 + "c0de"), licence=licence,
            quantization="int8", parameters=420_000_000, sizes=summarize(TINY).sizes, files=digest_folder(folder),
            tunesmith="0.1.0", created="2030-01-02T03:04:05+00:00",
        )  # fmt: skip
        write_manifest(manifest, folder)
    return store.get(name)


BROKEN = ModelFileError("model.safetensors", "is broken")
