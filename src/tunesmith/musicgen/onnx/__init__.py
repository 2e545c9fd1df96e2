"""The MusicGen networks on ONNX Runtime, for CPUs."""
