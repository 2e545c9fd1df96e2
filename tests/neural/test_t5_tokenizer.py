from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoints import VOCABULARY_SIZE, write_tokenizer

from tunesmith.errors import ModelFileError
from tunesmith.neural.t5_tokenizer import MAX_TOKENS, TextTokens, Tokenizer

END = 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path)
    return tmp_path / "tokenizer.json"


def _change(file: Path, **entries: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | entries), encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["happy rock song", "", "Slow piano, 90 BPM!", "wörter ♪ 音楽", "a " * 300, "line\nbreak"]
)
def test_tokens_are_those_of_transformers(file: Path, text: str) -> None:
    from transformers import PreTrainedTokenizerFast

    reference = PreTrainedTokenizerFast(tokenizer_file=str(file))
    assert list(Tokenizer(file, VOCABULARY_SIZE).encode(text).ids) == reference(text)["input_ids"]


def test_texts_that_differ_have_different_tokens(file: Path) -> None:
    tokenizer = Tokenizer(file, VOCABULARY_SIZE)
    assert tokenizer.encode("happy rock") != tokenizer.encode("sad rock")


@pytest.mark.parametrize("words", [MAX_TOKENS - 2, MAX_TOKENS - 1, MAX_TOKENS, 3 * MAX_TOKENS])
def test_a_long_text_is_cut_to_what_the_encoder_takes_and_the_cut_is_told(file: Path, words: int) -> None:
    tokens = Tokenizer(file, VOCABULARY_SIZE).encode("rock " * words)
    assert len(tokens.ids) == min(words + 1, MAX_TOKENS)
    assert len(tokens.ids) + tokens.num_cut == words + 1
    assert tokens.ids[-1] == END
    assert END not in tokens.ids[:-1]


def test_the_end_is_added_where_the_file_does_not_say_so(file: Path) -> None:
    expected = Tokenizer(file, VOCABULARY_SIZE).encode("slow song")
    _change(file, post_processor=None)
    assert Tokenizer(file, VOCABULARY_SIZE).encode("slow song") == expected
    assert Tokenizer(file, VOCABULARY_SIZE).encode("") == TextTokens((END,))


def test_the_files_own_padding_and_cut_do_not_count(file: Path) -> None:
    expected = Tokenizer(file, VOCABULARY_SIZE).encode("slow song")
    cut = {"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    pad = {"strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0}
    _change(file, truncation=cut, padding=pad | {"pad_type_id": 0, "pad_token": "<pad>"})
    assert Tokenizer(file, VOCABULARY_SIZE).encode("slow song") == expected


def test_bytes_that_are_no_text_are_read_as_unknown(file: Path) -> None:
    tokenizer = Tokenizer(file, VOCABULARY_SIZE)
    assert tokenizer.encode("rock \udcff") == tokenizer.encode("rock ?")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1, 2]", b"null", b"\xff\xfe\x00", b'{"version": "1.0", "model": 3}']
)
def test_a_broken_file_is_named(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"tokenizer\.json.*is not a tokenizer"):
        Tokenizer(file, VOCABULARY_SIZE)


def test_a_truncated_file_is_named(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelFileError, match=r"tokenizer\.json"):
        Tokenizer(file, VOCABULARY_SIZE)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"tokenizer\.json: is missing"):
        Tokenizer(tmp_path / "tokenizer.json", VOCABULARY_SIZE)


def test_more_tokens_than_the_encoder_knows_are_refused_with_both_numbers(file: Path) -> None:
    size = len(json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"])
    Tokenizer(file, size)
    with pytest.raises(ModelFileError, match=f"has {size} tokens.*only {size - 1}"):
        Tokenizer(file, size - 1)


def test_a_vocabulary_without_an_end_is_refused(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("</s>", "<|end|>"), encoding="utf-8")
    with pytest.raises(ModelFileError, match="no end token </s>"):
        Tokenizer(file, VOCABULARY_SIZE)
