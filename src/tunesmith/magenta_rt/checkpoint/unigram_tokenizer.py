"""The unigram encoding of a SentencePiece model, written as a ``tokenizer.json``.

A text is normalized, its spaces become SPACE, and of all ways to cut it into pieces the most probable one is taken
(Kudo, 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.sentencepiece_file import (
    BYTE,
    CONTROL,
    NORMAL,
    SPACE,
    UNIGRAM,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    ExpectedSetting,
    SentencepieceVocabulary,
    read_sentencepiece,
)

if TYPE_CHECKING:
    from tokenizers import normalizers

SETTINGS = (
    ExpectedSetting("trainer_spec.model_type", 3, 1, UNIGRAM),
    ExpectedSetting("trainer_spec.treat_whitespace_as_suffix", 24, 0, 0),
    ExpectedSetting("normalizer_spec.escape_whitespaces", 5, 1, 1),
)
# Numbers of fields in sentencepiece_model.proto: three of the normalizer, one of the trainer.
CHARACTER_MAP, ADD_DUMMY_PREFIX, REMOVE_EXTRA_WHITESPACES, BYTE_FALLBACK = 2, 3, 4, 35
UNREACHABLE = " "
"""Put before pieces that no text may become: a normalized text has no plain space."""


def write_unigram_tokenizer(path: Path, target: Path, vocabulary_size: int) -> None:
    """Write the SentencePiece model ``path`` as ``tokenizer.json`` to ``target``.

    Raises ModelFileError if it is broken, of another kind, or has more pieces than the text encoder knows.
    """
    # Loads a library in Rust, which reading the weights does without.
    from tokenizers import Tokenizer, models

    read = read_sentencepiece(path.read_bytes(), path.name)
    read.check_settings(path.name, SETTINGS)
    read.check_types(path.name, (NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE))
    if len(read.entries) > vocabulary_size:
        problem = f"has {len(read.entries)} pieces, but the text encoder knows {vocabulary_size}"
        raise ModelFileError(path.name, problem)
    unknown = [number for number, entry in enumerate(read.entries) if entry.type == UNKNOWN]
    if len(unknown) != 1:
        raise ModelFileError(path.name, f"must have one piece for the unknown, got {len(unknown)}")
    has_bytes = bool(read.training.get(BYTE_FALLBACK, 0))
    tokenizer = Tokenizer(models.Unigram(list(_scored(read)), unknown[0], byte_fallback=has_bytes))
    tokenizer.normalizer = _normalizer(read, path.name)
    tokenizer.save(str(target))


def _scored(read: SentencepieceVocabulary) -> Iterator[tuple[str, float]]:
    """Yield the pieces with their scores, in the order of their ids."""
    most = max((entry.score for entry in read.entries if entry.type == NORMAL), default=0.0)
    for entry in read.entries:
        if entry.type in (CONTROL, UNUSED, UNKNOWN):
            yield UNREACHABLE + entry.text, entry.score
        elif entry.type == USER_DEFINED:
            # As SentencePiece scores them, so that no cut of their letters is more probable.
            yield entry.text, len(entry.text) * most - 0.1
        else:
            yield entry.text, entry.score


def _normalizer(read: SentencepieceVocabulary, file: str) -> normalizers.Normalizer:
    from tokenizers import Regex, normalizers

    steps: list[normalizers.Normalizer] = []
    character_map = read.normalizer.get(CHARACTER_MAP, b"")
    if character_map:
        try:
            if not isinstance(character_map, bytes):
                raise TypeError("it is a number")
            steps.append(normalizers.Precompiled(character_map))
        # The library raises no exception class of its own.
        except Exception as error:
            raise ModelFileError(file, f"its map of characters is broken: {error}") from None
    removes_spaces = read.normalizer.get(REMOVE_EXTRA_WHITESPACES, 1)
    if removes_spaces:
        steps += [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Replace(Regex(r"\A | \z"), "")]
    if read.normalizer.get(ADD_DUMMY_PREFIX, 1):
        steps.append(normalizers.Prepend(" "))
    steps.append(normalizers.Replace(" ", SPACE))
    if removes_spaces:
        # A text may end with the sign itself.
        steps.append(normalizers.Replace(Regex(rf"{SPACE}+\z"), ""))
    return normalizers.Sequence(steps)
