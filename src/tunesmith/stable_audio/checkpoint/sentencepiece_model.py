"""The byte-pair encoding of a SentencePiece model, written as a ``tokenizer.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.neural.checkpoint.sentencepiece_file import (
    BYTE,
    BYTE_PAIRS,
    CONTROL,
    NORMAL,
    SPACE,
    UNKNOWN,
    USER_DEFINED,
    ExpectedSetting,
    VocabularyEntry,
    read_sentencepiece,
)

SETTINGS = (
    ExpectedSetting("trainer_spec.model_type", 3, 1, BYTE_PAIRS),
    ExpectedSetting("trainer_spec.byte_fallback", 35, 0, 1),
    ExpectedSetting("trainer_spec.treat_whitespace_as_suffix", 24, 0, 0),
    ExpectedSetting("normalizer_spec.precompiled_charsmap", 2, b"", b""),
    ExpectedSetting("normalizer_spec.add_dummy_prefix", 3, 1, 0),
    ExpectedSetting("normalizer_spec.remove_extra_whitespaces", 4, 1, 0),
    ExpectedSetting("normalizer_spec.escape_whitespaces", 5, 1, 1),
)
"""The settings of an encoding that leaves the text as it is."""


def write_tokenizer(entries: Sequence[VocabularyEntry], path: Path) -> None:
    """Write a byte-pair encoding with these pieces as ``tokenizer.json`` to ``path``."""
    # Loads a library in Rust, which reading the weights does without.
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

    vocabulary = {entry.text: number for number, entry in enumerate(entries)}
    unknown = next((entry.text for entry in entries if entry.type == UNKNOWN), None)
    encoding = models.BPE(
        vocabulary, list(_merges(entries, vocabulary)), unk_token=unknown, fuse_unk=True, byte_fallback=True
    )
    tokenizer = Tokenizer(encoding)
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    special = [AddedToken(one.text, normalized=False) for one in entries if one.type in (UNKNOWN, CONTROL)]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens([AddedToken(one.text, normalized=True) for one in entries if one.type == USER_DEFINED])
    tokenizer.save(str(path))


def read_vocabulary(model: bytes, file: str) -> tuple[VocabularyEntry, ...]:
    """Return the pieces of a SentencePiece model in the order of their ids; errors name ``file``.

    Raises ModelFileError if it is broken, or not a byte-pair encoding that leaves the text as it is.
    """
    read = read_sentencepiece(model, file)
    read.check_settings(file, SETTINGS)
    read.check_types(file, (NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE))
    return read.entries


def _merges(entries: Sequence[VocabularyEntry], vocabulary: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the pairs that merge to a piece, in the order in which they merge: by the score of what they give."""
    ranked = sorted((one for one in entries if one.type == NORMAL and len(one.text) > 1), key=lambda one: -one.score)
    for entry in ranked:
        splits = ((entry.text[:cut], entry.text[cut:]) for cut in range(1, len(entry.text)))
        pairs = [pair for pair in splits if pair[0] in vocabulary and pair[1] in vocabulary]
        yield from sorted(pairs, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))
