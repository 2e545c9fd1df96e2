"""Tokenizer: a prompt to the tokens that the text encoder reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import ModelFileError

if TYPE_CHECKING:
    import tokenizers

# The longest text that T5 was trained on.
MAX_TOKENS = 512
END = "</s>"


@dataclass(frozen=True, slots=True)
class TextTokens:
    """The token ids of a text, ending with the end token; ``num_cut`` tokens did not fit and were dropped."""

    ids: tuple[int, ...]
    num_cut: int = 0


class Tokenizer:
    """A tokenizer with the vocabulary of a ``tokenizer.json``.

    ``vocabulary_size`` is the text encoder's, ``max_tokens`` the most tokens of a text including the end token. Without
    ``adds_end``, as for Gemma, texts have no end token. Raises ModelFileError if the file is missing or broken, lacks
    the end token, or has tokens that the encoder does not know.
    """

    def __init__(
        self, path: Path, vocabulary_size: int, max_tokens: int = MAX_TOKENS, *, adds_end: bool = True
    ) -> None:
        self._tokenizer = _load(path)
        self._max_tokens = max_tokens
        end = self._tokenizer.token_to_id(END) if adds_end else None
        if adds_end and end is None:
            raise ModelFileError(str(path), f"has no end token {END}")
        self._end: int | None = end
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        if size > vocabulary_size:
            raise ModelFileError(str(path), f"has {size} tokens, but the text encoder knows only {vocabulary_size}")
        # Texts are encoded one at a time, and truncation is done here, to count what was cut.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def encode(self, text: str) -> TextTokens:
        """Return the tokens of the text, at most ``max_tokens`` including the end token."""
        # A lone surrogate, which a shell can pass, cannot be encoded as UTF-8.
        readable = text.encode(errors="replace").decode()
        # The end token is added here, whatever the file's own rules for special tokens are.
        ids = self._tokenizer.encode(readable, add_special_tokens=False).ids
        if self._end is not None and ids[-1:] == [self._end]:
            ids = ids[:-1]
        end = () if self._end is None else (self._end,)
        kept = ids[: self._max_tokens - len(end)]
        return TextTokens((*kept, *end), num_cut=len(ids) - len(kept))


def _load(path: Path) -> tokenizers.Tokenizer:
    import tokenizers

    if not path.is_file():
        raise ModelFileError(str(path), "is missing; pull the model again")
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    # The library raises no exception class of its own.
    except Exception as error:
        raise ModelFileError(str(path), f"is not a tokenizer: {error}; pull the model again") from None
