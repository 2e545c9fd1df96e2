"""Build the files that make reading start fast: the word index, and the vectors of anchor sentences and scenes.

Run after changing a genre's title, family, aliases, anchors, valence, arousal or tempo, or any table of the lexicon:
``python tools/build_reading_tables.py``. Tests fail when the files are out of date.
"""

from __future__ import annotations

import json

import numpy as np

from tunesmith.composer.prompt import embedding as meaning
from tunesmith.composer.prompt import lexicon_index as sources
from tunesmith.composer.prompt import scene_vectors as scenes
from tunesmith.composer.prompt.sentence_encoder import encode


def main() -> None:
    """Write index.json, anchors.npz and scenes.npz into the package."""
    built = sources.build_index()
    text = json.dumps(built, ensure_ascii=False, separators=(",", ":"), sort_keys=False)
    sources.index_path().write_text(text + "\n", encoding="utf-8")
    vectors = encode([sentence for _, sentence in meaning.anchor_sentences()]).astype(np.float16)
    path = sources.index_path().with_name("anchors.npz")
    np.savez_compressed(path, vectors=vectors, digest=np.array(meaning.anchors_digest()))
    names, steps = scenes.encoded_scenes()
    path = path.with_name("scenes.npz")
    np.savez_compressed(path, names=names, vectors=steps, digest=np.array(scenes.scenes_digest()))
    print(f"index.json: {len(built['phrases'])} phrases, {len(text) // 1000} kB; anchors.npz: {vectors.shape}, "
          f"scenes.npz: {steps.shape}")  # fmt: skip


if __name__ == "__main__":
    main()
