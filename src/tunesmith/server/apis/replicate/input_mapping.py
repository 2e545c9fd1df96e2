"""The mapping of a prediction's ``input`` to a GenerationRequest."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import AudioFileError, InvalidRequest
from tunesmith.fields import field_for
from tunesmith.models.catalog import find_pullable
from tunesmith.request import MAX_RAW_PROMPT_CHARACTERS, GenerationRequest
from tunesmith.server.apis.replicate.input_schema import ALIASES, FIELDS, checked_fields, unknown_fields
from tunesmith.server.apis.replicate.model_versions import META_MUSICGEN

SAMPLE_RATE = 32_000
"""The sample rate in Hz of every response of this API: MusicGen's."""

_MAX_SEED = 2**31
_SHOWN_CHARACTERS, _SHOWN_ADDRESS_CHARACTERS = 256, 2_048
_PASSED_ON = {
    "top_k": "top_k", "top_p": "top_p", "temperature": "temperature", "classifier_free_guidance": "guidance_scale",
    "negative_prompt": "negative_prompt", "bpm": "tempo_bpm", "key": "key", "loop": "loop",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MusicInput:
    """A validated input: ``fields`` by their present names, ``notes`` for the caller about ignored fields.

    ``seed`` is the given one, or a random one.
    """

    fields: Mapping[str, Any]
    notes: tuple[str, ...]
    seed: int

    @property
    def source(self) -> str | None:
        """The URL of the recording to follow or continue, or None."""
        source: str | None = self.fields.get("input_audio")
        return source or None

    @property
    def format(self) -> str:
        """The format of the output file, without a dot."""
        chosen: str = self.fields.get("output_format", FIELDS["output_format"].default)
        return chosen

    def model(self, asked: str) -> str:
        """Return the model's name; for meta/musicgen, ``model_version`` selects it."""
        version = self.fields.get("model_version")
        return f"facebook/musicgen-{version}" if asked == META_MUSICGEN and version else asked

    def request(self, model: str, recording: Path | None) -> GenerationRequest:
        """Return the request for a model. Raises InvalidRequest.

        ``recording`` is the source as a file, trimmed to the part to continue, if any; reading it blocks.
        """
        duration = float(self.fields.get("duration", FIELDS["duration"].default))
        continues = recording is not None and self.fields.get("continuation", False)
        wishes = {ours: self.fields[name] for name, ours in _PASSED_ON.items() if name in self.fields}
        version = self.fields.get("model_version", FIELDS["model_version"].default)
        if recording and continues:
            from tunesmith.audio.reader import read_audio

            # Replicate's duration counts the new audio only, ours the whole file.
            duration += read_audio(recording).duration
        return GenerationRequest.checked(
            prompt=self.fields["prompt"], model=model, seed=self.seed, sample_rate=SAMPLE_RATE,
            duration=duration, mono=_is_mono(model, version), audio=recording if continues else None,
            # A recording is either continued or followed, as in Replicate's model.
            melody=None if continues else recording, **wishes,
        )  # fmt: skip


def read_input(given: Mapping[str, Any], idempotency_key: str | None = None) -> MusicInput:
    """Validate an input. Raises InvalidInput. With an idempotency key, an open seed is the same for every retry."""
    fields = checked_fields(given)
    seed = fields.get("seed", 0)
    # Replicate's API takes null, -1 and 0 as a random seed.
    if seed <= 0:
        drawn = secrets.token_bytes(8) if idempotency_key is None else idempotency_key.encode()
        # Never 0, which would mean a random seed again.
        seed = int.from_bytes(hashlib.sha256(drawn).digest()[:8], "big") % (_MAX_SEED - 1) + 1
    return MusicInput(fields, tuple(_notes(given, fields)), seed)


def shown_input(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input as responses show it: long values, such as data URIs, are truncated."""
    return {name: _shown(name, value) for name, value in given.items()}


def cut_for_continuation(source: Path, fields: Mapping[str, Any], target: Path) -> Path:
    """Write the part of a recording to continue to ``target``.

    Raises InvalidRequest if the part is empty or the recording unreadable.
    """
    from tunesmith.audio.edit import trim
    from tunesmith.audio.reader import read_audio
    from tunesmith.audio.writer import write_audio

    start, end = float(fields.get("continuation_start", 0)), fields.get("continuation_end", -1)
    try:
        part = trim(read_audio(source), start, None if end < 0 else float(end))
    except InvalidRequest as error:
        raise InvalidRequest("continuation_start", error.problem) from None
    except AudioFileError:
        raise InvalidRequest("input_audio", "is not a sound file that can be read") from None
    return write_audio(part, target)


def _is_mono(model: str, version: str) -> bool:
    """Return whether the requested model is a mono variant of MusicGen; other models keep their own channels."""
    name = model if model != META_MUSICGEN else version
    return find_pullable(model) is not None and "stereo" not in name


def _notes(given: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    notes = unknown_fields(given)
    if fields.get("multi_band_diffusion"):
        notes.append("multi_band_diffusion is not available here: EnCodec decodes")
    if fields.get("normalization_strategy", "loudness") != "loudness":
        notes.append("normalization_strategy: only loudness is available here")
    return notes


def _shown(name: str, value: Any) -> Any:
    """Return a value, truncated unless it is the text or the URL of a known field."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    field = FIELDS.get(field_for(name, FIELDS, ALIASES) or name)
    most = _SHOWN_CHARACTERS
    if field and field.max_characters:
        most = MAX_RAW_PROMPT_CHARACTERS
    if field and field.is_file and text[:5].lower() != "data:":
        most = _SHOWN_ADDRESS_CHARACTERS
    return value if len(text) <= most else f"{text[:most]}…"
