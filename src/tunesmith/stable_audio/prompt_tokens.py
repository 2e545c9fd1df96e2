"""The tokens of a prompt, as the text encoder of a model reads them."""

from __future__ import annotations

from pathlib import Path

from tunesmith.neural.t5_tokenizer import Tokenizer
from tunesmith.stable_audio.architecture import StableAudioArchitecture, T5GemmaShape


def open_tokenizer(path: Path, architecture: StableAudioArchitecture) -> Tokenizer:
    """Open the tokenizer of a model. T5 reads an end token, T5Gemma does not. Raises ModelFileError."""
    text = architecture.text_encoder
    return Tokenizer(
        path, text.vocabulary_size, max_tokens=architecture.max_tokens, adds_end=not isinstance(text, T5GemmaShape)
    )
