"""The tokens of a prompt as MusicCoCa's text encoder reads them: a start, then the lower-cased text."""

from __future__ import annotations

from pathlib import Path

from tunesmith.neural.t5_tokenizer import TextTokens, Tokenizer

# MusicCoCa's prompts begin with this id.
START = 1


class StyleTokenizer:
    """The tokenizer of a model folder; ``max_tokens`` counts the start too. Raises ModelFileError."""

    def __init__(self, path: Path, vocabulary_size: int, max_tokens: int) -> None:
        self._tokenizer = Tokenizer(path, vocabulary_size, max_tokens - 1, adds_end=False)

    def encode(self, prompt: str) -> TextTokens:
        """Return the tokens of a prompt; what does not fit is cut off."""
        found = self._tokenizer.encode(prompt.lower())
        return TextTokens((START, *found.ids), found.num_cut)
