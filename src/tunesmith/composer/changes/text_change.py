"""A change for models that read only text: the words become part of the prompt."""

from __future__ import annotations

from typing import Any

from tunesmith.composer.changes.clauses import ChangeText
from tunesmith.composer.changes.instructions import Instruction, read_instructions
from tunesmith.composer.theory import Key
from tunesmith.request import GenerationRequest


def change_of_text(
    request: GenerationRequest, words: str, text: ChangeText | None
) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Return a request with the words added to its prompt, and what cannot be kept or done.

    Tempo, key, meter and length in the words become the fields of that name, where the request or the words say
    a definite one. Raises InvalidRequest for words that contradict each other.
    """
    if text is None:
        return request, ()
    fields: dict[str, Any] = {"prompt": f"{request.prompt}, {words}"}
    for one in read_instructions(text):
        fields |= _definite(request, one)
    note = f"{request.model} reads the words as part of its prompt: it makes the music anew and keeps only the seed"
    return request.changed(**fields), (note,)


def _definite(request: GenerationRequest, one: Instruction) -> dict[str, Any]:
    if one.field == "tempo" and one.action == "set":
        return {"tempo_bpm": one.amount}
    if one.field == "tempo" and request.tempo_bpm is not None:
        return {"tempo_bpm": float(round(request.tempo_bpm * one.amount))}
    if one.field == "duration" and one.action == "set":
        return {"duration": one.amount}
    if one.field == "duration" and request.duration is not None:
        return {"duration": float(round(request.duration * one.amount))}
    if one.field == "meter":
        return {"meter": one.name}
    if one.field == "key" and one.action == "set" and one.amount >= 0:
        return {"key": str(Key(int(one.amount), one.name or "major"))}
    return {}
