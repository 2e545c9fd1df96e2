"""The names of the published weights that the graphs and tables read."""

from __future__ import annotations

DECODER = "params/depthformer/decoder"
EMBEDDINGS = f"{DECODER}/decoder_embedding/embedding/embedding"
DEPTH_ADAPTER = f"{DECODER}/depth_body/depth_input_adapter/kernel"
FINAL_NORM = f"{DECODER}/depth_body/final_ln"
LOGITS = f"{DECODER}/depth_body/to_logits"
TEMPORAL_STACK = f"{DECODER}/temporal_body/transformer"
DEPTH_STACK = f"{DECODER}/depth_body/transformer"
CODEC_DECODER = "params/soundstream/decoder"
CODEBOOKS = "params/soundstream/quantizer/embedding"
