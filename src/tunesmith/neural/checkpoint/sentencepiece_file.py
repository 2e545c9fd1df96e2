"""SentencePiece models: the pieces of text with their scores, and the settings, of any kind of encoding.

A model is a message of Protocol Buffers (sentencepiece_model.proto of google/sentencepiece): field 1 is repeated and
holds the pieces, 2 the training settings, 3 those of the normalizer. The few fields that decide something are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tunesmith.errors import ModelFileError

MOST_BYTES = 32_000_000
# Types of pieces and kinds of encoding, by their numbers in sentencepiece_model.proto.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
UNIGRAM, BYTE_PAIRS = 1, 2
SPACE = "▁"
Value = int | bytes


@dataclass(frozen=True, slots=True)
class VocabularyEntry:
    """A piece of text, its score (higher is chosen first) and its type."""

    text: str
    score: float
    type: int


@dataclass(frozen=True, slots=True)
class ExpectedSetting:
    """The value a setting must have; ``number`` is its field, ``default`` what an absent one means."""

    name: str
    number: int
    default: Value
    needed: Value


@dataclass(frozen=True, slots=True)
class SentencepieceVocabulary:
    """The pieces in the order of their ids, and the settings by the numbers of their fields.

    ``training`` has, among others, 3 the kind of encoding, 24 whether spaces end a piece, 35 whether bytes stand for
    unknown characters. ``normalizer`` has 2 the precompiled map of characters, 3 whether a text begins with a space, 4
    whether runs of spaces become one, 5 whether spaces are replaced by SPACE. Absent ones have SentencePiece's default.
    """

    entries: tuple[VocabularyEntry, ...]
    training: Mapping[int, Value]
    normalizer: Mapping[int, Value]

    def check_settings(self, file: str, expected: Iterable[ExpectedSetting]) -> None:
        """Check settings. Raises ModelFileError, which names the first that has another value."""
        for one in expected:
            section = self.training if one.name.startswith("trainer_spec.") else self.normalizer
            value = section.get(one.number, one.default)
            if value != one.needed:
                shown = f"{len(value)} bytes" if isinstance(value, bytes) else value
                problem = f"its SentencePiece model must have {one.name} {one.needed!r}, got {shown}"
                raise ModelFileError(file, problem)

    def check_types(self, file: str, allowed: tuple[int, ...]) -> None:
        """Check that every piece has one of these types. Raises ModelFileError, which names the piece."""
        wrong = next((one for one in self.entries if one.type not in allowed), None)
        if wrong is not None:
            raise ModelFileError(file, f"its SentencePiece model has the piece {wrong.text!r} of type {wrong.type}")


def read_sentencepiece(model: bytes, file: str) -> SentencepieceVocabulary:
    """Read a SentencePiece model; errors name ``file``. Raises ModelFileError if it is broken, or has no pieces."""
    if len(model) > MOST_BYTES:
        raise ModelFileError(file, f"its SentencePiece model has {len(model)} bytes, more than {MOST_BYTES}")
    try:
        fields = list(_fields(model))
        entries = tuple(_entry(value) for number, value in fields if number == 1)
        training, normalizer = (_last_message(fields, number) for number in (2, 3))
    except (ValueError, IndexError, TypeError, struct.error):
        raise ModelFileError(file, "its SentencePiece model is broken") from None
    if not entries or len({entry.text for entry in entries}) < len(entries):
        raise ModelFileError(file, "its SentencePiece model has no pieces, or one of them twice")
    return SentencepieceVocabulary(entries, training, normalizer)


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
        # Protocol buffers: the low three bits of a key are the wire type, the others the field's number.
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
    # Ten bytes are enough for 64 bits; more are an error.
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError
