"""Build the two files that make reading start fast: the word index and the anchor sentences' vectors.

Run after changing a genre's title, aliases, anchors, valence or arousal, or any table of the lexicon:
``python tools/build_reading_tables.py``. Tests fail when the files are out of date.
"""

from __future__ import annotations

import json

import numpy as np

from tunesmith.composer.prompt import embedding as meaning
from tunesmith.composer.prompt import lexicon_index as sources


def main() -> None:
    """Write index.json and anchors.npz into the package."""
    built = sources.build_index()
    text = json.dumps(built, ensure_ascii=False, separators=(",", ":"), sort_keys=False)
    sources.index_path().write_text(text + "\n", encoding="utf-8")
    vectors = meaning.encode([sentence for _, sentence in meaning.anchor_sentences()]).astype(np.float16)
    path = sources.index_path().with_name("anchors.npz")
    np.savez_compressed(path, vectors=vectors, digest=np.array(meaning.anchors_digest()))
    print(f"index.json: {len(built['phrases'])} phrases, {len(text) // 1000} kB; anchors.npz: {vectors.shape}")


if __name__ == "__main__":
    main()
