"""The names of the published files in ``google/magenta-realtime-2``."""

from __future__ import annotations

USE_INSTEAD = "use magenta-rt2-small"

CHECKPOINT = "checkpoints/mrt2_small.safetensors"
"""The language model, and the decoder and the quantizer of the codec. By this file, the layout is known."""
MUSICCOCA = "resources/musiccoca"
TEXT_ENCODER, MAPPER, STYLE_QUANTIZER, VOCABULARY = (
    f"{MUSICCOCA}/{name}"
    for name in ("text_encoder.tflite", "mapper.tflite", "pretrained_vector_quantizer.tflite", "spm.model")
)
REQUIRED = (CHECKPOINT, TEXT_ENCODER, STYLE_QUANTIZER, VOCABULARY)
"""The files that a model cannot do without."""
OPTIONAL = (MAPPER,)
"""The files that older copies of the repository lack."""
