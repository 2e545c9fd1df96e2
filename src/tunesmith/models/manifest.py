"""Manifest: the identity of an installed model: its source, licence, architecture and file digests."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.files import atomic_write
from tunesmith.licences import LicenceTerms, terms_of
from tunesmith.neural.quantization_check import QuantizationCheck

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file of a model: its path in the model's folder, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


LIVE_KINDS = frozenset(["magenta-rt"])
"""The families whose models play live streams."""
SAMPLING_FIELDS = ("guidance_scale", "temperature", "top_k", "top_p")
"""The fields of a request that set how a model draws its tokens."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a model: a repository at a commit, or a folder, whose ``revision`` is None."""

    location: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the source in one line."""
        return f"{self.location} at {self.revision[:12]}" if self.revision else self.location


@dataclass(frozen=True, slots=True)
class Sizes:
    """The dimensions of an architecture, as shown to users; ``kind`` names its family, ``sample_rate`` is in Hz.

    Models that write codes have ``num_codebooks``; those that write latents have ``latent_channels`` and a longest
    piece, ``max_seconds``. ``continues`` means that the model goes on from a recording.
    """

    kind: str
    hidden_size: int
    num_layers: int
    num_heads: int
    num_codebooks: int | None
    audio_channels: int
    sample_rate: int
    melody: bool
    latent_channels: int | None = None
    max_seconds: float | None = None
    continues: bool = True

    @property
    def counted(self) -> str:
        """The network whose parameters the manifest counts."""
        return "decoder" if self.num_codebooks else "diffusion transformer"

    @property
    def abilities(self) -> tuple[str, ...]:
        """What the model does with a recording: ``continue``, ``melody`` (follow it), ``redress`` and ``repaint``."""
        if not self.continues:
            return ()
        if self.num_codebooks:
            return ("continue", "melody") if self.melody else ("continue",)
        return ("continue", "redress", "repaint")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a request that set how the model makes a sound, besides its text, length and seed."""
        if self.kind in LIVE_KINDS:
            return (*SAMPLING_FIELDS, "bars", "loop")
        if self.num_codebooks:
            return (*SAMPLING_FIELDS, "negative_prompt")
        return ("guidance_scale", "steps", "negative_prompt", "bars", *(("loop",) if self.continues else ()))

    @property
    def plays_live(self) -> bool:
        """Whether the model plays live streams."""
        return self.kind in LIVE_KINDS

    def __str__(self) -> str:
        """Return the dimensions in one line."""
        channels = "stereo" if self.audio_channels == 2 else "mono"
        melody = ", follows melodies" if self.melody else ""
        written = f"{self.num_codebooks} codebooks" if self.num_codebooks else f"{self.latent_channels} latent channels"
        longest = f", up to {self.max_seconds:.0f} s" if self.max_seconds else ""
        return (
            f"{self.kind}: {self.num_layers} layers of {self.hidden_size}, {self.num_heads} heads, "
            f"{written}, {self.sample_rate} Hz {channels}{melody}{longest}"
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a model; ``created`` is a UTC time in ISO 8601.

    ``self_check`` is what the pull measured of the quantized model; None where nothing was quantized. ``notice`` names
    whose the weights are and what was changed, where the licence asks those who share them to say so; ``remark`` says
    what the published files lacked.
    """

    name: str
    source: Source
    licence: str
    quantization: str
    parameters: int
    sizes: Sizes
    files: tuple[FileDigest, ...]
    tunesmith: str
    created: str
    self_check: QuantizationCheck | None = None
    notice: str = ""
    remark: str = ""

    @property
    def terms(self) -> LicenceTerms:
        """The terms of the licence, as this version of Tunesmith knows them."""
        return terms_of(self.licence)

    @property
    def bytes(self) -> int:
        """Size of all files in bytes."""
        return sum(file.bytes for file in self.files)

    @property
    def largest_file(self) -> int:
        """Size of the largest file in bytes, which is a graph with its weights."""
        return max((file.bytes for file in self.files), default=0)

    @property
    def needs_gpu(self) -> bool:
        """Whether the model is in the format that only the GPU runner reads."""
        # The table of forms imports NumPy, which listing the models does without.
        from tunesmith.neural.quantization import FOR_GPU

        return self.quantization == FOR_GPU

    @property
    def digest(self) -> str:
        """The SHA-256 over the names and digests of all files: equal for equal models."""
        # The format of sha256sum.
        lines = "".join(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        return {"format": FORMAT, **dataclasses.asdict(self), "commercial_use": self.terms.is_free}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Manifest:
        """Parse the output of ``to_json``. Raises ValueError, TypeError or KeyError for anything else."""
        fields = dict(values)
        # A later version may give the same fields another meaning.
        version = fields.pop("format")
        if version != FORMAT:
            raise ValueError(f"format: must be {FORMAT}, got {version!r}")
        # Read from the licence instead: a later version may know more licences.
        fields.pop("commercial_use")
        fields["source"] = Source(**fields["source"])
        fields["sizes"] = Sizes(**fields["sizes"])
        check = fields.get("self_check")
        fields["self_check"] = QuantizationCheck(**check) if check else None
        fields["files"] = tuple(FileDigest(**file) for file in fields["files"])
        return cls(**fields)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a model's folder. Raises ModelFileError if it is missing or broken."""
    path = folder / MANIFEST
    try:
        return Manifest.from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise ModelFileError(str(path), "is missing; this is not an installed model") from None
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFileError(str(path), f"is not a manifest of this version of Tunesmith: {error}") from None


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest atomically, after all files that it names: a folder with a manifest is complete."""
    with atomic_write(folder / MANIFEST) as file:
        file.write(json.dumps(manifest.to_json(), indent=1).encode())
        file.flush()
        # Before the rename, or a power cut could leave an empty file under the manifest's name.
        os.fsync(file.fileno())
