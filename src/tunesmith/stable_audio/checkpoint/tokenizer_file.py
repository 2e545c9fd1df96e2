"""The tokenizer of a checkpoint, in any of its files, written as ``tokenizer.json``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.numpy_archive import read_numpy_archive
from tunesmith.neural.checkpoint.sentencepiece_file import MOST_BYTES
from tunesmith.stable_audio.checkpoint.sentencepiece_model import read_vocabulary, write_tokenizer

ARCHIVED_TOKENIZER = "TOKENIZER_MODEL"


@dataclass(frozen=True, slots=True)
class TokenizerSource:
    """The file with the tokenizer: ``tokenizer.json``, a SentencePiece model, or an archive that holds one.

    ``vocabulary_size`` is that of the text encoder, which has no state for a token beyond it.
    """

    path: Path
    vocabulary_size: int

    def write(self, target: Path) -> None:
        """Write the tokenizer as ``tokenizer.json`` to ``target``. Raises ModelFileError if it is broken."""
        if self.path.suffix == ".json":
            shutil.copyfile(self.path, target)
        elif self.path.suffix == ".npz":
            model = read_numpy_archive(self.path).read_bytes(ARCHIVED_TOKENIZER, MOST_BYTES)
            self._write_model(model, target, f"{self.path.name}: {ARCHIVED_TOKENIZER}")
        else:
            self._write_model(self.path.read_bytes(), target, self.path.name)

    def _write_model(self, model: bytes, target: Path, file: str) -> None:
        entries = read_vocabulary(model, file)
        if len(entries) > self.vocabulary_size:
            problem = f"has {len(entries)} pieces, but the text encoder knows {self.vocabulary_size}"
            raise ModelFileError(file, problem)
        write_tokenizer(entries, target)
