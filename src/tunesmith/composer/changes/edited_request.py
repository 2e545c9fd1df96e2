"""A change of a piece by words and fields: the new request, and what changed and why.

edit_request(request, words, fields) -> EditedRequest: pure, and without sound. The seed and all that is not named stay:
what the change would move by the way, such as a tempo that the mood has moved, is fixed in the new request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tunesmith.composer.changes.clauses import ChangeText, read_clauses
from tunesmith.composer.changes.instructions import read_instructions
from tunesmith.composer.changes.kept import with_kept
from tunesmith.composer.changes.moved_edits import moved_edits
from tunesmith.composer.changes.request_state import RequestState
from tunesmith.composer.changes.text_change import change_of_text
from tunesmith.composer.changes.updates import RequestUpdates, updates_of
from tunesmith.composer.changes.values import RequestChange, differences
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS
from tunesmith.request import ADDING, GenerationRequest, without_plus

MAX_WORDS_CHARACTERS = MAX_CHARACTERS["prompt"]
"""The most characters of the words of one change."""
_JOINING = ("instruments", "without", "balance", "production", "ambience", "score_edits")


@dataclass(frozen=True, slots=True)
class EditedRequest:
    """A changed request: ``changes`` say what, ``not_understood`` are words that nothing explains, and ``notes`` say
    what is understood and cannot be done."""

    request: GenerationRequest
    changes: tuple[RequestChange, ...]
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the changes, the unexplained words and the notes as plain JSON values."""
        return {
            "changes": [asdict(change) for change in self.changes],
            "not_understood": list(self.not_understood),
            "notes": list(self.notes),
        }

    def with_seed(self, seed: int) -> EditedRequest:
        """Return the same change of the music of another seed."""
        return replace(self, request=self.request.of_seed(seed))

    def check_anything(self, words: str) -> EditedRequest:
        """Return this change; raise InvalidRequest for words of which none changes anything."""
        if words and not self.changes:
            why = "; ".join(self.notes) or f"not understood: {', '.join(map(repr, self.not_understood)) or repr(words)}"
            raise InvalidRequest("words", f"change nothing: {why}")
        return self


def edit_request(request: GenerationRequest, words: str = "", fields: Mapping[str, Any] | None = None) -> EditedRequest:
    """Return a request changed by words, in the seven languages of prompts, and by fields of a request.

    The request has a seed. Raises InvalidRequest for words that contradict each other or a field, and for impossible
    values; UnknownName for names that do not exist.
    """
    words, given = words.strip(), _checked_fields(fields or {})
    if len(words) > MAX_WORDS_CHARACTERS:
        raise InvalidRequest("words", f"must be at most {MAX_WORDS_CHARACTERS} characters, got {len(words)}")
    if request.score is not None:
        if words or given:
            raise InvalidRequest("score", "is changed as a document: tunesmith score edit FILE, or an editor")
        return EditedRequest(request.with_seed(0), ())
    request = request.with_seed(0)
    if _is_relative(given.get("mood")):
        words = ", ".join(filter(None, [words, given.pop("mood")]))
    text = read_clauses(words) if words else None
    if request.model != "composer" and not request.follows_composer:
        new, notes = change_of_text(request, words, text)
        new = new.changed(**given)
        return EditedRequest(new, differences(request, new, words), (), notes)
    return _composed(request, text, given)


def _checked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields by their own names, validated; raise InvalidRequest that names the first invalid one."""
    if "prompt" in fields or "model" in fields:
        name = "prompt" if "prompt" in fields else "model"
        raise InvalidRequest(name, "cannot be changed; generate another piece instead")
    valid = GenerationRequest.checked(prompt="a change", **fields)
    return {name: getattr(valid, name) for name in valid.model_fields_set - {"prompt"}}


def _is_relative(mood: Any) -> bool:
    """Return whether a mood is a change, as ``happier`` is, rather than a mood of its own."""
    if not isinstance(mood, str) or understand(mood).mood is not None:
        return False
    found = read_instructions(read_clauses(mood))
    return bool(found) and all(one.field == "mood" for one in found)


def _composed(request: GenerationRequest, text: ChangeText | None, given: Mapping[str, Any]) -> EditedRequest:
    before = RequestState.of(request)
    updates = updates_of(before, read_instructions(text) if text else ())
    for name, value in given.items():
        if name in updates.touched and name not in _JOINING and updates.values[name] != value:
            raise InvalidRequest(name, f"is {value!r} here, and the words say {updates.because(name)!r}; give only one")
    new = request.changed(**{**updates.values, **_joined(updates, given)})
    after, followed = with_kept(before, new, {*updates.touched, *given})
    after = _with_moved_edits(before, after, given, followed)
    unknown = text.unknown if text else ()
    notes = (*updates.notes, *updates.unmoved(after), *(text.parsed.unsupported.warnings if text else ()))
    changes = updates.changes(after, given, followed)
    return EditedRequest(after.request, changes, unknown, tuple(dict.fromkeys(notes)))


def _with_moved_edits(
    before: RequestState, after: RequestState, given: Mapping[str, Any], followed: dict[str, str]
) -> RequestState:
    """Return the state with the chords of its score edits in the new key, unless they are new themselves."""
    edits = before.request.score_edits
    if not edits or "score_edits" in given or after.brief.key == before.brief.key:
        return after
    moved = moved_edits(edits, before.brief.key, after.brief.key)
    if moved != edits:
        followed["score_edits"] = "their chords move with the key"
    return RequestState.of(after.request.changed(score_edits=moved))


def _joined(updates: RequestUpdates, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields given; players and levels join those that the request and the words name already."""
    fields = dict(given)
    for name in _JOINING:
        added = given.get(name)
        # A list of instruments without a plus takes the place of the others, as in a new request.
        if added and (name != "instruments" or all(one.startswith(ADDING) for one in added)):
            fields[name] = tuple(dict.fromkeys((*updates.get(name), *added)))
    gone = {one.lower() for one in given.get("without", ())}
    if gone and "instruments" not in given and updates.get("instruments"):
        fields["instruments"] = tuple(n for n in updates.get("instruments") if without_plus(n).lower() not in gone)
    return fields
