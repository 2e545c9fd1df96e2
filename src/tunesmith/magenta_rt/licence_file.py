"""The text that a model folder carries, for whoever gets the folder: whose the weights are, and what was changed.

CC BY 4.0 asks those who share the weights, also changed ones, to name the creator, the licence and the changes.
"""

from __future__ import annotations

MODEL_NOTICE = "Magenta RealTime 2, copyright 2026 Google LLC, CC BY 4.0; quantized and converted by Tunesmith"
"""The same in one line, which the manifest keeps."""

MADE_WITH = "Magenta RealTime 2 (Google)"
"""What the metadata of a sound says as a courtesy; the licence asks nothing of those who use the sound."""

LICENCE_TEXT = """\
Magenta RealTime 2 (mrt2_small), with MusicCoCa and SpectroStream
Copyright 2026 Google LLC
https://huggingface.co/google/magenta-realtime-2

Licensed under the Creative Commons Attribution 4.0 International License (CC BY 4.0):
https://creativecommons.org/licenses/by/4.0/legalcode
The licence disclaims all warranties.

Changes: Tunesmith converted the published weights to ONNX graphs and tables. The language model and text encoder are
quantized to 8 bits unless the model was pulled without quantization; the mapper is kept in 16 bits; the encoder of
recordings and unused levels of the codec's quantizer are left out.

If you share this folder, keep this file with it. Google claims no rights in the sound that the model generates; whoever
uses that sound is responsible for it, and must not infringe the rights of others.
"""
