"""MusicGen's networks run by ONNX Runtime on a CPU."""
