"""The unigram encoding of a SentencePiece model: as SentencePiece itself cuts a text, and by its own laws."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from magenta_checkpoint import PIECES, vocabulary
from protobuf_writer import bytes_field, float_field, number_field
from tokenizers import Tokenizer

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.unigram_tokenizer import write_unigram_tokenizer

WORDS = re.findall(r"\S+", """
    lofi hip hop rain sounds calm piano dark ambient techno epic orchestral trailer jazz trio bossa nova guitar drum and
    bass deep house slap groovy warm synth pads in the night slow fast upbeat happy sad strings brass choir 90 bpm café
""")  # fmt: skip
STRANGE = "abcxyz089 .,!?'-_/()&%é èü\u00df\u00f1 \t\n▁ﬁ①…—’“”\u65e5\u672c🎹<s></s><unk>"


def write(folder: Path, model: bytes, vocabulary_size: int = 16_000) -> Tokenizer:
    (folder / "spm.model").write_bytes(model)
    write_unigram_tokenizer(folder / "spm.model", folder / "tokenizer.json", vocabulary_size)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def pieces_of(tokenizer: Tokenizer, text: str) -> list[str]:
    return [PIECES[number] for number in tokenizer.encode(text, add_special_tokens=False).ids]


def test_the_most_probable_cut_is_taken(tmp_path: Path) -> None:
    tokenizer = write(tmp_path, vocabulary())
    assert pieces_of(tokenizer, "lofi piano with rain") == ["▁lofi", "▁piano", "▁with", "▁rain"]
    assert pieces_of(tokenizer, "lofis") == ["▁lofi", "s"]
    assert pieces_of(tokenizer, "") == pieces_of(tokenizer, "  ") == []
    assert pieces_of(tokenizer, "  calm \n  piano ") == ["▁calm", "▁", "<unk>", "▁piano"]
    ids = tokenizer.encode("calm jazz", add_special_tokens=False).ids
    assert ids == [PIECES.index("▁calm"), PIECES.index("▁jazz")]


def test_runs_of_the_unknown_are_one_token(tmp_path: Path) -> None:
    assert pieces_of(write(tmp_path, vocabulary()), "calm \u65e5\u672c piano") == ["▁calm", "▁", "<unk>", "▁piano"]


def test_a_text_never_becomes_a_control(tmp_path: Path) -> None:
    found = pieces_of(write(tmp_path, vocabulary()), "<s></s><pad><unk> calm")
    assert not {"<s>", "</s>", "<pad>"} & set(found)


@pytest.fixture(scope="module")
def sentencepiece() -> Any:
    return pytest.importorskip("sentencepiece")


@pytest.mark.parametrize("rule", ["identity", "nmt_nfkc"])
def test_texts_are_cut_as_sentencepiece_cuts_them(sentencepiece: Any, tmp_path: Path, rule: str) -> None:
    draw = random.Random(rule)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(2, 9))) for _ in range(2000)]
    trained = tmp_path / "spm.model"
    with trained.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=file, vocab_size=70, character_coverage=1.0,
            normalization_rule_name=rule, user_defined_symbols=["slow jam"], minloglevel=2,
        )  # fmt: skip
    ours = write(tmp_path, trained.read_bytes())
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(trained))
    texts = [" ".join(draw.choices(WORDS, k=3)) for _ in range(100)]
    texts += ["".join(draw.choices(STRANGE, k=draw.randint(0, 20))) for _ in range(200)]
    texts += ["", " ", "slow jam", "a slow jam  session", "x" * 500]
    for text in texts:
        assert ours.encode(text, add_special_tokens=False).ids == theirs.encode(text), text


def model_with(*fields: bytes) -> bytes:
    return vocabulary() + b"".join(fields)


def entry(text: str, kind: int) -> bytes:
    return bytes_field(1, bytes_field(1, text.encode()) + float_field(2, 0.0) + number_field(3, kind))


@pytest.mark.parametrize(("model", "words"), [
    (vocabulary(model_type=2), r"must have trainer_spec.model_type 1, got 2"),
    (model_with(bytes_field(3, number_field(5, 0))), "must have normalizer_spec.escape_whitespaces 1, got 0"),
    (model_with(bytes_field(2, number_field(24, 1))), "must have trainer_spec.treat_whitespace_as_suffix 0, got 1"),
    (model_with(bytes_field(3, bytes_field(2, b"\xff\xff\xff\x7f"))), "its map of characters is broken"),
    (model_with(entry("▁lofi", 1)), "has no pieces, or one of them twice"),
    (model_with(entry("second unknown", 2)), "must have one piece for the unknown, got 2"),
    (model_with(entry("odd", 9)), "has the piece 'odd' of type 9"),
    (b"", "has no pieces"),
    (b"\x89PNG\r\n\x1a\n", "its SentencePiece model is broken"),
    (vocabulary()[:-3], "its SentencePiece model is broken"),
])  # fmt: skip
def test_another_kind_of_model_is_refused(tmp_path: Path, model: bytes, words: str) -> None:
    with pytest.raises(ModelFileError, match=f"^model file spm.model: .*{words}"):
        write(tmp_path, model)


def test_pieces_that_the_text_encoder_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=f"has {len(PIECES)} pieces, but the text encoder knows 20"):
        write(tmp_path, vocabulary(), vocabulary_size=20)
