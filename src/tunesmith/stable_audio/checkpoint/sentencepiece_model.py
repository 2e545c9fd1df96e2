"""SentencePiece models: the pieces and merges of a byte-pair encoding, written as a ``tokenizer.json``.

A model is a message of Protocol Buffers (sentencepiece_model.proto of google/sentencepiece): field 1 is repeated and
holds the pieces, 2 the training settings, 3 those of the normalizer. The few fields that decide something are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import ModelFileError

MOST_BYTES = 32_000_000
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
BYTE_PAIRS = 2
SPACE = "▁"
Value = int | bytes


@dataclass(frozen=True, slots=True)
class VocabularyEntry:
    """A piece of text, its score (higher merges first) and its type."""

    text: str
    score: float
    type: int


def write_tokenizer(entries: list[VocabularyEntry], path: Path) -> None:
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


def read_vocabulary(model: bytes, file: str) -> list[VocabularyEntry]:
    """Return the pieces of a SentencePiece model in the order of their ids; errors name ``file``.

    Raises ModelFileError if it is broken, or not a byte-pair encoding that leaves the text as it is.
    """
    if len(model) > MOST_BYTES:
        raise ModelFileError(file, f"its SentencePiece model has {len(model)} bytes, more than {MOST_BYTES}")
    try:
        fields = list(_fields(model))
        entries = [_entry(value) for number, value in fields if number == 1]
        training, normalizer = (_last_message(fields, number) for number in (2, 3))
    except (ValueError, IndexError, TypeError, struct.error):
        raise ModelFileError(file, "its SentencePiece model is broken") from None
    _check_settings(training, normalizer, file)
    if not entries or len({entry.text for entry in entries}) < len(entries):
        raise ModelFileError(file, "its SentencePiece model has no pieces, or one of them twice")
    wrong = next((one for one in entries if one.type not in (NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE)), None)
    if wrong is not None:
        raise ModelFileError(file, f"its SentencePiece model has the piece {wrong.text!r} of type {wrong.type}")
    return entries


def _check_settings(training: dict[int, Value], normalizer: dict[int, Value], file: str) -> None:
    """Check the settings; absent ones have the defaults of SentencePiece."""
    expected = (
        ("trainer_spec.model_type", training.get(3, 1), BYTE_PAIRS),
        ("trainer_spec.byte_fallback", training.get(35, 0), 1),
        ("trainer_spec.treat_whitespace_as_suffix", training.get(24, 0), 0),
        ("normalizer_spec.precompiled_charsmap", normalizer.get(2, b""), b""),
        ("normalizer_spec.add_dummy_prefix", normalizer.get(3, 1), 0),
        ("normalizer_spec.remove_extra_whitespaces", normalizer.get(4, 1), 0),
        ("normalizer_spec.escape_whitespaces", normalizer.get(5, 1), 1),
    )
    for name, value, needed in expected:
        if value != needed:
            shown = f"{len(value)} bytes" if isinstance(value, bytes) else value
            problem = f"its SentencePiece model has {name} {shown}; only {needed!r} is read"
            raise ModelFileError(file, problem)


def _merges(entries: list[VocabularyEntry], vocabulary: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the pairs that merge to a piece, in the order in which they merge: by the score of what they give."""
    ranked = sorted((one for one in entries if one.type == NORMAL and len(one.text) > 1), key=lambda one: -one.score)
    for entry in ranked:
        splits = ((entry.text[:cut], entry.text[cut:]) for cut in range(1, len(entry.text)))
        pairs = [pair for pair in splits if pair[0] in vocabulary and pair[1] in vocabulary]
        yield from sorted(pairs, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))


def _entry(message: Value) -> VocabularyEntry:
    values = dict(_fields(_as_bytes(message)))
    (score,) = struct.unpack("<f", _as_bytes(values.get(2, bytes(4))))
    kind = values.get(3, NORMAL)
    if not isinstance(kind, int):
        raise TypeError
    return VocabularyEntry(_as_bytes(values.get(1, b"")).decode(), score, kind)


def _last_message(fields: list[tuple[int, Value]], wanted: int) -> dict[int, Value]:
    found = [value for number, value in fields if number == wanted]
    return dict(_fields(_as_bytes(found[-1]))) if found else {}


def _as_bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield each field's number and value: an integer, or bytes of a text, a message or a fixed-size number."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        match key & 7:
            case 0:
                value, position = _varint(message, position)
                yield key >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, position = _varint(message, position)
            case 5:
                size = 4
            case _:
                raise ValueError
        if position + size > len(message):
            raise ValueError
        yield key >> 3, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the integer of 7 bits a byte, lowest first, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError
