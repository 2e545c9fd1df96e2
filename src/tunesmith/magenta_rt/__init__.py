"""Magenta RealTime 2: prompt and notes -> style and frame controls -> codes -> samples, on ONNX Runtime."""
