"""Fields of GenerationRequest in every API: their OpenAPI schemas, and those that vendors' bodies may have too."""

from __future__ import annotations

import copy
import functools
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict

from tunesmith.field_names import FIELD_ALIASES, field_for
from tunesmith.fields import MAX_CHARACTERS, GivenFields, checked
from tunesmith.request import PATHS, GenerationRequest, Hit
from tunesmith.server.apis.request_body import documented

ABOUT: Mapping[str, str] = {
    "prompt": "Description of the music: genre, mood, instruments, tempo.",
    "model": "composer, or a name from GET /api/models.",
    "seed": "The same request with the same seed gives the same bytes; -1 or null draws one.",
    "duration": "Length in seconds, or text such as 1:30.",
    "bars": "Length in bars.",
    "tempo_bpm": "Beats per minute; also accepted as bpm or tempo.",
    "key": "Such as A minor or D dorian.",
    "meter": "Such as 4/4 or 6/8.",
    "genre": "A genre of the composer's, such as lofi or bossa_nova.",
    "instruments": "Instruments to use; +violin adds one to the band and changes no other.",
    "without": "Instruments, effects and background sounds to avoid.",
    "mood": "Such as happy or calm, or valence and arousal from -1 to 1, such as 0.6 -0.2; genre and band stay.",
    "form": "The form of the piece.",
    "loop": "Whether the audio loops without a seam.",
    "production": "Production effects, such as spacious, dry, tape or vinyl.",
    "ambience": "Background sounds, such as rain or birds.",
    "balance": "Levels in dB, of players or of all, also from A to B percent: drums=3, all=4@50-100.",
    "intro": "No intro, a short or a long one.",
    "intensity": "Intensity of the music, 0 to 1.",
    "lock": "Decisions kept from another seed: melody=7; melody, chords, band, groove, tempo, key, form, genre, meter.",
    "score_edits": "Edits of the score, one after the other: chord 5=Fm7; sections intro A A=8 outro; transpose 2.",
    "hits": "Times in seconds at which a first beat must fall.",
    "loudness_lufs": "Integrated loudness of the file.",
    "sample_rate": "Hz.",
    "mono": "Whether the file has one channel.",
    "negative_prompt": "What to avoid in the music; for neural models.",
    "guidance_scale": "How closely to follow the prompt; for neural models.",
    "temperature": "Sampling temperature; for MusicGen and Magenta RealTime.",
    "top_k": "Sample from the k most likely tokens; for MusicGen and Magenta RealTime.",
    "top_p": "Sample from the most likely tokens up to this cumulative probability; for MusicGen and Magenta RealTime.",
    "steps": "Steps of the sampler; for diffusion models such as Stable Audio.",
    "ending": "big, soft or fade for the composer; natural or cut for Stable Audio.",
    "strength": "How far to change the audio, 0 to 1, or redress, reimagine or inspired; for Stable Audio.",
    "schedule": "The noise schedule where there is a strength, or the sampler of diffusers; for Stable Audio.",
    "guide": "The composer writes the piece, and the model makes its sound anew.",
    "keep_stems": "Roles of the composer's own stems that are laid over the model's sound; with guide or perform.",
    "perform": "The composer writes the piece, a model that plays notes performs it, and the drums stay.",
    "performances": "Performances to make, of which the one with most of the notes is kept; with perform. Usually 3.",
    "accompany": "Whether the model may add notes of its own; with perform.",
    "snap_tempo": "Take the nearest tempo whose sixteenths are whole frames of the model; with perform.",
    "lead_frames": "Give the model every note so many frames of 40 ms earlier; with perform.",
    "repaint": "Regions of the audio to make anew, in seconds, such as 4-8,16-20; for Stable Audio.",
}  # fmt: skip


IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "maxLength": MAX_CHARACTERS["idempotency_key"]},
    "description": "A key that the caller chooses: the same request with the same key is the same job.",
}  # fmt: skip


def music_fields(names: Collection[str]) -> dict[str, Any]:
    """Return the schemas of fields of GenerationRequest, by name; the caller may change them."""
    known = _request_schemas()
    return {name: {**copy.deepcopy(known[name]), "description": ABOUT[name]} for name in names}


# Pydantic takes 5 ms for it, and nine descriptions need it whenever a server starts.
@functools.cache
def _request_schemas() -> Mapping[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = GenerationRequest.model_json_schema()["properties"]
    hits = {key: value for key, value in known["hits"].items() if key != "anyOf"}
    items = {**known["hits"]["anyOf"][0], "items": _without_docstring(Hit.model_json_schema())}
    return {**known, "hits": {**hits, "anyOf": [items, {"type": "null"}]}}


def _without_docstring(schema: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word != "description"}


SET_BY_VENDOR_FIELDS = ("prompt", "model", "sample_rate", "mono")
"""Fields that the vendor's own fields and formats decide."""
EXTENSIONS = tuple(name for name in GenerationRequest.model_fields if name not in (*PATHS, *SET_BY_VENDOR_FIELDS))


class ForeignBody(GivenFields):
    """A request body of a vendor: the vendor's fields, our ``EXTENSIONS``, and unknown fields, which are ignored.

    ``THEIR_NAMES`` maps names of the vendor's fields to ours.
    """

    # Vendors add fields at any time, and their clients must keep working.
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    THEIR_NAMES: ClassVar[Mapping[str, str]] = {}

    def music(self, fields: Mapping[str, Any], **decided: Any) -> GenerationRequest:
        """Return the request for music from the vendor's fields (``fields``), the API's choices (``decided``) and ours.

        Raises InvalidRequest, which names a field as the body does.
        """
        ours = {name: value for name, value in (self.model_extra or {}).items() if field_for(name, EXTENSIONS)}
        aliases = {**FIELD_ALIASES, **self.THEIR_NAMES}
        return checked(GenerationRequest, {**decided, **fields, **ours}, aliases=aliases)


def documented_with_extensions(kind: type[ForeignBody]) -> dict[str, Any]:
    """Return the OpenAPI description of a body with its extensions."""
    fields = {FIELD_ALIASES.get(name, name) for name in (*kind.model_fields, *kind.THEIR_NAMES.values())}
    return documented(kind, **music_fields([name for name in EXTENSIONS if name not in fields]))
